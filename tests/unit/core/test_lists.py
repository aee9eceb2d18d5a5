"""Filters, scopes, undo and batches of record types."""

import datetime as dt
import uuid

import pytest

from kehu.core import clock, context
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleVersion
from kehu.core.records import listing, undo
from kehu.core.records.listing import ListQuery
from kehu.core.records.service import service_for
from kehu.core.records.types import get, registered
from kehu.customers.services import ContactService, CustomerService
from kehu.members.models import Team


def names(session, args, actor=None, **more):
    page = listing.page(session, get("customers"), ListQuery(args=args, **more), actor)
    return [row["name"] for row in page.rows]


@pytest.fixture
def filled(session):
    service = CustomerService(session)
    rows = [
        {"name": "Anvil", "value_class": "A", "tags": "VIP", "employees": 3, "industry": "Trade"},
        {"name": "Bench", "value_class": "B", "industry": "Trade", "country": "GB"},
        {"name": "Chisel", "owner_id": None, "country": "DE"},
        {"name": "王小明 Tools", "kind": "person", "phones": "020 7946 4410"},
    ]
    return [service.create(row) for row in rows]


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ({"value_class": "A"}, ["Anvil"]),
        ({"value_class": "A,B"}, ["Anvil", "Bench"]),
        ({"value_class.ne": "A,B"}, []),
        ({"value_class.empty": "1"}, ["Chisel", "王小明 Tools"]),
        ({"value_class.empty": "0"}, ["Anvil", "Bench"]),
        ({"value_class": "none"}, ["Chisel", "王小明 Tools"]),
        ({"owner_id": "me"}, ["Anvil", "Bench", "王小明 Tools"]),
        ({"owner_id": "none"}, ["Chisel"]),
        ({"tags": "vip"}, ["Anvil"]),
        ({"industry": "Trade"}, ["Anvil", "Bench"]),
        ({"industry.starts": "Tr"}, ["Anvil", "Bench"]),
        ({"number.gte": "3"}, ["Chisel", "王小明 Tools"]),
        ({"number.lte": "1"}, ["Anvil"]),
        ({"created_at.gte": "today"}, ["Anvil", "Bench", "Chisel", "王小明 Tools"]),
        ({"created_at.lte": "today-7"}, []),
        ({"q": "小明"}, ["王小明 Tools"]),
        ({"q": "4410"}, ["王小明 Tools"]),
        ({"q": "tools wang"}, ["王小明 Tools"]),
        ({"q": "!!"}, []),
        ({"unknown": "x", "name.gte": "x", "q": ""}, ["Anvil", "Bench", "Chisel", "王小明 Tools"]),
        ({"sort": "-name"}, ["王小明 Tools", "Chisel", "Bench", "Anvil"]),
        ({"sort": "nonsense"}, ["Anvil", "Bench", "Chisel", "王小明 Tools"]),
    ],
)
def test_filters(session, filled, args, found):
    assert names(session, args) == found
    if "sort" not in args:
        assert listing.count(session, get("customers"), args) == len(found)


@pytest.mark.parametrize(
    "args",
    [
        {"color": "red"},
        {"name.within": "x"},
        {"sort": "color"},
        {"value_class": "Z"},
        {"owner_id": "nobody"},
        {"created_at.gte": "today+many"},
        {"after": "nonsense"},
        {"after": "WyJ4IiwieSJd"},
    ],
)
def test_strict_lists_name_what_is_wrong(session, filled, args):
    with pytest.raises(InvalidInput) as caught:
        names(session, args, strict=True)
    assert caught.value.fields


def test_a_mark_of_another_sort_is_refused_or_harmless(session, filled):
    mark = listing.page(session, get("customers"), ListQuery(args={"sort": "name"}, limit=1)).next
    with pytest.raises(InvalidInput):
        names(session, {"sort": "-updated_at", "after": mark})


def test_pages_go_back(session, filled):
    record_type = get("customers")
    first = listing.page(session, record_type, ListQuery(limit=2))
    second = listing.page(session, record_type, ListQuery(args={"after": first.next}, limit=2))
    back = listing.page(session, record_type, ListQuery(args={"before": second.previous}, limit=2))
    assert [row["id"] for row in back.rows] == [row["id"] for row in first.rows]
    assert (first.previous, second.next) == (None, None)


def test_own_team_and_all(shop):
    with shop.work() as session:
        team = Team(name="North", tenant_id=shop.tenant.id)
        session.add(team)
        session.flush()
        team_id = team.id
    mate, me, stranger = shop.member(team_id=team_id), shop.member(team_id=team_id), shop.member()

    def scoped(actor, reach):
        grants = dict.fromkeys(
            ("customers:read", "customers:write", "customers:delete", "contacts:read"), reach
        )
        return context.Actor(
            member_id=actor.member_id,
            team_id=actor.team_id,
            name=actor.name,
            permissions=grants,
            user_id=actor.user_id,
        )

    with shop.work() as session:
        service = CustomerService(session)
        made = {
            "Mine": service.create({"name": "Mine", "owner_id": str(me.member_id)}),
            "Mates": service.create({"name": "Mates", "owner_id": str(mate.member_id)}),
            "Strange": service.create({"name": "Strange", "owner_id": str(stranger.member_id)}),
            "Nobodys": service.create({"name": "Nobodys", "owner_id": None}),
        }
        ids = {name: record.id for name, record in made.items()}
    for reach, seen in (
        ("own", ["Mine"]),
        ("team", ["Mates", "Mine", "Nobodys"]),
        ("all", ["Mates", "Mine", "Nobodys", "Strange"]),
    ):
        actor = scoped(me, reach)
        with shop.work(actor) as session:
            assert names(session, {}, actor) == seen
            service = CustomerService(session)
            for name, record_id in ids.items():
                if name in seen:
                    assert service.get(record_id).name == name
                else:
                    with pytest.raises(NotFound):
                        service.get(record_id)
            assert service.trash_many([ids["Strange"]]) == (1 if reach == "all" else 0)
            session.rollback()
    alone = scoped(stranger, "team")
    with shop.work(alone) as session:
        assert names(session, {}, alone) == ["Nobodys", "Strange"]
        with pytest.raises(NotFound):
            CustomerService(session).get(ids["Mine"])
    reader = context.Actor(
        member_id=me.member_id,
        name="Reader",
        permissions={"customers:read": "all", "customers:write": "own", "contacts:read": "all"},
    )
    with shop.work(reader) as session:
        service = CustomerService(session)
        with pytest.raises(Forbidden):
            service.update(ids["Mates"], {"name": "X"})
        with pytest.raises(Forbidden):
            service.trash(ids["Mine"])
        with pytest.raises(InvalidInput):
            service.create({"name": "For another", "owner_id": str(mate.member_id)})
        outcomes = service.update_many(
            {ids["Mates"]: {"industry": "X"}, ids["Mine"]: {"industry": "Y"}, uuid.UUID(int=1): {}}
        )
        assert [bool(one.errors) for one in outcomes.values()] == [True, False, True]
    with pytest.raises(Forbidden), shop.work(context.Actor(name="Nobody")) as session:
        names(session, {}, context.Actor(name="Nobody"))


def test_references_must_be_visible(shop, other_shop):
    with other_shop.work() as session:
        foreign = CustomerService(session).create({"name": "Foreign"}).id
    with shop.work() as session, pytest.raises(InvalidInput) as caught:
        ContactService(session).create(
            {"name": "Anna", "customer_id": str(foreign), "owner_id": str(other_shop.owner.member_id)}
        )
    assert set(caught.value.fields) == {"customer_id", "owner_id"}


def test_a_batch_reports_each_row(session, shop):
    service = CustomerService(session)
    outcomes = service.create_many([{"name": "Good"}, {"name": ""}, {"name": "Bad", "website": "x"}])
    assert [bool(one.record) for one in outcomes] == [True, False, False]
    good = outcomes[0].record
    changed = service.update_many({good.id: {"industry": "Trade"}})
    assert changed[good.id].changed
    assert not service.update_many({good.id: {"industry": "Trade"}})[good.id].changed
    assert service.update_many({good.id: {"website": "x"}})[good.id].errors
    assert service.update_many({good.id: {"parent_id": str(good.id)}})[good.id].errors


def test_undo_of_each_kind(shop):
    def batch_of(act):
        with shop.work() as session:
            result = act(CustomerService(session))
            return session.info["audit_batch"], result.id if hasattr(result, "id") else None

    created, record_id = batch_of(lambda service: service.create({"name": "One", "revenue": "12.50"}))
    changed, _none = batch_of(lambda service: service.update(record_id, {"revenue": "20", "tags": "VIP"}))
    with shop.work() as session, pytest.raises(Conflict):
        undo.undo_batch(session, created)
    with shop.work() as session:
        undo.undo_batch(session, changed)
        record = CustomerService(session).get(record_id)
        assert (record.revenue, record.tags) == (1250, [])
    trashed, _none = batch_of(lambda service: service.trash(record_id))
    with shop.work() as session:
        undo.undo_batch(session, trashed)
        assert CustomerService(session).get(record_id)
    changed, _none = batch_of(lambda service: service.update(record_id, {"industry": "Trade"}))
    batch_of(lambda service: service.update(record_id, {"industry": "Crafts"}))
    with shop.work() as session, pytest.raises(Conflict, match="changed since"):
        undo.undo_batch(session, changed)
    fresh, fresh_id = batch_of(lambda service: service.create({"name": "Two"}))
    with shop.work() as session:
        undo.undo_batch(session, fresh)
    with shop.work() as session, pytest.raises(NotFound):
        CustomerService(session).get(fresh_id)
    with shop.work() as session, pytest.raises(NotFound):
        undo.undo_batch(session, uuid.UUID(int=9))


def test_a_created_and_changed_record_is_undone_whole(shop):
    with shop.work() as session:
        service = CustomerService(session)
        record_id = service.create({"name": "Three"}).id
        service.update(record_id, {"industry": "Trade"})
        batch = session.info["audit_batch"]
    with shop.work() as session:
        assert undo.undo_batch(session, batch).undone == 1
    with shop.work() as session, pytest.raises(NotFound):
        CustomerService(session).get(record_id)


def test_another_tenant_can_not_undo(shop, other_shop):
    with shop.work() as session:
        CustomerService(session).create({"name": "Mine"})
        batch = session.info["audit_batch"]
    with other_shop.work() as session, pytest.raises(NotFound):
        undo.undo_batch(session, batch)


def test_two_people_at_once(shop):
    """The second writer of the same version is refused, whoever is faster."""
    import threading

    with shop.work() as session:
        record_id = CustomerService(session).create({"name": "Contested"}).id
    outcomes = []
    start = threading.Barrier(2)

    def write(word):
        start.wait()
        try:
            with shop.work() as session:
                CustomerService(session).update(record_id, {"industry": word}, version=1)
            outcomes.append("written")
        except StaleVersion as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=write, args=(word,)) for word in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["StaleVersion", "written"]


def test_every_type_has_a_service(session):
    for name, record_type in registered().items():
        service = service_for(name, session)
        assert service.type is record_type
        assert record_type.url("1").startswith("/")


def test_relative_days_follow_the_tenant(session, shop):
    service = CustomerService(session)
    with clock.ahead(dt.timedelta(days=10)):
        service.create({"name": "Later"})
        assert names(session, {"created_at.gte": "today"}) == ["Later"]
    assert names(session, {"created_at.gte": "today+5"}) == ["Later"]
