"""The sweep: whom it finds, contacts, leaves alone and closes; two sweeps at once; what plugins declare."""

import datetime as dt
import threading
from collections import Counter

import pytest
from sqlalchemy import select

from kehu.core import clock, context, hooks
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.messages.models import Message
from kehu.offers.models import Offer
from kehu.offers.services import OfferService
from kehu.offers.sweeping import sweep_of
from kehu.offers.tasks import sweep_now
from plugins.offering import DatedThing, OfferSource

RULE = {"name": "Warranty ends", "source": "term.warranty", "holdout": "0", "ladder": "90, 60, 30"}


def customer_with(shop, days, name="Northwind", kind="warranty", **more):
    """A customer whose item has a term that ends in so many days; returns (customer, item, term)."""
    with shop.work() as session:
        values = {"name": name, "emails": f"{name.lower().replace(' ', '')}@example.com", **more}
        customer = service_for("customers", session).create(values).id
        item = service_for("owned_items", session).create({"name": "Boiler", "customer_id": str(customer)}).id
        return customer, item, add_term(session, shop, item, -300, days, kind)


def add_term(session, shop, item, start, end, kind="warranty"):
    today = clock.today(shop.tenant.tz)
    days = {"starts_on": start, "ends_on": end}
    dates = {key: (today + dt.timedelta(days=value)).isoformat() for key, value in days.items()}
    return service_for("owned_item_terms", session).create({"item_id": str(item), "kind": kind, **dates}).id


def make_rule(shop, **more):
    with shop.work() as session:
        return service_for("offer_rules", session).create({**RULE, **more}).id


def sweep(shop, rule_id):
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM, source="job"):
        sweep_now(rule_id)


def offers(shop):
    with shop.work() as session:
        return session.execute(select(Offer).order_by(Offer.due_on, Offer.id)).scalars().all()


def rows_of(shop, name):
    with shop.work() as session:
        model = service_for(name, session).type.model
        return session.execute(select(model).where(model.deleted_at.is_(None))).scalars().all()


def step_back(shop, days):
    """Let time pass: all days of the offers move towards the past."""
    with shop.work() as session:
        for one in session.execute(select(Offer)).scalars():
            for key in ("next_on", "contacted_on"):
                value = getattr(one, key)
                setattr(one, key, value and value - dt.timedelta(days=days))


class TestTasks:
    def test_finds_what_ends_and_asks_a_colleague_once(self, shop):
        customer, item, term = customer_with(shop, 50)
        customer_with(shop, 200, "Later")
        customer_with(shop, 50, "Contract", kind="contract")
        rule = make_rule(shop)
        sweep(shop, rule)
        sweep(shop, rule)
        [one] = offers(shop)
        assert (one.customer_id, one.item_id, one.term_id) == (customer, item, term)
        assert (one.state, one.rung, one.contacts) == ("contacted", 60, 1)
        assert one.next_on == one.due_on - dt.timedelta(days=30)
        [task] = rows_of(shop, "activities")
        assert task.subject == "Make an offer: Warranty – Boiler"
        assert "Warranty ends: the day is" in task.body
        step_back(shop, 25)
        with shop.work() as session:
            [found] = session.execute(select(Offer)).scalars()
            found.due_on -= dt.timedelta(days=25)
            service_for("owned_item_terms", session).update(term, {"ends_on": found.due_on.isoformat()})
        sweep(shop, rule)
        assert [(one.rung, one.contacts) for one in offers(shop)] == [(30, 2)]

    def test_one_customer_hears_of_one_thing_a_week(self, shop):
        customer, *_rest = customer_with(shop, 50)
        with shop.work() as session:
            other = service_for("owned_items", session).create({"name": "Pump", "customer_id": str(customer)})
            add_term(session, shop, other.id, -300, 70)
        rule = make_rule(shop)
        sweep(shop, rule)
        first, second = offers(shop)
        assert (first.contacts, second.contacts, second.reason) == (1, 0, "week")
        step_back(shop, 8)
        sweep(shop, rule)
        assert [one.contacts for one in offers(shop)] == [1, 1]

    def test_so_does_one_household(self, shop):
        first, *_rest = customer_with(shop, 50, "Ann")
        second, *_rest = customer_with(shop, 51, "Bob")
        with shop.work() as session:
            home = service_for("households", session).create({"name": "Elm Street"}).id
            for one in (first, second):
                values = {"household_id": str(home), "customer_id": str(one)}
                service_for("household_members", session).create(values)
        rule = make_rule(shop)
        sweep(shop, rule)
        assert [(one.contacts, one.reason) for one in offers(shop)] == [(1, None), (0, "week")]
        step_back(shop, 1)
        sweep(shop, rule)
        assert [one.contacts for one in offers(shop)] == [1, 0]
        step_back(shop, 7)
        sweep(shop, rule)
        assert [one.contacts for one in offers(shop)] == [1, 1]

    def test_an_open_ticket_holds_it_back(self, shop):
        customer, *_rest = customer_with(shop, 50)
        rule = make_rule(shop)
        with shop.work() as session:
            ticket = (
                service_for("tickets", session)
                .create({"subject": "It hums", "customer_id": str(customer)})
                .id
            )
        sweep(shop, rule)
        assert [(one.state, one.reason) for one in offers(shop)] == [("open", "ticket")]
        with shop.work() as session:
            service_for("tickets", session).update(ticket, {"status": "closed"})
        step_back(shop, 1)
        sweep(shop, rule)
        assert [(one.state, one.reason) for one in offers(shop)] == [("contacted", None)]

    @pytest.mark.parametrize(
        ("what", "state"),
        [
            ("renew", ("stopped", "bought")),
            ("later term", ("stopped", "bought")),
            ("sell", ("stopped", "sold")),
            ("new owner", ("stopped", "sold")),
            ("cancel", ("stopped", "gone")),
            ("opt out", ("stopped", "opted_out")),
            ("trash", ("stopped", "gone")),
        ],
    )
    def test_what_ends_an_offer(self, shop, what, state):
        customer, item, term = customer_with(shop, 80)
        rule = make_rule(shop)
        sweep(shop, rule)
        with shop.work() as session:
            terms, items = service_for("owned_item_terms", session), service_for("owned_items", session)
            if what == "renew":
                terms.renew(term, {"months": "12"})
            elif what == "later term":
                add_term(session, shop, item, 80, 400, "extended_warranty")
            elif what == "sell":
                items.update(item, {"status": "sold"})
            elif what == "new owner":
                other = service_for("customers", session).create({"name": "Buyer"}).id
                items.update(item, {"customer_id": str(other)})
            elif what == "cancel":
                terms.update(term, {"state": "cancelled"})
            elif what == "opt out":
                service_for("customers", session).update(customer, {"do_not_contact": "all"})
            else:
                service_for("customers", session).trash(customer)
        step_back(shop, 60)
        sweep(shop, rule)
        found = [one for one in offers(shop) if one.customer_id == customer]
        assert [(one.state, one.reason) for one in found] == [state]
        assert (found[0].renewed_on is not None) == (state[1] == "bought")
        tasks = [one for one in rows_of(shop, "activities") if one.customer_id == customer]
        assert all(one.done_at is not None for one in tasks)
        if what == "new owner":
            assert len(offers(shop)) == 2

    def test_the_hold_out_group_is_never_contacted_but_watched(self, shop):
        people = [customer_with(shop, 40, f"Firm {n}") for n in range(8)]
        rule = make_rule(shop, holdout="50")
        sweep(shop, rule)
        groups = Counter(one.held_out for one in offers(shop))
        assert groups.total() == 8
        held = {one.customer_id for one in offers(shop) if one.held_out}
        assert len(rows_of(shop, "activities")) == groups[False]
        assert not held & {one.customer_id for one in rows_of(shop, "activities")}
        chosen = next((one for one in people if one[0] in held), None)
        if chosen is not None:
            with shop.work() as session:
                service_for("owned_item_terms", session).renew(chosen[2], {"months": "12"})
            sweep(shop, rule)
            [one] = [one for one in offers(shop) if one.customer_id == chosen[0]]
            assert (one.state, one.reason, one.contacts) == ("stopped", "bought", 0)

    def test_two_sweeps_at_once_make_and_contact_each_once(self, shop):
        for n in range(6):
            customer_with(shop, 40, f"Firm {n}")
        rule = make_rule(shop)
        threads = [threading.Thread(target=sweep, args=(shop, rule)) for _n in range(3)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert [one.contacts for one in offers(shop)] == [1] * 6
        assert len(rows_of(shop, "activities")) == 6


class TestMails:
    def test_in_the_rules_own_words_and_the_customers_language(self, shop):
        customer_with(shop, 50, language="ru")
        customer_with(shop, 51, "Eastwind")
        rule = make_rule(shop, channel="mail", purpose="service")
        with shop.work() as session:
            text = {
                "rule_id": str(rule),
                "locale": "ru",
                "subject": "{thing}",
                "body": "Здравствуйте, {name}! {day}",
            }
            service_for("offer_texts", session).create(text)
        sweep(shop, rule)
        with shop.work() as session:
            found = {one.locale: one for one in session.execute(select(Message)).scalars()}
        assert found["ru"].subject == "Warranty – Boiler"
        assert found["ru"].body.startswith("Здравствуйте, Northwind! ")
        assert "we make you an offer" in found["en"].body
        assert [one.state for one in offers(shop)] == ["contacted", "contacted"]

    def test_without_consent_it_waits_and_no_message_is_kept(self, shop):
        customer_with(shop, 50)
        rule = make_rule(shop, channel="mail")
        sweep(shop, rule)
        assert [(one.state, one.reason) for one in offers(shop)] == [("open", "no_consent")]
        assert not rows_of_messages(shop)

    def test_a_mail_that_was_refused_in_the_end_was_no_contact(self, shop):
        customer_with(shop, 50)
        rule = make_rule(shop, channel="mail", purpose="service")
        sweep(shop, rule)
        with shop.work() as session:
            [message] = session.execute(select(Message)).scalars()
            message.state, message.reason_code = "refused", "household"
        sweep(shop, rule)
        assert [(one.state, one.contacts, one.rung) for one in offers(shop)] == [("open", 0, None)]


def rows_of_messages(shop):
    with shop.work() as session:
        return session.execute(select(Message)).scalars().all()


class TestOutcomes:
    def test_a_deal_and_its_undo(self, shop):
        customer, *_rest = customer_with(shop, 50)
        rule = make_rule(shop)
        sweep(shop, rule)
        [one] = offers(shop)
        with shop.work() as session:
            deal = OfferService(session).accept(one.id)
            batch = session.info["audit_batch"]
        assert (deal.customer_id, deal.name, deal.source) == (customer, "Warranty – Boiler", "Warranty ends")
        [one] = offers(shop)
        assert (one.state, one.deal_id) == ("accepted", deal.id)
        assert rows_of(shop, "activities")[0].done_at is not None
        with shop.work() as session:
            service_for("deals", session).win(deal.id)
        sweep(shop, rule)
        assert offers(shop)[0].renewed_on is not None
        with shop.work() as session:
            report = undo.undo_batch(session, batch)
        assert report.undone
        [one] = offers(shop)
        assert (one.state, one.deal_id, one.closed_on) == ("contacted", None, None)

    def test_a_plugin_declares_dated_things(self, shop, monkeypatch):
        customer, *_rest = customer_with(shop, 500)
        day = clock.today(shop.tenant.tz) + dt.timedelta(days=20)
        fate = {}
        source = OfferSource(
            key="automotive.checkup",
            label="A check-up is due",
            due=lambda ctx, since, until: [
                DatedThing(key="c1", customer_id=customer, name="Check-up", due_on=day, basis="Two years old")
            ],
            fates=lambda ctx, keys: {key: fate["c1"] for key in keys if key in fate},
        )
        monkeypatch.setattr(hooks, "enabled", lambda: frozenset(("automotive",)))
        monkeypatch.setattr(hooks.host().declarations, "offer_sources", [("automotive", source)])
        rule = make_rule(shop, source="automotive.checkup", ladder="30")
        sweep(shop, rule)
        assert [(one.name, one.basis, one.contacts) for one in offers(shop)] == [
            ("Check-up", "Two years old", 1)
        ]
        fate["c1"] = "bought"
        sweep(shop, rule)
        assert [(one.state, one.reason) for one in offers(shop)] == [("stopped", "bought")]
        monkeypatch.setattr(hooks, "enabled", frozenset)
        with shop.work() as session:
            assert sweep_of(session, rule) is None

    def test_items_so_long_in_use(self, shop):
        _customer, item, _term = customer_with(shop, 500)
        today = clock.today(shop.tenant.tz)
        with shop.work() as session:
            day = today - dt.timedelta(days=720)
            service_for("owned_items", session).update(item, {"in_service_on": day.isoformat()})
        rule = make_rule(shop, source="item.age", months_after="24", ladder="30")
        sweep(shop, rule)
        [one] = offers(shop)
        assert one.name == "Boiler"
        assert 8 <= (one.due_on - today).days <= 12
