"""The card on a person's page, the dialog, and the page behind the link in messages."""

import re

import pytest

from kehu.consent import links
from kehu.consent.services import ConsentService
from kehu.core.records.service import service_for
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import count_queries

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def anna(shop):
    """A contact that agreed to advertising by mail."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"})
        values = {"name": "Anna Lindqvist", "emails": "anna@example.com", "mail_consent": "given"}
        return service_for("contacts", session).create({**values, "customer_id": str(customer.id)}).id


def link(shop, record_id, purpose="marketing", name="contacts"):
    with shop.work() as session:
        record = service_for(name, session).get(record_id)
        target = type("Target", (), {"customer_id": None, "contact_id": record.id})
        if name == "customers":
            target.customer_id, target.contact_id = record.id, None
        return "/o/" + links.token(target, "mail", purpose)


def history(session, record_id):
    service = ConsentService(session)
    return service.history(service.person("contacts", record_id))


def state(shop, record_id, purpose="marketing"):
    with shop.work() as session:
        record = service_for("contacts", session).get(record_id)
        found = history(session, record_id)[0]
        return record.mail_consent, found.state, found.how, record.do_not_contact


def guest(shop):
    """A browser of somebody who has no account."""
    return browser(shop.app, f"{shop.tenant.address}.localhost")


def test_the_card_says_what_holds_and_what_may_go_out(shop, anna):
    client = shop.client()
    assert f"/consent/contacts/{anna}" in client.get(f"/contacts/{anna}").get_data(as_text=True)
    client.get(f"/consent/contacts/{anna}", headers=HTMX)
    with count_queries() as statements:
        text = client.get(f"/consent/contacts/{anna}", headers=HTMX).get_data(as_text=True)
    assert len(statements) <= 10, "\n".join(statements.texts)
    for part in ("Advertising", "Given", "Set on the record", "Mira Sol", "1 entry in the history"):
        assert part in text
    assert shop.client().get(f"/consent/deals/{anna}").status_code == 404


def test_a_consent_is_recorded_in_the_dialog_and_taken_back(shop, anna):
    client, url = shop.client(), f"/consent/contacts/{anna}/record"
    assert "Consent of Anna Lindqvist" in client.get(url, headers=HTMX).get_data(as_text=True)
    form = {
        "channel": "sms",
        "purpose": "survey",
        "state": "given",
        "how": "phone",
        "said_at": "2026-11-01T10:00",
        "proof": "Call 7",
    }
    answer = client.post(url, data=form, headers=HTMX)
    assert answer.status_code == 204
    with shop.work() as session:
        (newest, *_rest) = history(session, anna)
        assert (newest.channel, newest.how, newest.proof, newest.said_at.day) == ("sms", "phone", "Call 7", 1)
    undo = re.search(r"/undo/[0-9a-f-]+", answer.headers["HX-Trigger"]).group()
    assert client.post(undo, headers=HTMX).status_code == 204
    with shop.work() as session:
        assert [one.state for one in history(session, anna)][:2] == [
            "cleared",
            "given",
        ]


@pytest.mark.parametrize(
    "wrong", [{"said_at": "yesterday"}, {"how": "undo"}, {"purpose": "x"}, {"said_at": "2999-01-01"}]
)
def test_the_dialog_keeps_what_was_typed(shop, anna, wrong):
    form = {
        "channel": "mail",
        "purpose": "marketing",
        "state": "given",
        "how": "form",
        "said_at": "",
        "proof": "Form 8",
    }
    answer = shop.client().post(f"/consent/contacts/{anna}/record", data={**form, **wrong}, headers=HTMX)
    assert answer.status_code == 422
    assert "Form 8" in answer.get_data(as_text=True)


def test_viewers_see_the_card_and_record_nothing(shop, anna):
    client = shop.client(shop.member("viewer"))
    text = client.get(f"/consent/contacts/{anna}", headers=HTMX).get_data(as_text=True)
    assert "Given" in text
    assert "/record" not in text
    assert client.post(f"/consent/contacts/{anna}/record", data={"state": "given"}).status_code == 403


def test_a_person_stops_and_takes_it_back_without_signing_in(shop, anna):
    client, url = guest(shop), link(shop, anna)
    page = client.get(url).get_data(as_text=True)
    assert "Messages from Harbour &amp; Co" in page
    assert "Send me no more of this" in page
    assert "Anna" not in page
    assert state(shop, anna)[0] == "given"
    page = client.post(url, data={"answer": "withdrawn"}).get_data(as_text=True)
    assert "You get no more of this." in page
    assert state(shop, anna)[:3] == ("withdrawn", "withdrawn", "link")
    client.post(url, data={"answer": "given"})
    assert state(shop, anna)[:3] == ("given", "given", "link")
    client.post(url, data={"answer": "everything"})
    assert state(shop, anna) == ("withdrawn", "withdrawn", "link", "unasked")
    assert client.post(url, data={"answer": "x"}).status_code == 400


def test_one_click_of_a_mail_program(shop, anna):
    answer = guest(shop).post(link(shop, anna), data={"List-Unsubscribe": "One-Click"}, forged=True)
    assert answer.status_code == 200
    assert state(shop, anna)[:3] == ("withdrawn", "withdrawn", "one_click")
    with shop.work() as session:
        assert history(session, anna)[0].actor_name == "Anna Lindqvist"


def test_a_link_works_for_who_lies_in_the_trash(shop, anna):
    url = link(shop, anna)
    with shop.work() as session:
        service_for("contacts", session).trash(anna)
    assert guest(shop).post(url, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    with shop.work() as session:
        service_for("contacts", session).restore(anna)
    assert state(shop, anna)[1] == "withdrawn"


def test_links_can_not_be_made_up(shop, other_shop, anna):
    url, client = link(shop, anna), guest(shop)
    for bad in (
        url[:-1],
        url + "0",
        url.replace("marketing", "service"),
        "/o/x",
        "/o/a.b.c.d.e",
        "/o/%00",
        "/o/ä.c.d.e.f",
    ):
        assert client.get(bad).status_code == 404, bad
        assert client.post(bad, data={"answer": "withdrawn"}).status_code == 404, bad
    # The link names its firm: opened on another firm's address it still means its own.
    assert guest(other_shop).post(url, data={"answer": "withdrawn"}).status_code == 200
    assert state(shop, anna)[0] == "withdrawn"


def test_the_page_speaks_the_persons_language(shop, anna):
    with shop.work() as session:
        service_for("contacts", session).update(anna, {"language": "ru"})
    page = guest(shop).get(link(shop, anna)).get_data(as_text=True)
    assert '<html lang="ru"' in page
    assert "Send me no more" not in page


def test_programs_read_and_record_consents(shop, anna):
    client = shop.client()
    headers = {"Authorization": f"Bearer {shop.token()}"}
    url = f"/api/v1/contacts/{anna}/consents"
    body = {"channel": "mail", "purpose": "survey", "state": "withdrawn", "said_at": "2026-11-20T09:00:00Z"}
    made = client.post(url, json=body, headers=headers)
    assert (made.status_code, made.json["how"], made.json["said_at"]) == (201, "api", "2026-11-20T09:00:00Z")
    found = client.get(url, headers=headers).json["data"]
    assert [(one["purpose"], one["state"]) for one in found] == [
        ("survey", "withdrawn"),
        ("marketing", "given"),
    ]
    assert client.post(url, json={**body, "purpose": "x"}, headers=headers).status_code == 422
    assert client.get("/api/v1/customers/x/consents", headers=headers).status_code == 404
    reader = {"Authorization": f"Bearer {shop.token(['*:read'])}"}
    assert client.post(url, json=body, headers=reader).status_code == 403
    assert client.get(f"/api/v1/contacts/{anna}", headers=headers).json["mail_consent"] == "given"
