"""Households and relations: what is refused, the trash, undo, one frequency cap for a household."""

import datetime as dt

import pytest

from kehu.consent import gate
from kehu.consent.gate import Outgoing, check_send
from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.messages.models import Message
from kehu.relations.models import HouseholdMember, Relation
from kehu.relations.queries import households_of, relations_of
from kehu.relations.services import HouseholdMemberService, RelationService
from kehu.relations.suggesting import SuggestionService

HOME = [{"street": "12 Mill Street 4", "postcode": "LS1 4AB", "city": "Leeds", "country": "GB"}]


def make_customer(session, name, **values):
    given = {"name": name, "kind": "person", "mail_consent": "given", **values}
    given.setdefault("emails", [{"address": f"{name.split()[0].lower()}@x.example"}])
    return service_for("customers", session).create(given)


def join(session, household, customer, **values):
    given = {"household_id": str(household.id), "customer_id": str(customer.id), **values}
    return HouseholdMemberService(session).create(given)


def refused(service, values):
    with pytest.raises(InvalidInput) as error:
        service.create(values)
    return set(error.value.fields)


@pytest.fixture
def two(session):
    return make_customer(session, "Anna Lindqvist"), make_customer(session, "Bo Lindqvist")


class TestHouseholds:
    @pytest.fixture
    def home(self, session):
        return service_for("households", session).create({"name": "Lindqvist"})

    def test_one_home_at_a_time(self, session, home, two):
        first = join(session, home, two[0])
        assert first.name == "Anna Lindqvist"
        given = {"household_id": str(home.id), "customer_id": str(two[0].id)}
        assert refused(HouseholdMemberService(session), given) == {"customer_id"}
        other = service_for("households", session).create({"name": "Ek"})
        assert refused(HouseholdMemberService(session), {**given, "household_id": str(other.id)}) == {
            "customer_id"
        }
        group = service_for("households", session).create({"name": "Choir", "kind": "group"})
        join(session, group, two[0])
        HouseholdMemberService(session).leave(first.id)
        assert first.to_on == clock.today(HouseholdMemberService(session).tenant.tz)
        with pytest.raises(Conflict):
            HouseholdMemberService(session).leave(first.id)
        join(session, other, two[0])
        assert {one.name: one.current for one in households_of(session, two[0].id)} == {
            "Lindqvist": 0,
            "Ek": 1,
            "Choir": 1,
        }

    def test_bad_dates_name_the_field(self, session, home, two):
        given = {"household_id": str(home.id), "customer_id": str(two[0].id)}
        service = HouseholdMemberService(session)
        assert refused(service, {**given, "from_on": "2026-02-01", "to_on": "2026-01-01"}) == {"to_on"}

    def test_joint_value(self, session, home, two):
        for customer in two:
            join(session, home, customer)
        deals = service_for("deals", session)
        for customer, currency in ((two[0], None), (two[1], None), (two[1], "JPY")):
            given = {"name": "Car", "amount": "100", "customer_id": str(customer.id)}
            deal = deals.create(given | ({"currency": currency} if currency else {}))
            deal.status = "won"
        session.flush()
        [found] = households_of(session, two[0].id)
        assert (found.worth.amount, found.worth.others) == (20000, True)

    def test_trash_takes_members_along(self, session, home, two):
        member = join(session, home, two[0])
        service_for("households", session).trash(home.id)
        assert member.deleted_at is not None
        service_for("households", session).restore(home.id)
        assert member.deleted_at is None

    def test_one_cap_for_all(self, session, home, two):
        for customer in two:
            join(session, home, customer)
        other = make_customer(session, "Eve Ek")
        at = dt.datetime(2026, 3, 4, 12, tzinfo=dt.UTC)
        message = Message(
            customer_id=two[0].id,
            person_id=two[0].id,
            template="news",
            channel="mail",
            purpose="marketing",
            address="a@x.example",
            locale="en",
            subject="News",
            body="News",
            state="sent",
            at=at,
            sent_at=at - dt.timedelta(days=2),
            sender="",
        )
        session.add(message)
        session.flush()
        asked = [Outgoing(purpose="marketing", customer_id=one.id) for one in (*two, other)]
        said = [check_send(session, one, at=at) for one in asked]
        assert [one and one.code for one in said] == ["too_often", "household", None]
        assert "household" in gate.WORDS
        HouseholdMemberService(session).leave(
            session.query(HouseholdMember).filter_by(customer_id=two[1].id).one().id
        )
        assert check_send(session, asked[1], at=at) is None


class TestRelations:
    def test_from_both_ends(self, session, two):
        given = {"customer_id": str(two[0].id), "other_id": str(two[1].id), "kind": "parent"}
        made = RelationService(session).create(given)
        assert made.name == "Parent"
        [line] = relations_of(session, two[0].id)
        assert (line.words, line.name) == ("Child", "Bo Lindqvist")
        [line] = relations_of(session, two[1].id)
        assert (line.words, line.name) == ("Parent", "Anna Lindqvist")
        assert refused(RelationService(session), given) == {"other_id"}
        backwards = {**given, "customer_id": given["other_id"], "other_id": given["customer_id"]}
        assert refused(RelationService(session), backwards) == {"other_id"}
        RelationService(session).end(made.id)
        RelationService(session).create(backwards)

    def test_not_to_oneself_nor_by_other_peoples_contacts(self, session, two):
        same = {"customer_id": str(two[0].id), "other_id": str(two[0].id), "kind": "partner"}
        assert refused(RelationService(session), same) == {"other_id"}
        contact = service_for("contacts", session).create({"name": "Eve", "customer_id": str(two[0].id)})
        wrong = {**same, "other_id": str(two[1].id), "other_contact_id": str(contact.id)}
        assert refused(RelationService(session), wrong) == {"other_contact_id"}
        inside = {**same, "other_contact_id": str(contact.id)}
        assert RelationService(session).create(inside).pair

    def test_undo(self, shop):
        with shop.work() as session:
            one, other = make_customer(session, "Anna Lind"), make_customer(session, "Bo Lind")
        with shop.work() as session:
            given = {"customer_id": str(one.id), "other_id": str(other.id), "kind": "spouse"}
            made = RelationService(session).create(given)
            batch = session.info["audit_batch"]
        with shop.work() as session:
            undo.undo_batch(session, batch)
            assert session.get(Relation, (shop.tenant.id, made.id)).deleted_at is not None


class TestSuggestions:
    @pytest.fixture
    def neighbours(self, session):
        found = [make_customer(session, name, addresses=HOME) for name in ("Anna Lind", "Bo Lind", "Eve Ek")]
        session.flush()
        return found

    def test_accept_and_join(self, session, neighbours):
        service = SuggestionService(session)
        [pair] = service.pairs()
        assert {pair.first.name, pair.second.name} == {"Anna Lind", "Bo Lind"}
        made = service.accept(pair.first.id, pair.second.id)
        assert (made.name, made.address) == ("Household Lind", "12 Mill Street 4, LS1 4AB Leeds, GB")
        assert service.pairs() == []
        with pytest.raises(Conflict):
            service.accept(pair.first.id, pair.second.id)
        third = make_customer(session, "Cy Lind", addresses=HOME)
        assert service.accept(third.id, pair.first.id).id == made.id

    def test_no_teaches(self, session, neighbours):
        service = SuggestionService(session)
        for _again in range(2):
            service.reject(neighbours[1].id, neighbours[0].id)
        assert service.pairs() == []

    def test_firms_have_no_households(self, session, neighbours):
        make_customer(session, "Lind Ltd", kind="company", addresses=HOME)
        assert SuggestionService(session).pairs() == []
