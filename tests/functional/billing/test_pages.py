"""Settings, Plan and seats."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from billing.models import Invoice
from billing.web import words
from kehu.core import clock
from kehu.members.models import Invitation, Member, Role
from kehu.members.services import MemberService
from kehu.testkit.browser import Browser, browser
from kehu.testkit.fixtures import Shop, count_queries

PAGE = "/settings/billing"


def text_of(client: Browser, path: str = PAGE) -> str:
    return client.get(path).get_data(as_text=True)


def order(client: Browser, **wish: str) -> str:
    """Look at a price and confirm it; return the page that follows."""
    shown = client.get(f"{PAGE}/plan", query_string=wish).get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', shown)
    assert token is not None, shown
    answer = client.post(
        f"{PAGE}/plan", data={"interval": "month", "currency": "GBP", **wish, "token": token[1]}
    )
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return text_of(client, str(answer.headers["Location"]))


def act(client: Browser, what: str) -> str:
    assert client.post(f"{PAGE}/demo", data={"act": what}).status_code == 303
    return text_of(client)


def test_case_69_off_has_one_page_and_no_prices(shop: Shop) -> None:
    client = shop.client()
    page = text_of(client)
    assert "Billing is switched off by the operator" in page
    assert "No limits apply" in page
    assert client.get(f"{PAGE}/plan?plan=team").status_code == 404
    for path in ("plan", "cancel", "undo", "pay", "check", "demo", "details", "call-off"):
        assert client.post(f"{PAGE}/{path}").status_code == 404


def test_only_who_may_sees_it(demo: None, shop: Shop) -> None:
    member = shop.client(shop.member("manager"))
    for path in ("", "/plan"):
        assert member.get(f"{PAGE}{path}").status_code == 403
    for path in ("/plan", "/cancel", "/demo"):
        assert member.post(f"{PAGE}{path}").status_code == 403


def test_from_trial_to_plan_with_a_look_at_the_price(over: Callable[[], str], shop: Shop) -> None:
    over()
    client = shop.client()
    page = text_of(client)
    assert "Trial over" in page
    assert "Demo: no money moves" in page
    preview = text_of(client, f"{PAGE}/plan?plan=team&interval=month&seats=3")
    for amount in ("£36<", "£7.20", "£43.20", "Tax 20 %"):
        assert amount in preview
    page = order(client, plan="team", seats="3")
    assert "First payment open" in page
    assert "Paid, in the demo" in (client.post(f"{PAGE}/demo", data={"act": "pay"}) and text_of(client))
    page = text_of(client)
    assert "Active" in page
    assert "1 of 3 taken" in page
    assert "Subscription: plan Team, 3 seats" in page
    assert "Subscription: active" not in page


def test_what_is_wrong_is_said_where_it_was_typed(demo: None, shop: Shop) -> None:
    client = shop.client()
    answer = client.get(f"{PAGE}/plan?plan=business&seats=1")
    assert answer.status_code == 422
    assert "Business begins at 3 seats" in answer.get_data(as_text=True)
    answer = client.post(
        f"{PAGE}/plan", data={"plan": "team", "interval": "month", "seats": "2", "token": "x"}
    )
    assert answer.status_code == 422
    assert "Look at the price first" in answer.get_data(as_text=True)


def test_a_price_that_was_shown_for_something_else_is_not_taken(demo: None, shop: Shop) -> None:
    client = shop.client()
    shown = text_of(client, f"{PAGE}/plan?plan=team&seats=1")
    token = re.search(r'name="token" value="([^"]+)"', shown)
    assert token is not None
    form = {"plan": "team", "interval": "month", "seats": "50", "token": token[1]}
    assert client.post(f"{PAGE}/plan", data=form).status_code == 422


def test_case_72_papers_of_the_demo_are_stamped(over: Callable[[], str], shop: Shop) -> None:
    over()
    client = shop.client()
    order(client, plan="team", seats="2")
    act(client, "pay")
    with shop.work() as session:
        invoice = session.execute(select(Invoice)).scalar_one()
    assert invoice.number == "DEMO-0001"
    paper = client.get(f"{PAGE}/invoices/{invoice.id}.pdf")
    assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert paper.data.startswith(b"%PDF")


def test_case_74_the_papers_of_another_firm_are_not_there(
    over: Callable[[], str], shop: Shop, other_shop: Shop
) -> None:
    over()
    client = shop.client()
    order(client, plan="team", seats="2")
    with shop.work() as session:
        invoice = session.execute(select(Invoice)).scalar_one()
    assert other_shop.client().get(f"{PAGE}/invoices/{invoice.id}.pdf").status_code == 404


def test_people_are_parked_and_let_in_again(demo: None, shop: Shop) -> None:
    member = shop.member("member", "Ada Byron")
    client = shop.client()
    assert "Park Ada Byron" in text_of(client)
    assert client.post(f"{PAGE}/people/{member.member_id}/park").status_code == 303
    assert "Let Ada Byron in again" in text_of(client)
    assert client.post(f"{PAGE}/people/{member.member_id}/unpark").status_code == 303
    with shop.work() as session:
        assert session.get(Member, (shop.tenant.id, member.member_id)).state == "active"


def test_who_invites_beyond_the_seats_is_asked(over: Callable[[], str], shop: Shop) -> None:
    over()
    client = shop.client()
    order(client, plan="team", seats="1")
    act(client, "pay")
    form = {"name": "Ada Byron", "email": "ada@example.com", "role_id": _role(shop)}
    refused = client.post("/settings/members/invite", data=form)
    page = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "The 1 seat is taken" in page
    assert "Ada Byron" in page
    assert "One more costs £12" in page
    assert "seats=2" in page
    # What was typed waits until the seat is bought; it is nobody's who opens the form later.
    assert "again" in page
    assert "ada@example.com" in client.get("/settings/members/invite?again=1").get_data(as_text=True)
    assert "ada@example.com" not in client.get("/settings/members/invite").get_data(as_text=True)


def _role(shop: Shop) -> str:
    from kehu.members.models import Role

    with shop.work() as session:
        return str(session.execute(select(Role.id).where(Role.code == "member")).scalar_one())


def test_the_banner_names_the_next_step_to_who_can_take_it(over: Callable[[], str], shop: Shop) -> None:
    over()
    member = shop.client(shop.member("member"))
    owner_page, member_page = text_of(shop.client(), "/customers"), text_of(member, "/customers")
    for page in (owner_page, member_page):
        assert "The trial is over" in page
    assert f'href="{PAGE}"' in owner_page
    assert f'class="k-btn k-btn-s" href="{PAGE}"' not in member_page


def test_the_page_asks_few_statements(demo: None, shop: Shop) -> None:
    client = shop.client()
    client.get(PAGE)
    with count_queries() as found:
        client.get(PAGE)
    assert len(found) <= 14, found.texts
    with count_queries() as found:
        client.get("/settings")
    assert len(found) <= 4, found.texts


@pytest.mark.parametrize("locale", ["zh_Hans", "zh_Hant", "ru"])
def test_pages_and_papers_speak_every_language(over: Callable[[], str], shop: Shop, locale: str) -> None:
    over()
    client = shop.client()
    order(client, plan="team", seats="2")
    client.post(f"/language/{locale}?next=/")
    assert client.get(PAGE).status_code == 200
    with shop.work() as session:
        invoice = session.execute(select(Invoice)).scalar_one()
    assert client.get(f"{PAGE}/invoices/{invoice.id}.pdf").data.startswith(b"%PDF")


def test_the_public_page_of_prices_shows_the_plans(demo: None, app: Flask) -> None:
    page = browser(app).get("/prices", headers={"Accept-Language": "en-GB"}).get_data(as_text=True)
    for said in (
        "Team",
        "Business",
        "a seat and month, without tax",
        "Every firm tries Business for 14 days",
    ):
        assert said in page
    assert "charges nothing" not in page


def test_the_country_that_tax_follows_is_shown_and_can_be_changed(
    over: Callable[[], str], shop: Shop
) -> None:
    over()
    client = shop.client()
    path = f"{PAGE}/plan?plan=team&interval=month&seats=3"
    assert "Country for tax: United Kingdom" in text_of(client, path)
    assert '<details class="k-details" id="details" open>' in text_of(client, f"{PAGE}?open=details")
    answer = client.post(f"{PAGE}/details", data={"legal_name": "Holz", "country": "XX", "address": "Kai 1"})
    assert answer.status_code == 422
    kept = answer.get_data(as_text=True)
    assert "Choose a country of the list" in kept
    assert "Kai 1" in kept
    assert client.post(f"{PAGE}/details", data={"legal_name": "Holz", "country": "DE"}).status_code == 303
    page = text_of(client, path)
    assert "Country for tax: Germany" in page
    assert "Tax 19 %" in page
    # A form without a country changes none, and a tax id is looked at by the rules of the new one.
    assert client.post(f"{PAGE}/details", data={"legal_name": "Holz AG"}).status_code == 303
    assert "Country for tax: Germany" in text_of(client, path)
    answer = client.post(f"{PAGE}/details", data={"tax_id": "GB123456789", "country": "DE"})
    assert "DE123456789" in answer.get_data(as_text=True)


def test_a_look_at_the_price_says_what_a_coupon_takes_off_and_until_when(demo: None, shop: Shop) -> None:
    page = text_of(shop.client(), f"{PAGE}/plan?plan=team&interval=month&seats=3&coupon=WELCOME20")
    assert "Nothing is due now" in page
    assert "Coupon WELCOME20: 20 % off until" in page


def test_a_viewer_who_is_invited_is_free_for_good(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "viewer")).scalar_one()
        MemberService(session).invite(name="Vera View", email="vera@example.com", role_id=role)
    page = text_of(shop.client())
    assert "Viewer, free" in page
    assert "invited until" in page


def test_the_history_says_how_the_firm_pays_and_that_no_add_on_is_left() -> None:
    said = words.change_text("subscription", {"interval": ["month", "year"], "addons": [["automotive"], []]})
    assert said == "Subscription: no add-ons, Yearly"


def test_an_invitation_beyond_the_seats_says_so_and_nothing_of_fields(demo: None, shop: Shop) -> None:
    client = shop.client()
    with shop.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
        for one in range(4):
            MemberService(session).invite(name=f"P {one}", email=f"p{one}@example.com", role_id=role)
    person = {"name": "Bo Lind", "email": "bo@example.com", "role_id": str(role)}
    answer = client.post("/settings/members/invite", data=person)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "All 5 seats are taken" in page
    assert "need another look" not in page
    assert 'value="bo@example.com"' in page


def test_who_was_parked_before_joining_is_invited_anew(demo: None, shop: Shop) -> None:
    client = shop.client()
    with shop.work() as session:
        role = session.execute(select(Role.id).where(Role.code == "member")).scalar_one()
        bo = MemberService(session).invite(name="Bo Lind", email="bo@example.com", role_id=role).id
    assert "2 of 5 taken" in text_of(client)
    assert client.post(f"{PAGE}/people/{bo}/park").status_code == 303
    assert "1 of 5 taken" in text_of(client)
    assert client.post(f"{PAGE}/people/{bo}/unpark").status_code == 303
    page = text_of(client)
    assert "Bo Lind is invited anew" in page
    assert "2 of 5 taken" in page
    with shop.work() as session:
        open_ones = select(Invitation.id).where(
            Invitation.member_id == bo, Invitation.expires_at > clock.now()
        )
        assert len(session.execute(open_ones).all()) == 1
