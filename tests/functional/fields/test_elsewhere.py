"""Own fields where records are merged, imported and changed in bulk."""

from sqlalchemy import select

from kehu.core.records import listing
from kehu.core.records.own_tables import CustomIndex
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.imports.targets import all_targets
from kehu.merging.services import MergeService
from kehu.views import bulk


def found(session, shop, **args):
    query = {key.replace("__", "."): value for key, value in args.items()}
    return set(session.execute(listing.ids(get("customers"), query, shop.owner)).scalars())


def test_a_merge_moves_and_gives_back_its_values_and_rows(shop, make_field):
    colour, size = make_field("Colour", only_one=True), make_field("Size", "number")
    with shop.work() as session:
        service = service_for("customers", session)
        keep = service.create({"name": "Oak Ltd", size: 3}).id
        drop = service.create({"name": "Oak Limited", colour: "Green", size: 5}).id
    with shop.work() as session:
        merge = MergeService(session, "customers").merge(keep, drop).id
    with shop.work() as session:
        record = service_for("customers", session).get(keep)
        assert (record.c_colour, record.c_size) == ("Green", 3)
        assert found(session, shop, c_colour="green") == found(session, shop, c_size="3") == {keep}
        assert not found(session, shop, c_size="5")
    with shop.work() as session:
        MergeService(session, "customers").undo(merge)
    with shop.work() as session:
        assert found(session, shop, c_colour="green") == found(session, shop, c_size="5") == {drop}
        assert service_for("customers", session).get(keep).c_colour is None
        rows = session.execute(select(CustomIndex)).scalars().all()
        assert len(rows) == 3


def test_an_import_offers_them(shop, make_field):
    key = make_field("Colour")
    with shop.work():
        assert key in all_targets(get("customers"), [])


def test_bulk_changes_write_their_rows(shop, make_field):
    key = make_field("Wood", "choice", options="Oak\nElm")
    with shop.work() as session:
        ids = [
            one.record.id
            for one in service_for("customers", session).create_many([{"name": "A"}, {"name": "B"}])
        ]
    with shop.work() as session:
        done = bulk.apply(session, get("customers"), bulk.Order(action="set", values={key: "elm"}), ids)
        assert done.changed == 2
    with shop.work() as session:
        assert found(session, shop, c_wood="elm") == set(ids)
        bulk.apply(session, get("customers"), bulk.Order(action="trash"), ids)
    with shop.work() as session:
        assert not session.execute(select(CustomIndex)).first()
