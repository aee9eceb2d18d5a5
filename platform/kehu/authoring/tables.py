"""The tables of a plugin as the database has them: what is missing to keep tenants apart, and what a key may break."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, inspect, text

from kehu.addons.migrations import schema_of
from kehu.core.doctor import POLICY_TEXT
from kehu.core.tables import metadata

VERSIONS = "alembic_version"

_TABLES = text(
    "SELECT c.oid, c.relname AS name, c.relrowsecurity AS guarded, c.relforcerowsecurity AS forced "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname <> :versions ORDER BY c.relname"
)
_POLICIES = text("SELECT tablename, qual, with_check, cmd FROM pg_policies WHERE schemaname = :schema")
_INDEXES = text(
    "SELECT i.relname AS name, x.indisprimary AS is_primary, x.indisunique AS is_unique, a.attname AS leads "
    "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid "
    "LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] WHERE x.indrelid = :oid"
)
_KEYS = text(
    "SELECT c.conname AS name, n.nspname AS schema, t.relname AS target, c.confdeltype AS ondelete, a.attname AS leads "
    "FROM pg_constraint c JOIN pg_class t ON t.oid = c.confrelid JOIN pg_namespace n ON n.oid = t.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] "
    "WHERE c.contype = 'f' AND c.conrelid = :oid"
)


def problems(connection: Connection, slug: str) -> list[str]:
    """Return what is wrong with a plugin's tables, each with the remedy."""
    schema = schema_of(slug)
    policies = {row.tablename: row for row in connection.execute(_POLICIES, {"schema": schema})}
    found: list[str] = []
    for table in connection.execute(_TABLES, {"schema": schema, "versions": VERSIONS}).all():
        found += _of_table(connection, table, policies.get(table.name))
        found += [f"{table.name}: {said}" for said in _of_keys(connection, schema, table.oid)]
    return found + _against_models(connection, slug)


def _of_table(connection: Connection, table: Any, policy: Any) -> Iterator[str]:
    good = policy is not None and policy.cmd == "ALL" and policy.qual == policy.with_check == POLICY_TEXT
    if not table.guarded or table.forced or not good:
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


def _against_models(connection: Connection, slug: str) -> list[str]:
    """Compare the columns of the models with those of the database."""
    schema, seen = schema_of(slug), inspect(connection)
    real = {
        name: {column["name"]: column["nullable"] for column in seen.get_columns(name, schema=schema)}
        for name in seen.get_table_names(schema=schema)
        if name != VERSIONS
    }
    found = []
    models = {table.name: table for table in metadata.tables.values() if table.schema == schema}
    for name in sorted(models.keys() | real.keys()):
        if name not in real:
            found.append(f"{name}: the model has no table. Write a migration.")
            continue
        if name not in models:
            found.append(f"{name}: the table has no model. Declare one, or drop the table in a migration.")
            continue
        wanted = {column.name: bool(column.nullable) for column in models[name].columns}
        found += [
            f"{name}: model and table differ in {column}. Write a migration or mend the model."
            for column in sorted(wanted.keys() | real[name].keys())
            if wanted.get(column) != real[name].get(column)
        ]
    return found
