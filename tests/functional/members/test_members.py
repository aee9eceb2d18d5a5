"""Members, invitations, teams and roles by the pages."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kehu.accounts.models import User
from kehu.core import mail
from kehu.core.ids import new_id
from kehu.members.models import Invitation, Member, Role
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import PASSWORD, Shop, make_user
from tenants.provision import make_member


def role_id(shop: Shop, code: str) -> str:
    with shop.work() as session:
        return str(session.execute(select(Role.id).where(Role.code == code)).scalar_one())


def invite(shop: Shop, role: str = "member", **changes: Any) -> tuple[Any, str]:
    email = f"new.{new_id().hex[-8:]}@example.com"
    form = {"name": "Nora New", "email": email, "role_id": role_id(shop, role), **changes}
    return shop.client().post("/settings/members/invite", data=form), form["email"]


def link_of(shop: Shop, email: str) -> str:
    """Return the path of the newest invitation, as its mail would carry it."""
    with shop.work() as session:
        statement = (
            select(Invitation).join(Member, Member.id == Invitation.member_id).where(Member.email == email)
        )
        newest = session.execute(statement.order_by(Invitation.created_at.desc())).scalars().first()
        assert newest is not None
        values = {"invitation_id": str(newest.id), "name": "N", "inviter": "Mira", "firm": "F"}
        complete = mail._makers["members/mail/invitation"](session, values)
    assert complete is not None
    return complete["url"].removeprefix("http://localhost:8000")


def test_a_new_person_joins_by_the_link_once(app: Flask, shop: Shop) -> None:
    response, email = invite(shop)
    assert response.status_code == 303
    path = link_of(shop, email)
    client = browser(app)
    page = client.get(path).get_data(as_text=True)
    assert email in page
    assert "Mira Sol" in page
    assert client.post(path, data={"name": "Nora", "password": "short"}).status_code == 422
    assert client.post(path, data={"name": "Nora", "password": PASSWORD}).location == "/"
    assert client.get("/settings/members").status_code == 200
    assert browser(app).get(path).status_code == 404
    with shop.work() as session:
        user = session.execute(select(User).where(User.email == email)).scalar_one()
        member = session.execute(select(Member).where(Member.user_id == user.id)).scalar_one()
        assert (member.state, user.confirmed_at is not None) == ("active", True)


def test_a_person_with_an_account_logs_in_and_joins(app: Flask, shop: Shop, other_shop: Shop) -> None:
    with other_shop.work() as session:
        user = session.get(User, other_shop.owner.user_id)
        assert user is not None
    _response, _email = invite(shop, email=user.email)
    path = link_of(shop, user.email)
    assert "/login?next=" in browser(app).get(path).get_data(as_text=True)
    client = other_shop.client()
    assert client.get(path).status_code == 200
    response = client.post(path)
    assert response.location.startswith(f"http://{shop.tenant.address}.localhost")
    assert shop.tenant.name.split()[0] in client.get("/firms").get_data(as_text=True)


def test_sending_again_ends_the_old_link(app: Flask, shop: Shop) -> None:
    _response, email = invite(shop)
    old = link_of(shop, email)
    with shop.work() as session:
        member_id = session.execute(select(Member.id).where(Member.email == email)).scalar_one()
    assert shop.client().post(f"/settings/members/{member_id}/resend").status_code == 303
    assert browser(app).get(old).status_code == 404
    assert browser(app).get(link_of(shop, email)).status_code == 200


def test_a_forged_link_or_one_of_another_firm_is_refused(app: Flask, shop: Shop, other_shop: Shop) -> None:
    _response, email = invite(shop)
    path = link_of(shop, email)
    tenant, invitation, secret = path.removeprefix("/invitation/").split(".")
    for forged in (
        f"{other_shop.tenant.id.hex}.{invitation}.{secret}",
        f"{tenant}.{invitation}.{'0' * 64}",
        f"{tenant}.{new_id().hex}.{secret}",
        "nonsense",
    ):
        assert browser(app).get(f"/invitation/{forged}").status_code == 404


def test_the_same_address_twice_names_the_field(shop: Shop) -> None:
    _response, email = invite(shop)
    response, _email = invite(shop, email=email.upper())
    assert response.status_code == 422
    assert "has this address already" in response.get_data(as_text=True)


def test_the_last_owner_stays(shop: Shop) -> None:
    client = shop.client()
    form = {"name": "Mira Sol", "role_id": role_id(shop, "viewer")}
    response = client.post(f"/settings/members/{shop.owner.member_id}", data=form)
    assert response.status_code == 409
    assert "last owner" in response.get_data(as_text=True)
    second = shop.member("owner")
    assert client.post(f"/settings/members/{shop.owner.member_id}", data=form).status_code == 303
    assert shop.client(second).get("/settings/roles").status_code == 200
    assert client.get("/settings/roles").status_code == 403


def test_nobody_gives_more_than_he_has(shop: Shop) -> None:
    admin, viewer = shop.member("admin"), shop.member("viewer")
    client = shop.client(admin)
    owner_role = role_id(shop, "owner")
    response = client.post(f"/settings/members/{viewer.member_id}", data={"name": "V", "role_id": owner_role})
    assert response.status_code == 403
    assert client.post(f"/settings/members/{shop.owner.member_id}/park").status_code == 403
    assert client.post(f"/settings/roles/{owner_role}", data={"name": "x"}).status_code == 403


def test_parked_members_are_out_at_once(shop: Shop) -> None:
    member = shop.member("member")
    theirs = shop.client(member)
    assert theirs.get("/settings/members").status_code == 200
    mine = shop.client()
    assert mine.post(f"/settings/members/{member.member_id}/park").status_code == 303
    assert theirs.get("/settings/members").status_code == 303
    assert mine.post(f"/settings/members/{member.member_id}/unpark").status_code == 303
    assert theirs.get("/settings/members").status_code == 200
    assert mine.post(f"/settings/members/{shop.owner.member_id}/park").status_code == 409


def test_a_placeholder_is_invited(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        made = make_member(uuid.UUID(role_id(shop, "member")), "Darcel Schlecht", state="placeholder")
        session.add(made)
        member_id = made.id
    page = shop.client().get("/settings/members").get_data(as_text=True)
    assert "Invite Darcel Schlecht" in page
    _response, email = invite(shop, member=str(member_id), name="Darcel Schlecht")
    assert (
        browser(app).post(link_of(shop, email), data={"name": "Darcel", "password": PASSWORD}).status_code
        == 303
    )
    with shop.work() as session:
        found = session.execute(select(Member).where(Member.id == member_id)).scalar_one()
        assert found.state == "active"


@pytest.mark.parametrize("role", ["viewer", "member", "manager"])
def test_only_those_with_the_right_manage(shop: Shop, role: str) -> None:
    client = shop.client(shop.member(role))
    assert client.get("/settings/members").status_code == 200
    assert client.post("/settings/members/invite", data={}).status_code == 403
    assert client.get("/settings/roles").status_code == 403
    assert client.get("/settings/teams").status_code == 403


def test_teams_are_made_renamed_and_deleted(shop: Shop) -> None:
    client = shop.client()
    assert client.post("/settings/teams", data={"name": "North"}).status_code == 303
    assert client.post("/settings/teams", data={"name": "North"}).status_code == 422
    page = client.get("/settings/teams").get_data(as_text=True)
    found = re.search(r"/settings/teams/([0-9a-f-]{36})/delete", page)
    assert found is not None
    assert client.post(f"/settings/teams/{found.group(1)}", data={"name": "South"}).status_code == 303
    assert client.post(f"/settings/teams/{found.group(1)}/delete").status_code == 303
    assert "South" not in client.get("/settings/teams").get_data(as_text=True).split("toasts")[0]


def test_roles_are_made_changed_and_hold_at_once(shop: Shop) -> None:
    client = shop.client()
    response = client.post("/settings/roles", data={"name": "Trainee", "like": role_id(shop, "viewer")})
    path = response.location
    page = client.get(path).get_data(as_text=True)
    assert "Trainee" in page
    assert 'name="p.customers:write"' in page
    assert (
        client.post(
            path, data={"name": "Trainee", "p.customers:read": "own", "p.audit:read": "all"}
        ).status_code
        == 303
    )
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.name == "Trainee")).scalar_one()
        assert role.permissions == {"customers:read": "own", "audit:read": "all"}
    assert client.post(path, data={"name": "Viewer"}).status_code == 422
    assert client.post(f"{path}/delete").status_code == 303
    builtin = role_id(shop, "viewer")
    assert client.post(f"/settings/roles/{builtin}/delete").status_code == 409


def test_members_of_another_firm_do_not_exist(shop: Shop, other_shop: Shop) -> None:
    client = shop.client()
    for path in (
        f"/settings/members/{other_shop.owner.member_id}",
        f"/settings/roles/{role_id(other_shop, 'viewer')}",
    ):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"name": "x"}).status_code == 404
    assert client.post(f"/settings/members/{other_shop.owner.member_id}/park").status_code == 404


def test_the_lookup_finds_by_letters(shop: Shop) -> None:
    shop.member("member", name="Zoë Müller")
    page = shop.client().get("/settings/members/lookup?q=muller").get_data(as_text=True)
    assert "Müller" in page
    assert "Mira Sol" not in page


def test_mails_are_composed_in_the_readers_language(app: Flask, shop: Shop) -> None:
    with shop.work() as session:
        user = make_user(session, "Olga")
    with app.app_context():
        message = mail.compose(
            user.email,
            "accounts/mail/changed",
            {"what": "password", "name": "Olga\nBcc: x", "reset_url": "/"},
        )
    assert message["To"] == user.email
    assert message["Bcc"] is None
    assert message.get_content_type() == "multipart/alternative"


def test_a_role_says_what_it_may_do_when_somebody_is_invited(shop: Shop) -> None:
    text = shop.client().get("/settings/members/invite").text
    assert "Viewer: reads, changes nothing" in text
    assert "Owner: everything, also closing the firm" in text


def test_a_refusal_names_the_right_in_words(shop: Shop) -> None:
    answer = shop.client(shop.member("viewer")).get("/settings/audit")
    assert answer.status_code == 403
    assert "audit:read" not in answer.text
