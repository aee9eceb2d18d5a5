"""Deals: stages, status and place follow one set of rules, whoever moves the card."""

import pytest
from sqlalchemy import select, update

from kehu.core import context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Forbidden, InvalidInput, NotFound, StaleVersion
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.customers.services import ContactService, CustomerService
from kehu.deals.models import Deal, Stage
from kehu.deals.services import DealService
from kehu.deals.setup_services import ProductService


def stages_of(session):
    found = session.execute(
        select(Stage).where(Stage.deleted_at.is_(None)).order_by(Stage.position)
    ).scalars()
    return {stage.name: stage for stage in found}


def column(session, stage):
    statement = (
        select(Deal.name)
        .where(Deal.stage_id == stage.id, Deal.deleted_at.is_(None))
        .order_by(Deal.rank, Deal.id)
    )
    return list(session.execute(statement).scalars())


@pytest.fixture
def deals(session):
    return DealService(session)


@pytest.fixture
def stages(session):
    return stages_of(session)


def test_a_new_deal_needs_only_a_title(deals, stages, shop):
    made = deals.create({"name": "Shop fit-out"})
    assert (made.number, made.stage_id, made.status, made.amount) == (1, stages["New"].id, "open", 0)
    assert (made.currency, made.owner_id, made.pipeline_id) == (
        "GBP",
        shop.owner.member_id,
        stages["New"].pipeline_id,
    )
    assert made.closed_at is None
    assert made.opened_on is not None


def test_new_deals_stand_on_top(session, deals, stages):
    deals.create_many([{"name": name} for name in ("one", "two", "three")])
    DealService(session).create({"name": "four"})
    assert column(session, stages["New"]) == ["four", "one", "two", "three"]


def test_batches_of_one_import_never_share_a_place(session, deals, stages):
    for part in ("ab", "cd", "ef"):
        deals.create_many([{"name": name} for name in part])
    assert column(session, stages["New"]) == list("abcdef")
    found = session.execute(select(Deal.rank)).scalars().all()
    assert len(set(found)) == 6


def test_moving_changes_stage_status_and_place(session, deals, stages):
    one, two, three = (
        outcome.record for outcome in deals.create_many([{"name": n} for n in ("one", "two", "three")])
    )
    for record in (one, two):
        deals.move(record.id, stages["Qualified"].id)
    deals.move(three.id, stages["Qualified"].id, after=two.id)
    assert column(session, stages["Qualified"]) == ["two", "three", "one"]
    won = deals.win(one.id)
    assert (won.status, won.stage_id) == ("won", stages["Won"].id)
    assert won.closed_at is not None
    back = deals.move(one.id, stages["New"].id)
    assert (back.status, back.closed_at) == ("open", None)
    actions = session.execute(
        select(AuditEntry.action).where(AuditEntry.record_id == one.id).order_by(AuditEntry.id)
    )
    assert list(actions.scalars()) == ["created", "moved", "won", "moved"]


def test_lost_needs_a_reason_by_every_way(session, deals, stages):
    made = deals.create({"name": "Shop fit-out"})
    lost = stages["Lost"].id
    for attempt in (
        lambda: deals.move(made.id, lost),
        lambda: deals.move(made.id, lost, lost_reason="  "),
        lambda: deals.update(made.id, {"stage_id": lost}),
        lambda: deals.create({"name": "Another", "stage_id": str(lost)}),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert set(caught.value.fields) == {"lost_reason"}
        session.expire_all()
    done = deals.lose(made.id, "Too dear")
    assert (done.status, done.lost_reason) == ("lost", "Too dear")
    with context.use(source="import"):
        assert (
            DealService(session)
            .create({"name": "Old", "stage_id": lost, "closed_at": "2025-03-01"})
            .closed_at.year
            == 2025
        )
    assert deals.move(made.id, stages["New"].id).lost_reason is None


def test_the_order_of_cards_is_no_change_of_the_record(session, deals, stages):
    one, two, _three = (
        outcome.record for outcome in deals.create_many([{"name": n} for n in ("one", "two", "three")])
    )
    version = two.version
    deals.move(two.id, stages["New"].id)
    assert column(session, stages["New"]) == ["two", "one", "three"]
    deals.move(two.id, stages["New"].id, before=one.id)
    assert column(session, stages["New"]) == ["two", "one", "three"]
    session.refresh(two)
    assert two.version == version


def test_cards_without_rank_get_one(session, deals, stages):
    made = [outcome.record for outcome in deals.create_many([{"name": str(n)} for n in range(4)])]
    session.execute(
        update(Deal).where(Deal.tenant_id == deals.tenant.id).values(rank="", version=Deal.version)
    )
    deals.move(made[3].id, stages["New"].id, after=made[0].id)
    assert column(session, stages["New"]) == ["0", "3", "1", "2"]


def test_undo_restores_stage_place_status_and_day(shop):
    with shop.work() as session:
        stages = stages_of(session)
        service = DealService(session)
        ids = [
            outcome.record.id
            for outcome in service.create_many([{"name": n} for n in ("one", "two", "three")])
        ]
        service.lose(ids[1], "Too dear")
        lost = service.get(ids[1])
        closed, since = lost.closed_at, lost.stage_since
    with shop.work() as session:
        DealService(session).move(ids[1], stages["New"].id, after=ids[0])
        reopened = session.info["audit_batch"]
    with shop.work() as session:
        DealService(session).win(ids[0])
        won = session.info["audit_batch"]
    with shop.work() as session:
        assert undo.undo_batch(session, won).undone == 1
        one = DealService(session).get(ids[0])
        assert (one.status, one.closed_at) == ("open", None)
        assert column(session, stages["New"]) == ["one", "two", "three"]
    with shop.work() as session:
        undo.undo_batch(session, reopened)
        two = DealService(session).get(ids[1])
        assert (two.status, two.closed_at, two.stage_since, two.lost_reason) == (
            "lost",
            closed,
            since,
            "Too dear",
        )


def test_a_card_that_somebody_else_moved_is_refused(session, deals, stages):
    made = deals.create({"name": "Shop fit-out"})
    seen = made.version
    deals.update(made.id, {"amount": "1200"})
    deals.move(made.id, stages["Qualified"].id, version=seen)  # Another field is no conflict.
    with pytest.raises(StaleVersion) as caught:
        deals.move(made.id, stages["Negotiation"].id, version=seen)
    assert "Qualified" in caught.value.message
    assert "Mira Sol" in caught.value.message
    assert caught.value.details["stage"] == str(stages["Qualified"].id)


def test_the_contact_belongs_to_the_customer(session, deals):
    customers, contacts = CustomerService(session), ContactService(session)
    north, south = (customers.create({"name": name}).id for name in ("North", "South"))
    anna = contacts.create({"name": "Anna", "customer_id": north}).id
    made = deals.create({"name": "Desk", "contact_id": anna})
    assert made.customer_id == north
    with pytest.raises(InvalidInput) as caught:
        deals.create({"name": "Desk", "contact_id": anna, "customer_id": south})
    assert set(caught.value.fields) == {"contact_id"}
    deals.update(made.id, {"customer_id": south})
    assert made.contact_id is None


def test_a_product_brings_its_price(session, deals):
    desk = ProductService(session).create({"name": "Desk", "code": "D-1", "price": "450"})
    assert deals.create({"name": "Six desks", "product_id": desk.id}).amount == 45000
    assert deals.create({"name": "Six desks", "product_id": desk.id, "amount": "2,500.50"}).amount == 250050
    with pytest.raises(InvalidInput):
        ProductService(session).create({"name": "Table", "code": "D-1"})
    with pytest.raises(InvalidInput):
        deals.create({"name": "Desk", "currency": "QQQ"})


def test_members_write_only_their_own(shop):
    member = shop.member("member")
    with shop.work() as session:
        made = DealService(session).create({"name": "The owner's"}).id
    with shop.work(member) as session:
        service = DealService(session)
        own = service.create({"name": "Mine"})
        service.win(own.id)
        with pytest.raises(Forbidden):
            service.win(made)
        with pytest.raises(InvalidInput):
            service.create({"name": "For the owner", "owner_id": shop.owner.member_id})


def test_nothing_crosses_tenants(shop, other_shop):
    with other_shop.work() as session:
        foreign = DealService(session).create({"name": "Secret"})
        foreign_id, foreign_stage = foreign.id, foreign.stage_id
    with shop.work() as session:
        service = DealService(session)
        mine = service.create({"name": "Mine"})
        for attempt in (
            lambda: service.move(mine.id, foreign_stage),
            lambda: service.update(mine.id, {"stage_id": foreign_stage}),
            lambda: service.create({"name": "x", "stage_id": foreign_stage}),
        ):
            with pytest.raises(InvalidInput):
                attempt()
        with pytest.raises(NotFound):
            service.move(foreign_id, mine.stage_id)
        service.move(mine.id, mine.stage_id, after=foreign_id)


def test_trash_and_restore_when_the_stage_is_gone(session, deals, stages):
    made = deals.create({"name": "Desk", "stage_id": stages["Qualified"].id})
    deals.trash(made.id)
    service_for("stages", session).retire(stages["Qualified"].id)
    restored = DealService(session).restore(made.id)
    assert restored.stage_id == stages["New"].id
