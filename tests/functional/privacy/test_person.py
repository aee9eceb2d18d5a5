"""All that is known of a person: handed out whole, erased without a trace of who it was."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from kehu.core import clock, hooks
from kehu.core.records.service import service_for
from kehu.privacy.tasks import scrub
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from plugins.rules import hookimpl
from plugins.subjects import SubjectReport

SECRETS = ("Анна Берг", "anna@berg.example", "likes red cars", "+442079464410", "ERP-77-berg", "oldfinch")


@pytest.fixture
def person(shop: Shop) -> dict[str, str]:
    """A customer with everything about her, and another one who only stands near."""
    with shop.work() as session:

        def make(kind: str, /, **values: Any) -> str:
            return str(service_for(kind, session).create(values).id)

        make("custom_fields", object="customers", label="Nickname", kind="text", searchable=True)
        anna = make(
            "customers",
            name="Анна Берг",
            kind="person",
            emails=[{"address": "anna@berg.example"}],
            phones=[{"number": "+442079464410"}],
            description="likes red cars",
            external_id="ERP-77-berg",
            c_nickname="Goldfinch",
        )
        other = make("customers", name="Harbour Taxis")
        contact = make("contacts", name="Анна Берг", customer_id=anna)
        deal = make("deals", name="Golf for Анна Берг", customer_id=anna, contact_id=contact, amount="18000")
        theirs = make("deals", name="A fleet", customer_id=other)
        ticket = make("tickets", subject="Анна Берг hears a noise", customer_id=anna)
        item = make("owned_items", name="Golf", serial="WVW1", customer_id=anna, contact_id=contact)
        make("activities", kind="note", subject="likes red cars", customer_id=anna, deal_id=deal)
        make("activities", kind="note", subject="saw Анна Берг", ticket_id=ticket)
        make("activities", kind="note", subject="fleet", customer_id=other)
    return {"anna": anna, "other": other, "deal": deal, "theirs": theirs, "ticket": ticket, "item": item}


def everything_of(shop: Shop) -> str:
    """Return all rows of the firm in all tables, as text."""
    with shop.work() as session:
        names = session.execute(
            text(
                "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid "
                "WHERE a.attname = 'tenant_id' AND c.relkind = 'r' AND has_schema_privilege(n.oid, 'USAGE') "
                "AND has_table_privilege(c.oid, 'SELECT') AND n.nspname IN ('public', 'p_automotive')"
            )
        ).scalars()
        return "\n".join(
            str(row.row)
            for name in list(names)
            for row in session.execute(
                text(f"SELECT to_jsonb(x)::text AS row FROM {name} x WHERE tenant_id = :id"),
                {"id": shop.tenant.id},
            )
        )


def run_scrub(shop: Shop) -> None:
    """Do what the job does."""
    with shop.work() as session:
        args = session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'privacy.scrub' "
                "AND args->>'tenant_id' = :id ORDER BY id DESC LIMIT 1"
            ),
            {"id": str(shop.tenant.id)},
        ).scalar_one()
    scrub(**args)


def erase(client: Browser, address: str, name: str) -> Any:
    page = client.get(address).get_data(as_text=True)
    version = page.split('name="version" value="')[1].split('"')[0]
    return client.post(f"{address}/erase", data={"name": name, "version": version})


def test_all_of_her_is_handed_out(shop: Shop, person: dict[str, str]) -> None:
    client = shop.client()
    answer = client.post(f"/privacy/customers/{person['anna']}/export")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    tables = json.loads(archive.read("data.json"))["tables"]
    assert {row["name"] for row in tables["customers"]} == {"Анна Берг"}
    assert [row["serial"] for row in tables["owned_items"]] == ["WVW1"]
    assert {row["subject"] for row in tables["activities"]} == {"likes red cars", "saw Анна Берг"}
    assert [row["id"] for row in tables["deals"]] == [person["deal"]]
    assert "members" not in tables
    assert any(row["action"] == "created" for row in tables["history"])
    assert "Harbour Taxis" not in archive.read("data.json").decode()
    assert "anna@berg.example" in archive.read("tables/customers.csv").decode()
    with shop.work() as session:
        noted = text("SELECT count(*) FROM audit_entries WHERE tenant_id = :id AND action = 'handed_out'")
        assert session.execute(noted, {"id": shop.tenant.id}).scalar_one() == 1


def test_nothing_of_her_is_left(shop: Shop, person: dict[str, str]) -> None:
    address = f"/privacy/customers/{person['anna']}"
    client = shop.client()
    page = client.get(address).get_data(as_text=True)
    assert "2 deals and tickets are still open" in page
    assert all(word in page for word in ("Owned items", "Activities", "Contacts", "This stays without"))
    refused = erase(client, address, "Anna")
    assert refused.status_code == 422
    assert 'value="Anna"' in refused.get_data(as_text=True)
    assert client.post(f"{address}/erase", data={"name": "Анна Берг", "version": "99"}).status_code == 422
    assert erase(client, address, "анна берг").status_code == 303
    run_scrub(shop)
    run_scrub(shop)  # A job may come twice.
    left = everything_of(shop)
    for secret in SECRETS:
        assert secret not in left, left[left.index(secret) - 300 :][:600]
    with shop.work() as session:
        deals = service_for("deals", session)
        deal = deals.get(person["deal"])
        assert (deal.amount, deal.contact_id) == (1_800_000, None)
        assert deal.name == f"Deal {deal.number}"
        assert deals.get(person["theirs"]).name == "A fleet"
        assert service_for("tickets", session).get(person["ticket"]).owned_item_id is None
        entry = session.execute(
            text("SELECT title, changes FROM audit_entries WHERE tenant_id = :id AND action = 'erased'"),
            {"id": shop.tenant.id},
        ).one()
        assert entry.changes["activities"] == [2, 0]
    assert client.get(address).status_code == 404


def test_a_contact_goes_and_his_firm_stays(shop: Shop) -> None:
    with shop.work() as session:
        firm = service_for("customers", session).create({"name": "Harbour Taxis"})
        contact = service_for("contacts", session).create(
            {"name": "Boris Klein", "customer_id": str(firm.id)}
        )
        deal = service_for("deals", session).create(
            {"name": "A fleet", "customer_id": str(firm.id), "contact_id": str(contact.id)}
        )
        service_for("activities", session).create(
            {"kind": "note", "subject": "Boris Klein called", "contact_id": str(contact.id)}
        )
        address, deal_id, firm_id = f"/privacy/contacts/{contact.id}", deal.id, firm.id
    assert erase(shop.client(), address, "Boris Klein").status_code == 303
    run_scrub(shop)
    assert "Boris Klein" not in everything_of(shop)
    with shop.work() as session:
        deal = service_for("deals", session).get(deal_id)
        assert (deal.name, deal.customer_id, deal.contact_id) == ("A fleet", firm_id, None)


@pytest.mark.parametrize("role", ["manager", "member", "viewer"])
def test_only_admins_may(shop: Shop, person: dict[str, str], role: str) -> None:
    client, address = shop.client(shop.member(role)), f"/privacy/customers/{person['anna']}"
    assert client.get(address).status_code == 403
    assert client.post(f"{address}/export").status_code == 403
    assert client.post(f"{address}/erase", data={"name": "Анна Берг", "version": "1"}).status_code == 403
    assert "/privacy/" not in client.get(f"/customers/{person['anna']}").get_data(as_text=True)


def test_another_firm_finds_nobody(other_shop: Shop, person: dict[str, str]) -> None:
    client = other_shop.client()
    for tail in ("", "/export", "/erase"):
        answer = client.open(f"/privacy/customers/{person['anna']}{tail}", method="POST" if tail else "GET")
        assert answer.status_code == 404
    assert client.get(f"/privacy/deals/{person['deal']}").status_code == 404


class Keeper:
    """A plugin that keeps something elsewhere."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.broken = False

    @hookimpl
    def kehu_subject_data(self, ctx: Any, object: str, record_id: Any, mode: str) -> SubjectReport:
        """Answer, or fail."""
        if self.broken:
            raise ValueError("no")
        self.asked.append(mode)
        return SubjectReport(rows={"letters": [{"text": "Dear Anna"}]}, erased={"Letters": 2})


@pytest.fixture
def keeper(shop: Shop) -> Iterator[Keeper]:
    """The built-in plugin on, answering for the length of a test."""
    made, relay = Keeper(), hooks.host().relay
    manager, kept = relay._manager, relay._manager.get_plugin("automotive")
    enable(shop, "automotive")
    manager.unregister(name="automotive")
    manager.register(made, name="automotive")
    relay.forget()
    yield made
    manager.unregister(name="automotive")
    manager.register(kept, name="automotive")
    relay.forget()


def test_plugins_say_what_they_keep_beside(
    shop: Shop, person: dict[str, str], keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, client = f"/privacy/customers/{person['anna']}", shop.client()
    assert "Letters" in client.get(address).get_data(as_text=True)
    archive = zipfile.ZipFile(io.BytesIO(client.post(f"{address}/export").get_data()))
    assert json.loads(archive.read("data.json"))["tables"]["automotive.letters"] == [{"text": "Dear Anna"}]
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    keeper.broken = True
    version = {"name": "Анна Берг", "version": "1"}
    assert client.post(f"{address}/erase", data=version).status_code == 409
    assert "likes red cars" in everything_of(shop)
    keeper.broken = False
    assert erase(client, address, "Анна Берг").status_code == 303
    assert keeper.asked[-1] == "erase"


def test_a_visitor_is_forgotten_and_the_visit_counts(shop: Shop, person: dict[str, str]) -> None:
    enable(shop, "automotive")
    with shop.work() as session:
        visits = service_for("automotive.visits", session)
        known = visits.create(
            {"name": "Анна Берг", "customer_id": person["anna"], "description": "likes red cars"}
        ).id
        stranger = visits.create({"name": "Anyone", "phone": "+44 20 7946 4411"}).id
        session.execute(
            text(
                "UPDATE p_automotive.visits SET customer_id = NULL, phone_norm = '+442079464410' "
                "WHERE tenant_id = :t AND id = :i"
            ),
            {"t": shop.tenant.id, "i": known},
        )
    client, address = shop.client(), f"/privacy/customers/{person['anna']}"
    archive = zipfile.ZipFile(io.BytesIO(client.post(f"{address}/export").get_data()))
    assert (
        json.loads(archive.read("data.json"))["tables"]["automotive.visits_by_phone"][0]["name"]
        == "Анна Берг"
    )
    assert erase(client, address, "Анна Берг").status_code == 303
    run_scrub(shop)
    with shop.work() as session:
        visits = service_for("automotive.visits", session)
        assert (visits.get(known).name, visits.get(known).phone_norm) == ("", None)
        assert visits.get(stranger).name == "Anyone"


def test_nothing_is_left_of_who_was_known_by_phone_alone(shop: Shop, person: dict[str, str]) -> None:
    enable(shop, "automotive")
    with shop.work() as session:
        day = clock.today(shop.tenant.tz) + dt.timedelta(days=14)
        monday = day - dt.timedelta(days=day.weekday())
        car = service_for("automotive.demo_cars", session).create({"name": "Golf, blue"}).id
        given = {"driver": "Анна Берг", "phone": "+442079464410", "from_at": f"{monday}T10:00"}
        drives = service_for("automotive.test_drives", session)
        drive = drives.book({**given, "demo_car_id": str(car)}).id  # type: ignore[attr-defined]
        visits = service_for("automotive.visits", session)
        visits.create({"name": "Анна Берг", "phone": "+44 20 7946 4410"})
        task = {"kind": "task", "subject": "Call Анна Берг, Golf, blue", "body": "+442079464410"}
        service_for("activities", session).create(task)
        for statement in (
            "UPDATE p_automotive.visits SET customer_id = NULL WHERE tenant_id = :t",
            "UPDATE p_automotive.test_drives SET customer_id = NULL WHERE tenant_id = :t",
            """
            INSERT INTO p_automotive.collisions (id, tenant_id, phone_norm, kind, state, claims, rules, shares,
              opened_at, due_at, version)
            SELECT gen_random_uuid(), :t, '+442079464410', 'help', 'open', '[]', '{}', '{}', now(), now(), 1
            """,
        ):
            session.execute(text(statement), {"t": shop.tenant.id})
    client, address = shop.client(), f"/privacy/customers/{person['anna']}"
    archive = zipfile.ZipFile(io.BytesIO(client.post(f"{address}/export").get_data()))
    tables = json.loads(archive.read("data.json"))["tables"]
    assert tables["automotive.test_drives_by_address"][0]["driver"] == "Анна Берг"
    assert tables["automotive.collisions_by_phone"][0]["phone"] == "+442079464410"
    assert erase(client, address, "Анна Берг").status_code == 303
    run_scrub(shop)
    rest = everything_of(shop).casefold()
    for secret in ("анна берг", "+442079464410"):
        assert secret not in rest
    with shop.work() as session:
        kept = service_for("automotive.test_drives", session).get(drive)
        assert (kept.driver, kept.phone, kept.model) == ("Erased", None, "Golf, blue")


def test_a_car_outlives_its_owner(shop: Shop, person: dict[str, str]) -> None:
    enable(shop, "automotive")
    with shop.work() as session:
        cars, readings = service_for("automotive.vehicles", session), "automotive.odometer_readings"
        car = {
            "make": "VW",
            "model": "Golf",
            "vin": "WVWZZZ1KZ6W612305",
            "plate": "B AA 1",
            "odometer": 41_000,
        }
        mine = cars.create({**car, "customer_id": person["anna"], "description": "Анна Берг smokes"}).id
        service_for(readings, session).create({"vehicle_id": str(mine), "shown": 41_500, "unit": "km"})
    client, address = shop.client(), f"/privacy/customers/{person['anna']}"
    page = client.get(address).get_data(as_text=True)
    kept = page.partition("This stays without the person")[2]
    assert "Vehicles" in kept
    assert "automotive.odometer_readings" not in page
    assert erase(client, address, "Анна Берг").status_code == 303
    run_scrub(shop)
    with shop.work() as session:
        found = service_for("automotive.vehicles", session).get(mine)
        assert (found.vin, found.odometer, found.name) == ("WVWZZZ1KZ6W612305", 41_500, "VW Golf")
        assert (found.customer_id, found.plate, found.description, found.owned_item_id) == (None,) * 4
        for name, rows in (("odometer_readings", 2), ("vehicle_parties", 0)):
            counted = text(f"SELECT count(*) FROM p_automotive.{name} WHERE tenant_id = :t")
            assert session.execute(counted, {"t": shop.tenant.id}).scalar_one() == rows, name
    rest = everything_of(shop)
    for part in ("smokes", "BAA1", "Анна"):
        assert part not in rest, part
    assert "VW Golf" in shop.client().get(f"/x/automotive/vehicles/{mine}").get_data(as_text=True)
