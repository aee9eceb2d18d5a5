"""Two records with everything at them, merged and parted again: every row of every table is as it was."""

import datetime as dt
import io
import json
import re

import pytest
from sqlalchemy import select, text

from kehu.consent.models import ConsentState
from kehu.consent.recording import Person, Word, write
from kehu.core import clock, db
from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.deals.models import Deal
from kehu.files.services import FileService
from kehu.files.store import FileStore
from kehu.merging import listing
from kehu.merging.services import MergeService
from kehu.relations.services import HouseholdMemberService, RelationService
from kehu.testkit.switch import enable

GROW = frozenset({"audit_entries", "consents", "merges", "outbox", "schedule_runs"})
"""Tables that only grow: what was said and done is never rewritten."""

TOUCHED = frozenset({"version", "updated_at", "updated_by"})
"""Columns that say that a row was written; they go on and never back."""

_TABLES = text(
    "SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND (n.nspname = 'public' OR n.nspname LIKE 'p\\_%') "
    "AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1, 2"
)


def every_row(shop):
    """Return the rows of the firm by table, each as text without the columns that only go on."""
    with shop.work() as session:
        found = {}
        for table in session.execute(_TABLES).all():
            statement = text(
                f'SELECT to_jsonb(x) AS row FROM "{table.schema}"."{table.name}" x WHERE tenant_id = :tenant'
            )
            rows = session.execute(statement, {"tenant": db.tenant_id()}).scalars()
            plain = [{key: value for key, value in row.items() if key not in TOUCHED} for row in rows]
            found[table.schema, table.name] = sorted(json.dumps(row, sort_keys=True) for row in plain)
    return found


def differences(before, after):
    """Return what differs, by table; of tables that only grow, what went."""
    found = {}
    for table, rows in before.items():
        gone = sorted(set(rows) - set(after[table]))
        new = [] if table[1] in GROW else sorted(set(after[table]) - set(rows))
        if gone or new:
            found[table] = (gone, new)
    return found


def person(session, name, **values):
    return service_for("customers", session).create({"name": name, "kind": "person", **values}).id


@pytest.fixture
def dealer(shop):
    enable(shop, "automotive")
    return shop


@pytest.fixture
def pair(dealer, tmp_path):
    """Two customers, each with something of every kind."""
    store = FileStore(tmp_path / "files", 1 << 20)
    with dealer.work() as session:
        made = [
            person(
                session,
                name,
                emails=[{"address": f"{mark}@example.com"}],
                phones=[{"number": "+442079464410"}],
                addresses=[{"street": f"{mark} Mill Lane", "postcode": "LS1 4AB", "city": "Leeds"}],
                tags=[mark, "both"],
                born_on="1961-02-03",
                description=f"Notes of {mark}",
                **more,
            )
            for name, mark, more in (
                ("Anna Lindqvist", "one", {"industry": "Art", "mail_consent": "given"}),
                ("Anna Lindquist", "two", {"region": "North", "do_not_contact": "unasked"}),
            )
        ]
        third = person(session, "Cy Berg")
        for one, kept in zip(
            made, ({"gone": {"a": 1}}, {"gone": {"a": 9, "b": 1}, "off": {"x": 1}}), strict=True
        ):
            session.get(Customer, (dealer.tenant.id, one)).custom = kept  # Of plugins that are off.
        for mark, one in zip(("one", "two"), made, strict=True):
            belongings(session, mark, one, third, store)
        RelationService(session).create(
            {"customer_id": str(made[0]), "other_id": str(made[1]), "kind": "sibling"}
        )
        said = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
        words = (("sms", "given", 0), ("sms", "withdrawn", 1), ("phone", "given", 1))
        write(
            session,
            [
                (
                    Person(object="customers", id=made[which]),
                    channel,
                    "marketing",
                    Word(state=state, said_at=said + dt.timedelta(days=which)),
                )
                for channel, state, which in words
            ],
        )
    return made


def belongings(session, mark, one, third, store):
    at = {"customer_id": str(one)}
    contact = service_for("contacts", session).create({"name": f"Bo {mark}", **at, "tags": ["x"]}).id
    service_for("deals", session).create({"name": f"Deal {mark}", **at, "contact_id": str(contact)})
    service_for("tickets", session).create({"subject": f"Ticket {mark}", **at, "contact_id": str(contact)})
    service_for("activities", session).create({"subject": f"Call {mark}", "kind": "call", **at})
    service_for("owned_items", session).create({"name": f"Pump {mark}", **at, "serial": f"S-{mark}"})
    car = service_for("automotive.vehicles", session).create({"make": "VW", "model": f"Golf {mark}", **at})
    party = {"vehicle_id": str(car.id), **at, "role": "driver"}
    service_for("automotive.vehicle_parties", session).create(party)
    person(session, f"Child of {mark}", parent_id=str(one))
    FileService(session, store=store).attach("customers", one, f"{mark}.txt", io.BytesIO(mark.encode()))
    relations = RelationService(session)
    relations.create({"customer_id": str(one), "other_id": str(third), "kind": "sibling"})
    home = service_for("households", session).create({"name": f"Home {mark}"})
    HouseholdMemberService(session).create({"household_id": str(home.id), "customer_id": str(one)})


def test_every_row_is_as_it_was(dealer, pair):
    before = every_row(dealer)
    with dealer.work() as session:
        merge = MergeService(session, "customers").merge(*pair).id
    moved = {name for _schema, name in differences(before, every_row(dealer))}
    assert moved >= {
        "activities",
        "consent_states",
        "contacts",
        "customers",
        "deals",
        "files",
        "household_members",
        "owned_items",
        "relations",
        "search_terms",
        "tickets",
        "vehicle_parties",
        "vehicles",
    }
    with dealer.work() as session:
        back = MergeService(session, "customers").undo(merge)
        assert (back.stayed, back.left) == ([], {})
    left = differences(before, every_row(dealer))
    assert not left, json.dumps({str(key): value for key, value in left.items()}, indent=1)


def test_contacts_are_as_they_were(dealer, pair):
    with dealer.work() as session:
        contacts = [
            service_for("contacts", session)
            .create({"name": name, "customer_id": str(one), "mail_consent": said, "tags": [name]})
            .id
            for name, one, said in (("Di", pair[0], None), ("Dy", pair[1], "withdrawn"))
        ]
        service_for("deals", session).create({"name": "Theirs", "contact_id": str(contacts[1])})
    before = every_row(dealer)
    with dealer.work() as session:
        merge = MergeService(session, "contacts").merge(*contacts).id
    assert differences(before, every_row(dealer))
    with dealer.work() as session:
        MergeService(session, "contacts").undo(merge)
    left = differences(before, every_row(dealer))
    assert not left, json.dumps({str(key): value for key, value in left.items()}, indent=1)


def test_what_people_changed_since_stays(dealer, pair):
    keep, drop = pair
    with dealer.work() as session:
        merge = MergeService(session, "customers").merge(keep, drop, {"region": "drop"}).id
    with dealer.work() as session:
        deals = service_for("deals", session)
        elsewhere, renamed = (deal_of(session, mark) for mark in ("two", "one"))
        other = person(session, "Di Holm")
        deals.update(elsewhere, {"customer_id": str(other), "contact_id": None})
        deals.update(renamed, {"name": "Renamed"})
        customers = service_for("customers", session)
        tags = customers.get(keep).tags
        assert tags == ["one", "both", "two"]
        customers.update(keep, {"region": "South", "tags": [*tags, "new"], "industry": "Music"})
        record = customers.get(keep)
        record.custom = {**record.custom, "gone": {**record.custom["gone"], "a": 2, "c": 3}}
        write(session, [(Person(object="customers", id=keep), "phone", "marketing", Word(state="withdrawn"))])
    with dealer.work() as session:
        back = MergeService(session, "customers").undo(merge)
        assert back.stayed == ["Region"]
        assert back.left == {("public", "deals"): 1}
    with dealer.work() as session:
        kept, parted = (service_for("customers", session).get(one) for one in pair)
        assert (kept.region, kept.industry, kept.tags) == ("South", "Music", ["one", "both", "new"])
        assert (parted.region, parted.tags) == ("North", ["two", "both"])
        assert kept.custom["gone"] == {"a": 2, "c": 3}
        assert kept.former_numbers == parted.former_numbers == []
        assert service_for("deals", session).get(elsewhere).customer_id == other
        assert service_for("deals", session).get(renamed).name == "Renamed"
        said = select(ConsentState.state).where(
            ConsentState.person_id == keep, ConsentState.channel == "phone"
        )
        assert session.execute(said).scalar_one() == "withdrawn"


def deal_of(session, mark):
    return session.execute(select(Deal.id).where(Deal.name == f"Deal {mark}")).scalar_one()


def test_numbers_of_another_merge_stay(dealer, pair):
    with dealer.work() as session:
        third = person(session, "Third")
        service = MergeService(session, "customers")
        first = service.merge(*pair).id
        service.merge(pair[0], third)
        service.undo(first)
        customers = service_for("customers", session)
        number = session.execute(select(Customer.number).where(Customer.id == third)).scalar_one()
        assert customers.get(pair[0]).former_numbers == [number]


def test_after_ninety_days_it_stays(dealer, pair):
    with dealer.work() as session:
        merge = MergeService(session, "customers").merge(*pair).id
    client = dealer.client()
    with clock.ahead(dt.timedelta(days=89)):
        assert "Part Anna Lindquist again" in text_of(client, "/customers/merges")
    with clock.ahead(dt.timedelta(days=91)):
        with dealer.work() as session, pytest.raises(Conflict, match="older than 90 days"):
            MergeService(session, "customers").undo(merge)
        assert client.post(f"/customers/merges/{merge}/undo").status_code == 409
        for path in ("/customers/merges", f"/customers/{pair[0]}/doubles"):
            page = text_of(client, path)
            assert "Anna Lindquist" in page
            assert "Part Anna Lindquist again" not in page


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_the_list_of_merges(dealer, other_shop, pair, monkeypatch):
    client = dealer.client()
    assert "Nothing was merged yet" in text_of(client, "/customers/merges")
    with dealer.work() as session:
        first = MergeService(session, "customers").merge(*pair).id
        MergeService(session, "customers").merge(pair[0], person(session, "Third"))
    page = text_of(client, "/customers/merges")
    assert page.index("Third") < page.index("Anna Lindquist")
    assert "Mira Sol" in page
    assert "Nothing was merged yet" in text_of(other_shop.client(), "/customers/merges")
    assert other_shop.client().post(f"/customers/merges/{first}/undo").status_code == 404
    viewer = dealer.client(dealer.member("viewer"))
    assert viewer.get("/customers/merges").status_code == 403
    member = dealer.client(dealer.member())
    assert "Third" not in text_of(member, "/customers/merges") or member.post(
        f"/customers/merges/{first}/undo"
    ).status_code in (403, 404)
    monkeypatch.setattr(listing, "PAGE", 1)
    older = re.search(r"/customers/merges\?after=[0-9a-f-]+", text_of(client, "/customers/merges"))[0]
    page = text_of(client, older)
    assert "Third" not in page
    assert client.post(f"/customers/merges/{first}/undo").status_code == 303
    assert "Parted again" in text_of(client, older)
