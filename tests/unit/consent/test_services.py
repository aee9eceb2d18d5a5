"""Consents: recorded with all that proves them, never overwritten, undone by a further entry."""

import datetime as dt

import pytest
from sqlalchemy import text

from kehu.consent.recording import Person
from kehu.consent.services import ConsentService
from kehu.core import clock
from kehu.core.errors import Forbidden, InvalidInput, NotFound
from kehu.core.records import undo
from kehu.customers.services import ContactService, CustomerService
from kehu.timeline.services import TimelineService


def person(session, **values):
    given = {"name": "Anna Lindqvist", "emails": "anna@example.com", **values}
    return ContactService(session).create(given)


def history(session, record_id, name="contacts"):
    service = ConsentService(session)
    return service.history(service.person(name, record_id))


def states(session, record_id):
    service = ConsentService(session)
    return service.states(service.person("contacts", record_id))


def told(session, contact):
    return [(one.channel, one.purpose, one.state, one.how) for one in history(session, contact)]


def test_a_consent_keeps_when_how_by_whom_and_the_proof(session):
    anna, said = person(session), clock.now() - dt.timedelta(days=3)
    ConsentService(session).record(
        "contacts",
        anna.id,
        "sms",
        "marketing",
        "given",
        how="form",
        said_at=said,
        source_text="Yes, send me\noffers",
        proof="Form 17",
    )
    (one,) = history(session, anna.id)
    assert (one.said_at, one.how, one.source_text, one.proof) == (
        said,
        "form",
        "Yes, send me\noffers",
        "Form 17",
    )
    assert (one.actor_name, one.address) == ("Mira Sol", "anna@example.com")
    assert ConsentService(session).state(Person(object="contacts", id=anna.id), "sms", "marketing") == "given"
    heads = TimelineService(session).page(TimelineService(session).subject("contacts", anna.id)).entries
    assert "noted the consent of this contact: Advertising, SMS: Given (Paper form)" in str(heads[0].head)


def test_mail_consent_on_the_record_and_the_history_are_one(session):
    anna = person(session, mail_consent="given")
    assert told(session, anna.id) == [("mail", "marketing", "given", "member")]
    ConsentService(session).record("contacts", anna.id, "mail", "marketing", "withdrawn", how="phone")
    assert anna.mail_consent == "withdrawn"
    ContactService(session).update(anna.id, {"mail_consent": None})
    ConsentService(session).record("contacts", anna.id, "mail", "marketing", "given", how="form")
    ConsentService(session).record(
        "contacts", anna.id, "mail", "marketing", "given", how="web", proof="again"
    )
    assert [row[2:] for row in told(session, anna.id)] == [
        ("given", "web"),
        ("given", "form"),
        ("cleared", "member"),
        ("withdrawn", "phone"),
        ("given", "member"),
    ]


def test_undo_adds_to_the_history(shop):
    with shop.work() as session:
        anna = person(session, mail_consent="given").id
        ConsentService(session).record("contacts", anna, "sms", "survey", "given")
    with shop.work() as session:
        ContactService(session).update_many({anna: {"mail_consent": "withdrawn"}})
        ConsentService(session).record("contacts", anna, "sms", "survey", "withdrawn")
        batch = session.info["audit_batch"]
    with shop.work() as session:
        assert undo.undo_batch(session, batch).undone == 2
    with shop.work() as session:
        assert ContactService(session).get(anna).mail_consent == "given"
        assert {(row[0], row[2], row[3]) for row in told(session, anna)[:2]} == {
            ("mail", "given", "undo"),
            ("sms", "given", "undo"),
        }
        assert len(told(session, anna)) == 6
        found = {(one.channel, one.state) for one in states(session, anna)}
        assert found == {("mail", "given"), ("sms", "given")}


def test_nobody_can_rewrite_the_history(shop):
    with shop.work() as session:
        person(session, mail_consent="given")
    for statement in (
        "UPDATE consents SET state = 'withdrawn' WHERE tenant_id = :t",
        "DELETE FROM consents WHERE tenant_id = :t",
    ):
        with pytest.raises(Exception, match="permission denied"), shop.work() as session:
            session.execute(text(statement), {"t": shop.tenant.id})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"purpose": "transactional"}, "purpose"),
        ({"state": "maybe"}, "state"),
        ({"how": "guess"}, "how"),
        ({"said_at": dt.datetime(2100, 1, 1, tzinfo=dt.UTC)}, "said_at"),
    ],
)
def test_what_makes_no_sense_is_named(session, change, field):
    anna = person(session)
    with pytest.raises(InvalidInput) as caught:
        ConsentService(session).record(
            "contacts", anna.id, **{"channel": "mail", "purpose": "marketing", "state": "given", **change}
        )
    assert set(caught.value.fields) == {field}


def test_who_may_not_write_the_record_records_nothing(shop, other_shop):
    with shop.work() as session:
        anna = person(session).id
    with shop.work(shop.member("viewer")) as session:
        assert history(session, anna) == []
        with pytest.raises(Forbidden):
            ConsentService(session).record("contacts", anna, "mail", "marketing", "given")
    with other_shop.work() as session, pytest.raises(NotFound):
        history(session, anna)


def test_many_at_once_keep_their_history(shop):
    with shop.work() as session:
        rows = [{"name": f"Customer {number}", "mail_consent": "given"} for number in range(40)]
        made = [one.record.id for one in CustomerService(session).create_many(rows)]
    with shop.work() as session:
        found = history(session, made[39], "customers")
        assert [(one.state, one.customer_id) for one in found] == [("given", made[39])]
