"""SAS-06: a firm's own fields work from the minute they are made, wherever fields work."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from sqlalchemy import select

from kehu.core import context
from kehu.core.audit import AuditEntry, batch_id
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records import listing, matching, undo
from kehu.core.records.kinds import KINDS
from kehu.core.records.own_tables import CustomIndex
from kehu.core.records.service import service_for
from kehu.core.records.types import get
from kehu.customers.models import Customer
from kehu.testkit.fixtures import count_queries

VALUES = {
    "text": ("Ash", "Ash", "ash"),
    "long_text": ("Two\nlines", "Two\nlines", None),
    "number": ("12", 12, "12"),
    "decimal": ("12.750", Decimal("12.75"), "12.75"),
    "percent": ("19 %", Decimal(19), "19"),
    "money": ("1234.50", 123450, "1234.50"),
    "date": ("2026-11-30", dt.date(2026, 11, 30), "2026-11-30"),
    "datetime": ("2026-11-30T10:00:00Z", dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC), "2026-11-30"),
    "bool": ("yes", True, "1"),
    "choice": ("Oak", "oak", "oak"),
    "choices": (["Oak", "Elm"], ["oak", "elm"], "elm"),
    "email": ("wood@example.com", "wood@example.com", "wood@example.com"),
    "phone": ("+44 20 7946 4410", "+442079464410", "+442079464410"),
    "link": ("example.com/a", "https://example.com/a", None),
}
"""Kind -> what is typed, what the record holds, and a filter that finds it."""
MORE = {"choice": {"options": "Oak\nElm"}, "choices": {"options": "Oak\nElm"}, "ref": {"target": "customers"}}


@pytest.mark.parametrize("kind", VALUES)
def test_a_field_of_each_kind_is_kept_filtered_shown_and_undone(shop, make_field, kind):
    typed, held, wanted = VALUES[kind]
    key = make_field(f"Wood {kind}", kind, **MORE.get(kind, {}))
    with shop.work() as session:
        service = service_for("customers", session)
        record = service.create({"name": "Timber Ltd", key: typed})
        other = service.create({"name": "Bare Ltd"})
        ids = record.id, other.id
    with shop.work() as session:
        record = session.execute(select(Customer).where(Customer.id == ids[0])).scalar_one()
        assert getattr(record, key) == held
        page = listing.page(session, get("customers"), listing.ListQuery(columns=["name", key]))
        assert {row["id"]: row[key] for row in page.rows}[ids[0]] == held
        for words, found in ((wanted, ids[0]), ("1", ids[1])):
            if words is not None and get("customers").by_key[key].filterable:
                name = key if found == ids[0] else f"{key}.empty"
                name = f"{key}.lte" if kind == "datetime" and found == ids[0] else name
                if kind == "bool" and found == ids[1]:
                    continue
                args = {name: words}
                assert [
                    one.id for one in session.execute(listing.ids(get("customers"), args, shop.owner))
                ] == [found]
    with shop.work() as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.record_id == ids[0])).scalar_one()
        assert entry.changes[key][1] is not None
        service_for("customers", session).update(ids[0], {key: ""})
        batch = batch_id(session)
    with shop.work() as session:
        assert not session.execute(select(CustomIndex).where(CustomIndex.record_id == ids[0])).first()
        undo.undo_batch(session, batch)
    with shop.work() as session:
        assert getattr(service_for("customers", session).get(ids[0]), key) == held


@pytest.mark.parametrize("kind", ["text", "number", "decimal", "date", "choice", "bool"])
@pytest.mark.parametrize("down", [False, True])
def test_lists_are_sorted_by_it_page_by_page_and_back(shop, make_field, kind, down):
    key = make_field("Rank", kind, **MORE.get(kind, {}))
    typed = {
        "text": ["b", "A", "c"],
        "number": [2, 1, 30],
        "decimal": ["2.5", "0.1", "30"],
        "date": ["2026-02-01", "2025-01-01", "2027-01-01"],
        "choice": ["oak", "elm", "oak"],
        "bool": [True, False, True],
    }[kind]
    with shop.work() as session:
        service = service_for("customers", session)
        for at in range(9):
            service.create({"name": f"N {at}", **({key: typed[at % 3]} if at % 4 else {})})
    pages, args = [], {"sort": f"-{key}" if down else key}
    with shop.work() as session:
        while True:
            page = listing.page(
                session, get("customers"), listing.ListQuery(args=args, columns=[key], limit=2)
            )
            pages.append([(row["id"], row[key]) for row in page.rows])
            if page.next is None:
                break
            args = {**args, "after": page.next}
        rows = [row for one in pages for row in one]
        assert len({row[0] for row in rows}) == 9
        values = [row[1] for row in rows]
        filled = [one for one in values if one is not None]
        assert values[len(filled) :] == [None] * (9 - len(filled))
        fold = [one.casefold() if isinstance(one, str) else one for one in filled]
        assert fold == sorted(fold, reverse=down)
        back = listing.page(
            session,
            get("customers"),
            listing.ListQuery(args={"sort": args["sort"], "before": page.previous}, columns=[key], limit=2),
        )
        assert [row["id"] for row in back.rows] == [row[0] for row in pages[-2]]
        order = [row[0] for row in rows]
        for at, record_id in enumerate(order):
            record = service_for("customers", session).get(record_id)
            beside = listing.neighbours(session, get("customers"), {"sort": args["sort"]}, record)
            assert beside.previous == (order[at - 1] if at else None)
            assert beside.next == (order[at + 1] if at + 1 < len(order) else None)


def test_a_value_that_may_stand_once_stands_once(shop, make_field):
    key = make_field("Licence", only_one=True)
    with shop.work() as session:
        service = service_for("customers", session)
        first = service.create({"name": "One", key: "AB 1"})
        with pytest.raises(InvalidInput) as caught:
            service.create({"name": "Two", key: "ab 1"})
        assert list(caught.value.fields) == [key]
        outcomes = service.create_many([{"name": "Three", key: "x"}, {"name": "Four", key: "X"}])
        assert [bool(one.record) for one in outcomes] == [True, False]
        service.trash(first.id)
        service.create({"name": "Five", key: "AB 1"})
        with pytest.raises(InvalidInput):
            service.restore(first.id)


def test_another_firm_sees_neither_field_nor_value(shop, other_shop, make_field):
    key = make_field("Secret")
    with shop.work() as session:
        service_for("customers", session).create({"name": "One", key: "x"})
    with other_shop.work() as session:
        assert key not in get("customers").by_key
        with pytest.raises(InvalidInput):
            service_for("customers", session).create({"name": "Two", key: "x"})
        assert not session.execute(select(CustomIndex)).first()
        with pytest.raises(AttributeError):
            getattr(Customer, key)


def test_a_required_field_is_asked_of_people_and_never_of_arriving_mail(shop, make_field):
    key = make_field("Tooth", required=True, on="tickets")
    with shop.work() as session:
        with pytest.raises(InvalidInput) as caught:
            service_for("tickets", session).create({"subject": "Ache"})
        assert list(caught.value.fields) == [key]
    with shop.work(context.SYSTEM) as session:
        assert service_for("tickets", session).create({"subject": "Ache"}).id


def test_own_fields_cost_no_statement(shop, make_field):
    make_field("Colour")
    with shop.work() as session:
        get("customers")
        with count_queries() as counted:
            for _each in range(3):
                assert "c_colour" in get("customers").by_key
            session.flush()
        assert len(counted) == 0


def test_it_is_found_by_its_words(shop, make_field):
    key = make_field("Nickname", searchable=True)
    with shop.work() as session:
        record = service_for("customers", session).create({"name": "One", key: "Zeppelin"})
        found = session.execute(listing.ids(get("customers"), {"q": "zepp"}, shop.owner)).scalars().all()
        assert found == [record.id]


def test_what_makes_no_sense_is_refused_by_name(shop, make_field):
    for values, wrong in (
        ({"kind": "choice"}, "options"),
        ({"kind": "ref"}, "target"),
        ({"kind": "bool", "only_one": True}, "only_one"),
        ({"kind": "number", "minimum": 5, "maximum": 1}, "maximum"),
        ({"kind": "date", "initial": "soon"}, "initial"),
        ({"label": "Name"}, "label"),
        ({"kind": "colour"}, "kind"),
    ):
        with pytest.raises(InvalidInput) as caught:
            make_field(**{"label": "Odd", **values})
        assert list(caught.value.fields) == [wrong]


def test_members_may_not_shape(shop):
    from kehu.core.errors import Forbidden

    member = shop.member()
    with shop.work(member) as session, pytest.raises(Forbidden):
        service_for("custom_fields", session).create({"object": "customers", "label": "X", "kind": "text"})


def test_of_two_at_once_one_gets_the_value(shop, make_field):
    key = make_field("Chip", only_one=True)
    told = []

    def second():
        try:
            with shop.work() as session:
                service_for("customers", session).create({"name": "Two", key: "7"})
        except (Conflict, InvalidInput) as error:
            told.append(error)

    with shop.work() as session:
        service_for("customers", session).create({"name": "One", key: "7"})
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()  # It waits for what the first one does.
    thread.join(20)
    assert len(told) == 1


ASKED = {
    "text": ("ash", "b", "zzz"),
    "number": ("1", "12"),
    "decimal": ("0.5", "12.75"),
    "date": ("2026-11-30", "today"),
    "datetime": ("2026-11-30", "2026-11-30T10:00:00Z"),
    "bool": ("1", "0"),
    "choice": ("oak", "oak,elm"),
    "choices": ("elm", "oak,elm"),
    "money": ("10", "1234.50"),
    "email": ("wood@example.com",),
}


@pytest.mark.parametrize("kind", ASKED)
def test_a_record_in_memory_meets_what_the_database_finds(shop, make_field, kind):
    key = make_field("Asked", kind, **MORE.get(kind, {}))
    with shop.work() as session:
        service = service_for("customers", session)
        for typed in (VALUES[kind][0], None, VALUES[kind][0]):
            service.create({"name": "One", **({key: typed} if typed is not None else {})})
    with shop.work() as session:
        record_type = get("customers")
        records = list(session.execute(select(Customer)).scalars())
        for operator in (*KINDS[kind].filters, "eq"):
            for raw in ("1", "0") if operator == "empty" else ASKED[kind]:
                query = {f"{key}.{operator}": raw}
                found = set(session.execute(listing.ids(record_type, query, shop.owner)).scalars())
                met = {
                    one.id
                    for one in records
                    if matching.meets(record_type, query, one, shop.owner, shop.tenant)
                }
                assert met == found, query


def test_a_question_asked_often_is_still_planned_for_its_value(shop, make_field):
    """A prepared statement has one plan for all values: 300 ms instead of 5 when the value is a frequent one."""
    key = make_field("Wood", "choice", options="Oak\nElm")
    with shop.work() as session:
        service_for("customers", session).create({"name": "Timber Ltd", key: "Oak"})
    with shop.work() as session:
        for _turn in range(12):
            found = listing.page(session, get("customers"), listing.ListQuery(args={key: "oak"}))
        prepared = session.connection().exec_driver_sql(
            "SELECT count(*), sum(sign(position('custom_values' IN statement))) FROM pg_prepared_statements"
        )
        some, of_values = prepared.one()
    assert len(found.rows) == 1
    assert (some > 0, of_values) == (True, 0)
