"""Composer, done and “and next?”."""

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.core.records.service import service_for

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def customer(shop):
    with shop.work() as session:
        return service_for("customers", session).create({"name": "Northwind"}).id


def form(customer, **values):
    return {"object": "customers", "record_id": str(customer), "kind": "note", "text": "Likes oak", **values}


def written(shop):
    with shop.work() as session:
        return list(session.execute(select(Activity).order_by(Activity.id)).scalars())


def test_a_note_is_saved_and_the_line_comes_back(shop, customer):
    answer = shop.client().post("/activities/log", data=form(customer), headers=HTMX)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "Likes oak" in text
    assert 'id="line"' in text
    assert "next-step" in text
    assert "/undo/" in answer.headers["HX-Trigger"]
    [note] = written(shop)
    assert (note.kind, note.body, note.customer_id) == ("note", "Likes oak", customer)


def test_sent_twice_it_is_kept_once(shop, customer):
    client = shop.client()
    for _time in range(2):
        answer = client.post(
            "/activities/log", data=form(customer, idempotency_key="0123456789abcdef"), headers=HTMX
        )
        assert answer.status_code == 200
    assert len(written(shop)) == 1


def test_an_empty_note_says_so_and_keeps_the_mode(shop, customer):
    answer = shop.client().post("/activities/log", data=form(customer, kind="task", text="  "), headers=HTMX)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Write a few words first" in text
    assert 'value="task" checked' in text
    assert written(shop) == []


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "dance"},
        {"kind": "call", "minutes": "many"},
        {"kind": "task", "due_at": "2026-02-30T10:00"},
        {"kind": "call", "contact_id": "0190b9a2-0000-7000-8000-000000000000"},
        {"kind": "call", "outcome": "x" * 5000},
    ],
)
def test_wrong_values_are_named_and_the_text_survives(shop, customer, values):
    answer = shop.client().post("/activities/log", data=form(customer, **values), headers=HTMX)
    assert answer.status_code == 422
    assert "Likes oak" in answer.get_data(as_text=True)
    assert written(shop) == []


def test_a_call_needs_no_text_and_a_draft_is_forgotten(shop, customer):
    client = shop.client()
    client.put(f"/drafts/customers-{customer}", data={"text": "half a"})
    assert "half a" in client.get(f"/customers/{customer}").get_data(as_text=True)
    assert (
        client.post("/activities/log", data=form(customer, kind="call", text=""), headers=HTMX).status_code
        == 200
    )
    assert "half a" not in client.get(f"/customers/{customer}").get_data(as_text=True)


def test_done_offers_the_next_step_with_the_same_links(shop, customer):
    with shop.work() as session:
        task = (
            service_for("activities", session)
            .create({"kind": "call", "subject": "Ring", "customer_id": str(customer)})
            .id
        )
    client = shop.client()
    answer = client.post(f"/activities/{task}/done", headers=HTMX)
    text = answer.get_data(as_text=True)
    assert "And next?" in text
    assert "/undo/" in answer.headers["HX-Trigger"]
    assert "kehu:refresh" in answer.headers["HX-Trigger"]
    assert client.post(f"/activities/{task}/next", data={"subject": " "}, headers=HTMX).status_code == 422
    values = {"subject": "Ring again", "kind": "call", "due_at": "2030-01-02T09:00"}
    assert client.post(f"/activities/{task}/next", data=values, headers=HTMX).status_code == 204
    first, second = written(shop)
    assert first.done_at is not None
    assert (second.subject, second.customer_id, second.done_at) == ("Ring again", customer, None)
    assert client.post(f"/activities/{task}/reopen", headers=HTMX).status_code == 204
    assert written(shop)[0].done_at is None


def test_who_may_not_write_is_refused(shop, other_shop, customer):
    viewer = shop.client(shop.member("viewer"))
    assert viewer.post("/activities/log", data=form(customer), headers=HTMX).status_code == 403
    assert other_shop.client().post("/activities/log", data=form(customer), headers=HTMX).status_code == 404
    with shop.work() as session:
        task = service_for("activities", session).create({"kind": "task", "subject": "Ring"}).id
    for action in ("done", "reopen", "next"):
        assert viewer.post(f"/activities/{task}/{action}", headers=HTMX).status_code == 403
        assert other_shop.client().post(f"/activities/{task}/{action}", headers=HTMX).status_code == 404
    assert other_shop.client().get(f"/activities/{task}").status_code == 404


def test_lists_have_a_button_for_done(shop, customer):
    with shop.work() as session:
        task = service_for("activities", session).create({"kind": "task", "subject": "Ring"}).id
    client = shop.client()
    assert f"/activities/{task}/done" in client.get("/activities?owner_id=me&done_at.empty=1").get_data(
        as_text=True
    )
    assert "Ring" in client.get(f"/activities/{task}").get_data(as_text=True)


def test_a_deals_next_steps_are_its_own(shop, customer):
    link = {"customer_id": str(customer)}
    with shop.work() as session:
        deal = service_for("deals", session).create({"name": "Plan", **link}).id
        service_for("activities", session).create({"kind": "task", "subject": "For the firm", **link})
    client = shop.client()
    data = form(customer, object="deals", record_id=str(deal), kind="task", text="For the deal")
    text = client.post("/activities/log", data=data, headers=HTMX).get_data(as_text=True)
    assert "For the deal" in text
    assert "For the firm" not in text
    assert written(shop)[-1].customer_id == customer
