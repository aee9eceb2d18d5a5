"""Time lines: marks, sentences and rights."""

import datetime as dt

import pytest

from kehu.core.context import Actor
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.timeline.entries import say
from kehu.timeline.kinds import line_kind
from kehu.timeline.services import TimelineService, read_mark, write_mark


def heads(session, record_id, object_name="customers", kind="", **more):
    service = TimelineService(session, **more)
    return [str(entry.head) for entry in service.page(service.subject(object_name, record_id), kind).entries]


def test_marks_come_back_as_they_were():
    at, row_id = dt.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC), new_id()
    assert read_mark(write_mark(at, row_id)) == (at, row_id)
    for mark in ("", "x", "\udcff", "MjAyNi0wMS0wMXw"):
        with pytest.raises(InvalidInput):
            read_mark(mark)


def test_sentences_escape_what_people_wrote():
    assert say("%(who)s did %(what)s", who="<i>", what="<b>") == "<b>&lt;i&gt;</b> did &lt;b&gt;"
    assert say("%(who)s ran", who="") == "<b>Kehu</b> ran"


def test_unknown_tabs_show_everything():
    assert line_kind("nonsense").key == ""
    assert line_kind(None).key == ""


def test_a_deal_won_and_lost_and_a_ticket_solved(shop):
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
        link = {"customer_id": str(customer)}
        ticket = service_for("tickets", session).create({"subject": "Scratch", **link}).id
        contact = service_for("contacts", session).create({"name": "Anna", **link}).id
    with shop.work() as session:
        service_for("tickets", session).update(ticket, {"status": "resolved"})
        service_for("contacts", session).update(contact, {"job_title": "Buyer", "department": "Purchase"})
        service_for("customers", session).update(customer, {"owner_id": None, "description": "Long\ntext"})
    with shop.work() as session:
        found = heads(session, customer)
        assert any("from New to Resolved" in head for head in found)
        assert any("Job title" in head and "Department" in head for head in found)
        assert all("<b>Mira Sol</b>" in head for head in found)
        assert len(heads(session, customer, kind="tickets")) == 2
        assert heads(session, contact, "contacts")[-1].endswith("added this contact")


def test_activities_say_who_what_how_long(shop):
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
        activities = service_for("activities", session)
        link = {"customer_id": str(customer), "done_at": "2026-01-01T10:00Z"}
        activities.create({"kind": "call", "body": "Talked", "minutes": 12, "outcome": "Reached", **link})
        activities.create({"kind": "visit", "subject": "At the fair", **link})
        activities.create({"kind": "task", "subject": "Planned", "customer_id": str(customer)})
    with shop.work() as session:
        found = " | ".join(heads(session, customer))
    assert "12 minutes · Reached" in found
    assert "At the fair" in found
    assert "Planned" not in found


def test_narrow_rights_show_a_narrow_line(shop):
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
        service_for("deals", session).create({"name": "Plan", "customer_id": str(customer)})
        service_for("activities", session).create({"kind": "note", "body": "x", "customer_id": str(customer)})
    other = Actor(
        member_id=new_id(),
        name="Other",
        permissions={"customers:read": "all", "deals:read": "own", "activities:read": "team"},
    )
    with shop.work(other) as session:
        assert len(heads(session, customer)) == 1
    with shop.work(Actor(name="Nobody")) as session, pytest.raises(Exception, match="role"):
        heads(session, customer)


def test_no_line_of_what_has_none(session):
    with pytest.raises(NotFound):
        TimelineService(session).subject("products", new_id())
