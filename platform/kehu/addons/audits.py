"""Whether the tables of a plugin keep tenants apart and stay out of the platform's way, read from the catalogue.

Runs after each migration of a plugin, which it refuses, in `kehu plugin doctor` and in the contract of plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from kehu.core.doctor import POLICY_TEXT

VERSIONS = "alembic_version"

_TABLES = text(
    "SELECT c.oid, c.relname AS name, c.relrowsecurity AS guarded, c.relforcerowsecurity AS forced, "
    "c.relispartition AS is_part, a.attnotnull AS owned "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped "
    "WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname <> :versions ORDER BY c.relname"
)
_POLICIES = text("SELECT tablename, qual, with_check, cmd FROM pg_policies WHERE schemaname = :schema")
_INDEXES = text(
    "SELECT i.relname AS name, a.attname AS leads "
    "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
    "LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] WHERE x.indrelid = :oid"
)
_KEYS = text(
    "SELECT c.conname AS name, n.nspname AS schema, t.relname AS target, c.confdeltype AS ondelete, a.attname AS leads "
    "FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
    "WHERE c.contype = 'f' AND c.conrelid = :oid"
)
_FROM_OUTSIDE = text(
    "SELECT c.conname AS name, sn.nspname || '.' || s.relname AS source, t.relname AS target "
    "FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_namespace sn ON sn.oid = s.relnamespace "
    "JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace "
    "WHERE c.contype = 'f' AND tn.nspname = :schema AND sn.nspname <> :schema ORDER BY c.conname"
)
_TRIGGERS = text(
    "SELECT c.relname AS name, t.tgname AS trigger FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema AND NOT t.tgisinternal ORDER BY 1, 2"
)


def schema_of(slug: str) -> str:
    """Return the name of a plugin's schema."""
    return f"p_{slug}"


def problems(connection: Connection, slug: str) -> list[str]:
    """Return what is wrong with a plugin's tables, each with the remedy."""
    schema = schema_of(slug)
    policies = {row.tablename: row for row in connection.execute(_POLICIES, {"schema": schema})}
    found: list[str] = []
    for table in connection.execute(_TABLES, {"schema": schema, "versions": VERSIONS}).all():
        found += _of_table(connection, table, policies.get(table.name))
        found += [f"{table.name}: {said}" for said in _of_keys(connection, schema, table.oid)]
    found += [
        f"{key.target}: the key {key.name} of {key.source} points into the plugin. Drop it."
        for key in connection.execute(_FROM_OUTSIDE, {"schema": schema})
    ]
    found += [
        f"{row.name}: the trigger {row.trigger} works where nobody looks. Use kehu_after_change."
        for row in connection.execute(_TRIGGERS, {"schema": schema})
    ]
    return found


def _of_table(connection: Connection, table: Any, policy: Any) -> Iterator[str]:
    if not table.owned:
        yield f"{table.name}: it has no column tenant_id that is always filled. Create it with tenant_table()."
    good = policy is not None and policy.cmd == "ALL" and policy.qual == policy.with_check == POLICY_TEXT
    # A part of a table has no policy of its own: nobody may ask it alone.
    if not table.guarded or table.forced or not (good or table.is_part):
        yield f"{table.name}: its rows are not kept to their tenant. Create it with tenant_table()."
    for index in connection.execute(_INDEXES, {"oid": table.oid}):
        if index.leads != "tenant_id":
            yield f"{table.name}: the index {index.name} does not lead with tenant_id. Put it first."


def _of_keys(connection: Connection, schema: str, oid: int) -> Iterator[str]:
    for key in connection.execute(_KEYS, {"oid": oid}):
        if key.schema not in (schema, "public"):
            yield f"the key {key.name} points into another plugin. Use events in its place."
        elif key.target != "tenants" and key.leads != "tenant_id":
            yield f"the key {key.name} can point into another tenant. Put tenant_id first on both sides."
        if key.schema == "public" and key.ondelete != "c":
            yield f"the key {key.name} would forbid the platform to delete a row. Say ondelete='CASCADE'."
        elif key.ondelete in ("n", "d"):
            yield f"the key {key.name} sets values on delete. Use CASCADE or nothing."
