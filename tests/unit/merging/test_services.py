"""Merging and the way back: links, values, consents, relations, chains, two at once, rights."""

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.consent.models import ConsentState
from kehu.consent.recording import Person, Word, write
from kehu.core import context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, InvalidInput, Moved, NotFound, StaleVersion
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.customers.models import Contact, Customer
from kehu.deals.models import Deal
from kehu.merging import services
from kehu.merging.finding import DoublesService
from kehu.merging.models import Merge
from kehu.merging.services import MergeService
from kehu.relations.models import HouseholdMember, Relation
from kehu.relations.services import HouseholdMemberService, RelationService
from kehu.tickets.models import Ticket


def make(session, name, object_name="customers", **values):
    if object_name == "customers":
        values = {"kind": "person", **values}
    return service_for(object_name, session).create({"name": name, **values})


def mail(address):
    return [{"address": address, "label": "work"}]


@pytest.fixture
def pair(session):
    keep = make(session, "Anna Lindqvist", emails=mail("anna@x.example"), tags=["vip"], industry="Art")
    drop = make(
        session,
        "Anna Lindquist",
        emails=mail("a.l@y.example"),
        phones=[{"number": "+442079464410"}],
        tags=["new"],
    )
    return keep.id, drop.id


@pytest.fixture
def belongings(session, pair):
    """Something of every kind that points at the second of the two."""
    at = {"customer_id": str(pair[1])}
    person = make(session, "Bo Ek", "contacts", **at)
    deal = service_for("deals", session).create({"name": "A fleet", **at, "contact_id": str(person.id)})
    ticket = service_for("tickets", session).create({"subject": "It hums", **at})
    task = service_for("activities", session).create({"subject": "Call", "kind": "call", **at})
    item = service_for("owned_items", session).create({"name": "Pump", **at})
    child = make(session, "Anna's shop", kind="company", parent_id=str(pair[1]))
    return {
        Contact: person.id,
        Deal: deal.id,
        Ticket: ticket.id,
        Activity: task.id,
        type(item): item.id,
    }, child.id


def owners(session, rows):
    return {
        session.execute(select(model.customer_id).where(model.id == one)).scalar_one()
        for model, one in rows.items()
    }


def row_of(session, model, one):
    return session.execute(select(model).where(model.id == one)).scalar_one()


def test_links_move_and_come_back(session, pair, belongings):
    keep_id, drop_id = pair
    rows, child = belongings
    service = MergeService(session, "customers")
    counted = service.points_at(drop_id)
    assert counted["public", "deals"] == counted["public", "customers"] == 1
    merge = service.merge(keep_id, drop_id)
    assert owners(session, rows) == {keep_id}
    assert row_of(session, Customer, child).parent_id == keep_id
    assert not service.points_at(drop_id)
    made_since = make(session, "Cy Ek", "contacts", customer_id=str(keep_id))
    service.undo(merge.id)
    assert owners(session, rows) == {drop_id}
    assert row_of(session, Customer, child).parent_id == drop_id
    assert row_of(session, Contact, made_since.id).customer_id == keep_id
    with pytest.raises(Conflict):
        service.undo(merge.id)


def test_values_as_chosen(session, pair):
    keep_id, drop_id = pair
    before = {
        key: getattr(row_of(session, Customer, keep_id), key) for key in ("name", "emails", "phones", "tags")
    }
    numbers = [row_of(session, Customer, one).number for one in pair]
    service = MergeService(session, "customers")
    merge = service.merge(keep_id, drop_id, {"name": "drop", "emails": "keep"})
    keep = row_of(session, Customer, keep_id)
    assert keep.name == "Anna Lindquist"
    assert [one["address"] for one in keep.emails] == ["anna@x.example"]
    assert [one["number"] for one in keep.phones] == ["+442079464410"]
    assert keep.phone_norm == "+442079464410"
    assert keep.tags == ["vip", "new"]
    assert keep.industry == "Art"
    assert keep.former_numbers == numbers[1:]
    found = DoublesService(session, "customers").search(str(numbers[1]), drop_id)
    assert [row.id for row in found] == [keep_id]
    service_for("customers", session).update(keep_id, {"name": "Anna L."})
    assert service.undo(merge.id).stayed == ["Name"]
    keep = row_of(session, Customer, keep_id)
    assert keep.name == "Anna L."
    assert {key: getattr(keep, key) for key in ("emails", "phones", "tags")} == {
        key: before[key] for key in ("emails", "phones", "tags")
    }
    assert keep.former_numbers == []


def test_undo_of_the_batch(session, pair, belongings):
    session.info.pop("audit_batch", None)
    MergeService(session, "customers").merge(*pair)
    session.flush()
    entry = session.execute(
        select(AuditEntry).where(AuditEntry.record_id == pair[0], AuditEntry.action == "merged")
    ).scalar_one()
    session.info.pop("audit_batch", None)
    report = undo.undo_batch(session, entry.batch_id)
    assert not report.kept
    assert owners(session, belongings[0]) == {pair[1]}
    assert row_of(session, Customer, pair[1]).deleted_at is None


def test_the_old_address_leads_on(session, pair):
    third = make(session, "Anna L")
    customers = service_for("customers", session)
    service = MergeService(session, "customers")
    first = service.merge(*pair)
    with pytest.raises(Moved) as error:
        customers.get(pair[1])
    assert error.value.details == {"old_id": pair[1], "new_id": pair[0]}
    with pytest.raises(Conflict):
        customers.restore(pair[1])
    second = service.merge(third.id, pair[0])
    assert services.successor(session, "customers", pair[1]) == third.id
    with pytest.raises(Conflict):
        service.undo(first.id)
    service.undo(second.id)
    assert services.successor(session, "customers", pair[1]) == pair[0]
    service.undo(first.id)
    assert customers.get(pair[1]).name == "Anna Lindquist"


def test_the_later_word_holds(session, pair):
    keep, drop = (Person(object="customers", id=one) for one in pair)
    write(session, [(keep, "sms", "marketing", Word(state="given"))])
    service_for("customers", session).update(pair[0], {"mail_consent": "given"})
    session.flush()
    write(session, [(drop, "sms", "marketing", Word(state="withdrawn", proof="call 7"))])
    service_for("customers", session).update(pair[1], {"mail_consent": "withdrawn"})
    service = MergeService(session, "customers")
    merge = service.merge(*pair)

    def said():
        rows = session.execute(select(ConsentState).where(ConsentState.person_id == pair[0])).scalars()
        return {(row.channel, row.purpose): row.state for row in rows}

    assert said() == {("sms", "marketing"): "withdrawn", ("mail", "marketing"): "withdrawn"}
    assert row_of(session, Customer, pair[0]).mail_consent == "withdrawn"
    service.undo(merge.id)
    assert said() == {("sms", "marketing"): "given", ("mail", "marketing"): "given"}
    assert row_of(session, Customer, pair[0]).mail_consent == "given"


def test_relations_and_homes(session, pair):
    other = make(session, "Cy Berg")
    relations, homes = RelationService(session), HouseholdMemberService(session)

    def relate(one, two, kind):
        return relations.create({"customer_id": str(one), "other_id": str(two), "kind": kind}).id

    kept = relate(pair[0], other.id, "sibling")
    twice, self_, moved = (
        relate(other.id, pair[1], "sibling"),
        relate(*pair, "spouse"),
        relate(pair[1], other.id, "parent"),
    )
    first = service_for("households", session).create({"name": "Lindqvist"})
    second = service_for("households", session).create({"name": "Ek"})
    here = homes.create({"household_id": str(first.id), "customer_id": str(pair[0])}).id
    there = homes.create({"household_id": str(second.id), "customer_id": str(pair[1])}).id
    service = MergeService(session, "customers")
    merge = service.merge(*pair)
    assert row_of(session, Relation, moved).customer_id == pair[0]
    assert row_of(session, Relation, kept).deleted_at is None
    assert all(row_of(session, Relation, one).deleted_at for one in (twice, self_))
    assert row_of(session, HouseholdMember, here).deleted_at is None
    assert row_of(session, HouseholdMember, there).deleted_at is not None
    service.undo(merge.id)
    assert all(row_of(session, Relation, one).deleted_at is None for one in (kept, twice, self_, moved))
    assert row_of(session, Relation, moved).customer_id == pair[1]
    assert row_of(session, HouseholdMember, there).customer_id == pair[1]
    assert row_of(session, HouseholdMember, there).deleted_at is None


def test_a_child_takes_the_place_of_its_parent(session):
    top, middle = make(session, "Group", kind="company"), None
    middle = make(session, "Holding", kind="company", parent_id=str(top.id))
    low = make(session, "Works", kind="company", parent_id=str(middle.id))
    MergeService(session, "customers").merge(low.id, middle.id)
    assert row_of(session, Customer, low.id).parent_id == top.id


def test_contacts(session, pair):
    one, two = (make(session, "Bo Ek", "contacts", customer_id=str(at)) for at in pair)
    deal = service_for("deals", session).create({"name": "A fleet", "contact_id": str(two.id)}).id
    found = DoublesService(session, "contacts").of(two)
    assert found == []  # At different customers, and nothing else is known of them.
    service = MergeService(session, "contacts")
    merge = service.merge(one.id, two.id)
    assert row_of(session, Deal, deal).contact_id == one.id
    service.undo(merge.id)
    assert row_of(session, Deal, deal).contact_id == two.id


def test_refusals(session, pair, belongings):
    service = MergeService(session, "customers")
    with pytest.raises(InvalidInput):
        service.merge(pair[0], pair[0])
    with pytest.raises(StaleVersion):
        service.merge(*pair, versions=(1, 99))
    with pytest.raises(NotFound):
        MergeService(session, "deals")
    reader = context.Actor(member_id=context.actor().member_id, permissions={"customers:read": "all"})
    with context.use(actor=reader), pytest.raises(Forbidden):
        MergeService(session, "customers").merge(*pair)
    service.merge(*pair)
    with pytest.raises(NotFound):
        service.merge(pair[1], pair[0])


def test_latecomers_are_swept(session, pair, belongings):
    merge = MergeService(session, "customers").merge(*pair)
    late = row_of(session, Deal, belongings[0][Deal])
    late.customer_id = pair[1]  # As a writer does who had the form open while the two were merged.
    session.flush()
    assert services.sweep(session, merge.id) == 1
    session.expire_all()
    assert row_of(session, Deal, late.id).customer_id == pair[0]
    MergeService(session, "customers").undo(merge.id)
    assert services.sweep(session, merge.id) == 0
    assert row_of(session, Merge, merge.id).state == "undone"


def test_doubles_are_found_and_dismissed(session):
    first = make(session, "Anna Lindqvist", phones=[{"number": "+442079464410"}])
    second = make(session, "Lindqvist, Anna", phones=[{"number": "+442079464410"}])
    make(session, "Bo Lindqvist", phones=[{"number": "+442079464410"}])
    finder = DoublesService(session, "customers")
    for found in (finder.likely(), finder.of(first)):
        assert [{hit.first.id, hit.second.id} for hit in found] == [{first.id, second.id}]
    finder.reject(first.id, second.id)
    finder.reject(second.id, first.id)
    assert finder.likely() == finder.of(first) == []
