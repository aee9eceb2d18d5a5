"""Suggestions: when the platform makes one, what a click does, what is decided stays decided."""

import datetime as dt

import pytest
from sqlalchemy import select, update

from kehu.activities.models import Activity
from kehu.core import clock
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, NotFound
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.suggestions import services
from kehu.suggestions.models import SuggestionDecision
from kehu.suggestions.services import SuggestionService
from plugins.results import NextStep, Suggestion


def days_ago(days):
    return clock.now() - dt.timedelta(days=days)


def keys(session, object_name, record_id):
    return [one.key for one in SuggestionService(session, object_name, record_id).suggestions()]


@pytest.fixture
def customer(session):
    made = service_for("customers", session).create({"name": "Northwind", "value_class": "A"})
    session.execute(update(Customer).where(Customer.id == made.id).values(created_at=days_ago(40)))
    session.refresh(made)
    return made


def call(session, customer, days):
    values = {"subject": "Call", "kind": "call", "customer_id": str(customer.id)}
    when = {"done_at": days_ago(days).isoformat()} if days is not None else {}
    service_for("activities", session).create({**values, **when})


@pytest.mark.parametrize(
    ("mark", "last", "found"),
    [("A", 31, True), ("A", 29, False), ("B", 31, False), ("B", 91, True), ("", 119, False), ("", 121, True)],
)
def test_a_rhythm_by_class(session, customer, mark, last, found):
    service_for("customers", session).update(customer.id, {"value_class": mark})
    call(session, customer, last)
    assert keys(session, "customers", customer.id) == (["kehu.quiet"] if found else [])


def test_nobody_is_called_who_has_a_step_or_wants_none(session, customer):
    assert keys(session, "customers", customer.id) == ["kehu.quiet"]
    service_for("customers", session).update(customer.id, {"do_not_contact": "all"})
    assert keys(session, "customers", customer.id) == []
    service_for("customers", session).update(customer.id, {"do_not_contact": ""})
    call(session, customer, None)
    assert keys(session, "customers", customer.id) == []


def test_a_term_that_ends(session, customer):
    call(session, customer, 1)
    item = service_for("owned_items", session).create({"name": "Pump", "customer_id": str(customer.id)})
    ends = (clock.now().date() + dt.timedelta(days=30)).isoformat()
    values = {"name": "Service", "item_id": str(item.id), "starts_on": "2020-01-01", "ends_on": ends}
    term = service_for("owned_item_terms", session).create(values)
    assert keys(session, "customers", customer.id) == [f"kehu.term:{term.id}"]
    service_for("deals", session).create({"name": "Renewal", "customer_id": str(customer.id)})
    assert keys(session, "customers", customer.id) == []


def test_a_double_is_seen_as_soon_as_it_was_entered(session):
    values = {"name": "Anna Lind", "kind": "person", "phones": [{"number": "+442079464410"}]}
    first, second = (service_for("customers", session).create(values).id for _turn in range(2))
    found = SuggestionService(session, "customers", second).suggestions()
    assert [(one.key, one.url) for one in found] == [
        (f"kehu.double:{first}", f"/customers/{second}/merge/{first}")
    ]


def test_deals(session, customer):
    yesterday = (clock.now().date() - dt.timedelta(days=2)).isoformat()
    values = {"name": "A fleet", "customer_id": str(customer.id), "expected_close": yesterday}
    deal = service_for("deals", session).create(values)
    overdue = f"kehu.overdue:{yesterday}"
    assert keys(session, "deals", deal.id) == [overdue, "kehu.no_step"]
    service = SuggestionService(session, "deals", deal.id)
    assert service.accept("kehu.no_step").step.kind == "call"
    step = session.execute(select(Activity)).scalar_one()
    assert (step.deal_id, step.customer_id, step.subject) == (deal.id, customer.id, "Follow up on A fleet")
    assert keys(session, "deals", deal.id) == [overdue]
    assert service.accept(overdue).url == f"/deals/{deal.id}/edit"
    assert keys(session, "deals", deal.id) == []


def test_what_is_decided_stays_decided_and_can_be_taken_back(session, customer):
    session.info.pop("audit_batch", None)
    service = SuggestionService(session, "customers", customer.id)
    service.dismiss("kehu.quiet")
    with pytest.raises(Conflict):
        service.dismiss("kehu.quiet")
    assert keys(session, "customers", customer.id) == []
    row = services.worth(session)[0]
    assert (row.kind, row.accepted, row.dismissed) == ("kehu.quiet", 0, 1)
    session.flush()
    entry = session.execute(
        select(AuditEntry).where(AuditEntry.action == "suggestion_dismissed")
    ).scalar_one()
    undo.undo_batch(session, entry.batch_id)
    assert keys(session, "customers", customer.id) == ["kehu.quiet"]
    service.accept("kehu.quiet")
    session.execute(update(SuggestionDecision).values(until=days_ago(1)))
    session.execute(update(Activity).values(deleted_at=clock.now()))
    assert keys(session, "customers", customer.id) == ["kehu.quiet"]
    service.dismiss("kehu.quiet")  # The old decision makes room for the new one.
    assert session.execute(select(SuggestionDecision.decision)).scalars().all() == ["dismissed"]


def test_no_other_kinds(session, customer):
    with pytest.raises(NotFound):
        SuggestionService(session, "tickets", customer.id)


STEP = NextStep(kind="call", subject="Call")


@pytest.mark.parametrize(
    "values",
    [
        {"key": "dentist", "step": STEP},
        {"key": "dentist.recall"},
        {"key": "dentist.recall", "step": STEP, "url": "/x/dentist"},
        {"key": "dentist.recall", "url": "https://elsewhere.example"},
        {"key": "dentist.recall", "url": "//elsewhere.example"},
        {"key": "dentist.recall", "step": STEP, "score": 101},
    ],
)
def test_a_bad_suggestion_says_what_is_wrong(values):
    with pytest.raises(ValueError, match="dentist"):
        Suggestion(title="T", reason="R", **values)


def test_a_bad_step_says_what_is_wrong():
    for values in ({"kind": "note"}, {"kind": "call", "days": 400}):
        with pytest.raises(ValueError, match=r"kind|days"):
            NextStep(subject="S", **values)
