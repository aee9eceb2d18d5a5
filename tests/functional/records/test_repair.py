"""Tidying up what came in before: shown first, done in one batch or by a job, taken back whole."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.core.audit import AuditEntry
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.testkit.fixtures import Shop
from kehu.views import tasks
from kehu.web.records import bulk

SCRIPT = {"HX-Request": "true"}
OLD = {
    "name": "Ａcme  Ltd",
    "emails": '[{"address": "Info@ACME.example"}, {"address": "info@acme.example", "label": "work"}]',
    "phones": '[{"number": "020 7946 4410"}, {"number": "+44 20 7946 4410"}]',
    "addresses": '[{"street": " Quay  1 ", "city": "Hull"}]',
}


@pytest.fixture
def old(shop: Shop) -> list[Any]:
    """Two customers as an older release kept them, and one that is tidy."""
    with shop.work() as session:
        ids = [service_for("customers", session).create({"name": name}).id for name in ("a", "b", "Tidy")]
        for one in ids[:2]:
            session.execute(
                text(
                    "UPDATE customers SET name = :name, emails = CAST(:emails AS jsonb), "
                    "phones = CAST(:phones AS jsonb), addresses = CAST(:addresses AS jsonb) "
                    "WHERE tenant_id = :t AND id = :i"
                ),
                {**OLD, "t": shop.tenant.id, "i": one},
            )
    return ids


def values(shop: Shop, record_id: Any) -> tuple[Any, ...]:
    with shop.work() as session:
        statement = select(Customer.name, Customer.emails, Customer.phones, Customer.addresses)
        return tuple(session.execute(statement.where(Customer.id == record_id)).one())


def test_shown_done_and_taken_back(shop: Shop, other_shop: Shop, old: list[Any]) -> None:
    client, before = shop.client(), values(shop, old[0])
    assert "Tidy up" in client.get("/customers").text
    data = {"ids": ",".join(map(str, old))}
    page = client.post("/customers/bulk/repair", data=data, headers=SCRIPT)
    assert page.status_code == 409
    assert "Would change: 2 of 3" in page.text
    assert "+442079464410" in page.text
    assert values(shop, old[0]) == before
    stranger = other_shop.client().post("/customers/bulk/repair", data=data, headers=SCRIPT)
    assert "Acme" not in stranger.text
    data["confirmed"] = re.findall(r'name="confirmed" value="(\d+)"', page.text)[0]
    assert client.post("/customers/bulk/repair", data=data, headers=SCRIPT).status_code < 300
    name, emails, phones, addresses = values(shop, old[0])
    assert name == "Acme Ltd"
    assert [one["address"] for one in emails] == ["info@acme.example"]
    assert [one["number"] for one in phones] == ["+442079464410"]
    assert (addresses[0]["street"], addresses[0]["city"]) == ("Quay 1", "Hull")
    with shop.work() as session:
        where = (AuditEntry.record_id == old[0], AuditEntry.action == "updated")
        entry = session.execute(select(AuditEntry).where(*where)).scalar_one()
        assert set(entry.changes) == {"name", "emails", "phones", "addresses"}
        tidy = select(AuditEntry.id).where(AuditEntry.record_id == old[2], AuditEntry.action == "updated")
        assert session.execute(tidy).first() is None
        batch = entry.batch_id
    assert client.post(f"/undo/{batch}", headers=SCRIPT).status_code < 300
    assert [one["address"] for one in values(shop, old[0])[1]] == ["Info@ACME.example", "info@acme.example"]


def test_what_cannot_be_read_stays_and_holds_nothing_else_up(shop: Shop, old: list[Any]) -> None:
    phones = '[{"number": "020 7946 4410"}, {"number": "call reception"}]'
    with shop.work() as session:
        session.execute(
            text("UPDATE customers SET phones = CAST(:p AS jsonb) WHERE tenant_id = :t AND id = :i"),
            {"p": phones, "t": shop.tenant.id, "i": old[0]},
        )
    data = {"ids": str(old[0]), "confirmed": "1"}
    assert shop.client().post("/customers/bulk/repair", data=data, headers=SCRIPT).status_code < 300
    name, _emails, kept, _addresses = values(shop, old[0])
    assert (name, [one["number"] for one in kept]) == ("Acme Ltd", ["020 7946 4410", "call reception"])


def test_many_are_tidied_by_a_job(shop: Shop, old: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "JOB_OVER", 2)
    client = shop.client()
    data = {"all": "1", "query": "", "confirmed": "3"}
    answer = client.post("/customers/bulk/repair", data=data, headers=SCRIPT)
    assert answer.status_code < 300
    with shop.work() as session:
        args = session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'views.bulk' AND args->>'tenant_id' = :t"
            ),
            {"t": str(shop.tenant.id)},
        ).scalar_one()
    tasks.run_bulk(**args)
    assert [values(shop, one)[0] for one in old] == ["Acme Ltd", "Acme Ltd", "Tidy"]


def test_who_may(shop: Shop, old: list[Any]) -> None:
    data = {"ids": str(old[0]), "confirmed": "1"}
    viewer = shop.client(shop.member("viewer"))
    assert viewer.post("/customers/bulk/repair", data=data, headers=SCRIPT).status_code == 403
    assert shop.client().post("/tickets/bulk/repair", data=data, headers=SCRIPT).status_code == 404
