"""Activities: what a note, a call and a task become, and where they belong."""

import pytest

from kehu.activities.services import ActivityService, log_activity
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records import undo
from kehu.customers.services import ContactService, CustomerService


def test_a_note_is_done_and_named_by_its_first_line(session, shop):
    made = ActivityService(session).create({"kind": "note", "body": "\n  Likes oak.\nAsk again in May."})
    assert made.done_at is not None
    assert made.subject == "Likes oak."
    assert made.owner_id == shop.owner.member_id


def test_the_kind_names_what_has_no_text(session):
    made = ActivityService(session).create({"kind": "call"})
    assert (made.subject, made.done_at) == ("Call", None)


def test_customer_follows_from_the_contact(session):
    customer = CustomerService(session).create({"name": "Northwind"})
    contact = ContactService(session).create({"name": "Anna", "customer_id": str(customer.id)})
    made = ActivityService(session).create({"kind": "task", "subject": "Call", "contact_id": str(contact.id)})
    assert made.customer_id == customer.id


def test_done_and_reopened(session):
    service = ActivityService(session)
    task = service.create({"kind": "task", "subject": "Send boards"})
    done = service.done(task.id, outcome="Sent", minutes=5)
    assert (done.outcome, done.minutes, done.version) == ("Sent", 5, 2)
    assert service.done(task.id).version == 2
    assert service.reopen(task.id).done_at is None
    note = service.create({"kind": "note", "body": "x"})
    with pytest.raises(Conflict):
        service.reopen(note.id)


def test_composer_logs_or_plans(session):
    service = ActivityService(session)
    assert log_activity(service, "call", "Talked", {}).done_at is not None
    assert log_activity(service, "task", "Write", {}).done_at is None
    assert log_activity(service, "visit", "Go there", {}, due_at="2030-01-02T10:00").done_at is None


def test_foreign_links_are_refused(shop, other_shop):
    with other_shop.work() as session:
        foreign = CustomerService(session).create({"name": "Secret"}).id
    with shop.work() as session, pytest.raises(InvalidInput) as caught:
        ActivityService(session).create({"kind": "call", "customer_id": str(foreign)})
    assert "customer_id" in caught.value.fields


def test_undo_of_done(shop):
    with shop.work() as session:
        task = ActivityService(session).create({"kind": "task", "subject": "Send boards"}).id
    with shop.work() as session:
        ActivityService(session).done(task)
        batch = session.info["audit_batch"]
    with shop.work() as session:
        undo.undo_batch(session, batch)
        assert ActivityService(session).get(task).done_at is None
