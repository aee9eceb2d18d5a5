"""Owned items and their terms: ends, what is handed down, who may, the trash."""

import datetime as dt

import pytest

from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.records import undo
from kehu.customers.services import CustomerService
from kehu.items.services import ItemService, TermService
from kehu.items.tasks import end_terms

DAY = dt.date.fromisoformat


@pytest.fixture
def item(shop):
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Northwind"})
        given = {"name": "Heat pump", "serial": "HP 12-004711", "customer_id": str(customer.id)}
        return ItemService(session).create(given)


def make_term(session, item, **values):
    given = {"item_id": str(item.id), "starts_on": "2024-02-29", **values}
    return TermService(session).create(given)


def refused(service, values):
    with pytest.raises(InvalidInput) as error:
        service.create(values)
    return set(error.value.fields)


class TestEnds:
    def test_reckoned_from_start_and_months(self, shop, item):
        with shop.work() as session:
            term = make_term(session, item, months="36")
            assert (term.ends_on, term.effective_end) == (DAY("2027-02-28"),) * 2
            assert term.name == "Warranty"
            TermService(session).update(term.id, {"starts_on": "2024-03-15"})
            assert term.effective_end == DAY("2027-03-15")

    def test_given_alone(self, shop, item):
        with shop.work() as session:
            term = make_term(session, item, kind="insurance", provider="Nordheat", ends_on="2025-01-01")
            assert (term.months, term.effective_end, term.name) == (
                None,
                DAY("2025-01-01"),
                "Insurance – Nordheat",
            )
            longer = make_term(session, item, months="12")
            TermService(session).update(longer.id, {"ends_on": "2026-01-01"})
            assert (longer.months, longer.effective_end) == (None, DAY("2026-01-01"))
            assert make_term(session, item).effective_end is None

    def test_bad_input_names_the_field(self, shop, item):
        with shop.work() as session:
            service, base = TermService(session), {"item_id": str(item.id), "starts_on": "2024-02-29"}
            assert refused(service, {**base, "months": "12", "ends_on": "2030-01-01"}) == {"ends_on"}
            assert refused(service, {**base, "ends_on": "2024-02-29"}) == {"ends_on"}
            assert refused(service, {**base, "starts_on": "9990-01-01", "months": "1200"}) == {"months"}
            assert refused(service, {**base, "months": "0"}) == {"months"}
            assert refused(service, {**base, "usage_limit": "2000"}) == {"usage_unit"}
            assert refused(service, {"item_id": str(item.id), "starts_on": "2024-02-30"}) == {"starts_on"}
            assert refused(service, {"starts_on": "2024-02-29"}) == {"item_id"}

    def test_a_forecast_comes_first_and_ends_nothing(self, shop, item):
        with shop.work() as session:
            term = make_term(session, item, months="36").id
            assert TermService(session).expect({term: (DAY("2025-05-01"), "20 hours a day")}) == 1
        with shop.work() as session:
            found = TermService(session).get(term)
            assert (found.effective_end, found.expectation) == (DAY("2025-05-01"), "20 hours a day")
            assert TermService(session).end_passed() == 0
            TermService(session).expect({term: (None, "")})
        with shop.work() as session:
            assert TermService(session).get(term).effective_end == DAY("2027-02-28")


def test_passed_terms_end_by_night_and_run_again_when_prolonged(shop, item):
    soon = (clock.today(shop.tenant.tz) + dt.timedelta(days=3)).isoformat()
    with shop.work() as session:
        old = make_term(session, item, ends_on=soon).id
        far = make_term(session, item, months="600").id
        assert TermService(session).get(old).state == "active"
    with clock.ahead(dt.timedelta(days=4)):
        end_terms(str(shop.tenant.id))
        end_terms(str(shop.tenant.id))
        with shop.work() as session:
            service = TermService(session)
            assert (service.get(old).state, service.get(far).state) == ("ended", "active")
            assert service.update(old, {"months": "600"}).state == "active"


def test_a_term_whose_day_has_passed_is_ended_at_once(shop, item):
    with shop.work() as session:
        service = TermService(session)
        term = make_term(session, item, months="6")
        assert term.state == "ended"
        assert service.update(term.id, {"ends_on": "", "months": "600"}).state == "active"
        assert service.update(term.id, {"months": "7"}).state == "ended"


def test_a_term_that_was_ended_early_stays_ended(shop, item):
    with shop.work() as session:
        service = TermService(session)
        term = make_term(session, item, months="600")
        service.update(term.id, {"state": "ended"})
        assert service.update(term.id, {"provider": "Us"}).state == "ended"


def test_renewal_follows_and_is_taken_back_in_one(shop, item):
    with shop.work() as session:
        old = make_term(session, item, months="12", kind="contract", provider="Us").id
    with shop.work() as session:
        new = TermService(session).renew(old, {"price": "120.00"})
        assert (new.starts_on, new.months, new.ends_on) == (DAY("2025-02-28"), 12, DAY("2026-02-28"))
        assert (new.provider, new.price) == ("Us", 12000)
        assert (TermService(session).get(old).state, TermService(session).get(old).renewed_by_id) == (
            "renewed",
            new.id,
        )
        batch = session.info["audit_batch"]
    with shop.work() as session:
        with pytest.raises(Conflict):
            TermService(session).renew(old, {})
        with pytest.raises(Conflict):
            TermService(session).renew(make_term(session, item).id, {})
    with shop.work() as session:
        assert undo.undo_batch(session, batch).kept == []
        again = TermService(session).get(old)
        assert (again.state, again.renewed_by_id) == ("ended", None)


def test_terms_take_over_what_is_the_items(shop, item):
    seller = shop.member("member")
    with shop.work() as session:
        term = make_term(session, item, months="12").id
        other = CustomerService(session).create({"name": "Tidewater"}).id
    with shop.work() as session:
        values = {"customer_id": str(other), "owner_id": str(seller.member_id), "status": "sold"}
        ItemService(session).update(item.id, values)
    with shop.work() as session:
        found = TermService(session).get(term)
        assert (found.customer_id, found.owner_id, found.item_in_use) == (other, seller.member_id, False)


def test_an_item_is_looked_after_by_who_looks_after_its_customer(shop):
    seller = shop.member("member")
    with shop.work(seller) as session:
        customer = CustomerService(session).create({"name": "Northwind"}).id
    with shop.work() as session:
        made = ItemService(session).create({"name": "Pump", "customer_id": str(customer)})
        assert made.owner_id == seller.member_id


def test_own_scope_reaches_no_terms_of_others_items(shop, item):
    from sqlalchemy import select

    from kehu.members.loading import actor_of_member
    from kehu.members.models import Role

    who = shop.member("member")
    with shop.work() as session:
        term = make_term(session, item, months="12").id
        role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        narrow = {"owned_items:write": "own", "owned_item_terms:read": "own", "owned_item_terms:write": "own"}
        role.permissions = {**role.permissions, **narrow}
    with shop.work() as session:
        actor = actor_of_member(session, who.member_id)
    with shop.work(actor) as session:
        with pytest.raises(NotFound):
            TermService(session).get(term)
        values = {"item_id": str(item.id), "starts_on": "2024-01-01", "months": "3"}
        assert refused(TermService(session), values) == {"item_id"}


def test_terms_go_to_the_trash_and_back_with_item_and_customer(shop, item):
    with shop.work() as session:
        term = make_term(session, item, months="12").id
    with shop.work() as session:
        CustomerService(session).trash(item.customer_id)
    with shop.work() as session:
        with pytest.raises(NotFound):
            TermService(session).get(term)
        with pytest.raises(Conflict):
            TermService(session).restore(term)
    with shop.work() as session:
        CustomerService(session).restore(item.customer_id)
    with shop.work() as session:
        assert ItemService(session).get(item.id).name == "Heat pump"
        assert TermService(session).get(term).item_id == item.id


def test_found_by_the_end_of_the_serial(shop, item):
    from kehu.core.records import listing
    from kehu.items.records import ITEMS

    with shop.work() as session:
        for typed in ("4711", "004711", "HP 12-004711", "12004711", "heat"):
            page = listing.page(session, ITEMS, listing.ListQuery(args={"q": typed}))
            assert [row["id"] for row in page.rows] == [item.id], typed
        assert listing.page(session, ITEMS, listing.ListQuery(args={"q": "1147"})).rows == []
