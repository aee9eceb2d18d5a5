"""The walk of `test_author_journey`: it is copied beside the tests of a new plugin and run with it.

One firm switches the plugin on and works with it, another does not; then it goes off and is purged, without a trace.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select, text

from kehu.core.audit import AuditEntry
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import purge, run_job_now

SLUG = "lamp"
PAGE, SETTINGS = f"/x/{SLUG}/visits", f"/settings/plugins/{SLUG}"
_TABLES = text(
    "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
    "AND has_table_privilege(c.oid, 'SELECT') ORDER BY 1"
)


def traces(shop: Shop) -> set[str]:
    """Return the tables in which rows of a firm name the plugin, in whatever column, and its own with any row."""
    own, found = f"p_{SLUG}.", set()
    with shop.work() as session:
        for table in session.execute(_TABLES).scalars():
            named = "TRUE" if table.startswith(own) else "to_jsonb(x)::text ~ :slug"
            # Names come from the catalogue, quoted by it.
            statement = text(f"SELECT EXISTS (SELECT FROM {table} x WHERE tenant_id = :id AND {named})")
            values = {"id": shop.tenant.id, "slug": rf"\m{SLUG}\M"}
            if session.execute(statement, values).scalar_one():
                found.add(table.removeprefix("public."))
        waiting = text(
            "SELECT count(*) FROM procrastinate_jobs WHERE args->>'tenant_id' = :id AND args->>'slug' = :slug"
        )
        if session.execute(waiting, {"id": str(shop.tenant.id), "slug": SLUG}).scalar_one():
            found.add("procrastinate_jobs")
    return found


def expect(answer: Any, status: int, *words: str) -> None:
    """Stop unless a page answers so and holds these words."""
    assert answer.status_code == status, (answer.request.path, answer.status_code)
    for word in words:
        assert word in answer.text, (answer.request.path, word)


def test_on_for_one_firm_and_purged_without_a_trace(shop: Shop, other_shop: Shop) -> None:
    mine, other = shop, other_shop
    client, stranger = mine.client(), other.client()
    # Roles of a firm know the rights of what is installed; they count once it is on.
    elsewhere = traces(other)
    assert elsewhere <= {"roles"}
    for who in (client, stranger):
        expect(who.get(PAGE), 404)
    expect(client.post(f"{SETTINGS}/on", data={"agreed": SLUG, "next": SETTINGS}), 303)
    expect(client.get(PAGE), 200, "Visits")
    expect(stranger.get(PAGE), 404)

    with mine.work() as session:
        customer = service_for("customers", session).create({"name": "Anna Berg"}).id
    visit = {"day": "2020-01-01", "reason": "Check-up"}
    expect(client.post(f"/x/{SLUG}/customers/{customer}/new", data=visit), 303)
    expect(client.get(f"/x/{SLUG}/panel?customer_id={customer}"), 200, "Check-up")
    seen = re.search(r'name="seen" value="([^"]*)"', client.get(f"{SETTINGS}/settings").text)
    assert seen is not None
    expect(client.post(f"{SETTINGS}/settings", data={"days_late": "3", "seen": seen[1]}), 303)
    run_job_now(mine, f"{SLUG}.missed")
    kept = traces(mine)
    assert {f"p_{SLUG}.visits", "tenant_plugins", "roles", "audit_entries"} <= kept, kept
    assert traces(other) == elsewhere

    expect(client.post(f"{SETTINGS}/off", data={"dependants": "1", "next": SETTINGS}), 303)
    expect(client.get(PAGE), 404)
    assert f"p_{SLUG}.visits" in traces(mine)
    expect(client.post(f"{SETTINGS}/purge", data={"name": "Lamp", "next": SETTINGS}), 303)
    purge(mine, SLUG)
    left = traces(mine)
    assert left == {"audit_entries"}, left
    with mine.work() as session:
        done = select(AuditEntry.action).where(AuditEntry.object == "plugins").order_by(AuditEntry.id)
        actions = list(session.execute(done).scalars())
    assert actions[0] == "enabled"
    assert actions[-1] == "purged"
    expect(client.get(PAGE), 404)
    expect(client.get(f"/customers/{customer}"), 200, "Anna Berg")
    expect(client.get(SETTINGS), 200, "Not switched on")
