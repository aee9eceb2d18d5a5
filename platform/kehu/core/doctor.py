"""The schema audit (ADM-18): what the code expects against what the database has, with the repair."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql

from kehu.core import migration
from kehu.core.ids import new_id
from kehu.core.tables import metadata

POLICY_TEXT = "(tenant_id = (NULLIF(current_setting('kehu.tenant_id'::text, true), ''::text))::uuid)"
"""How PostgreSQL prints the condition of `migration.POLICY`."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that differs; `repair` is the statement or command that mends it."""

    table: str
    problem: str
    repair: str = ""


def audit(connection: Connection) -> list[Finding]:
    """Compare the database with the metadata; reads only.

    The metadata must be complete (`kehu.schema.load_core` and the floors above).
    """
    found: list[Finding] = []
    for check in (_revision, _roles, _tables, _policies, _keys, _triggers, _live):
        found += list(check(connection))
    return found


def core_tables() -> list[Table]:
    """Return the tables of the core, in dependency order; plugins keep theirs in schemas of their own."""
    return [table for table in metadata.sorted_tables if table.schema is None]


def tenant_tables() -> list[Table]:
    """Return the tenant-owned tables."""
    return [table for table in core_tables() if table.info["scope"] == "tenant"]


def _revision(connection: Connection) -> Iterator[Finding]:
    have, want = migration.current(connection), migration.heads()
    if have != want:
        yield Finding(
            table="alembic_version",
            problem=f"is at {have}, the code expects {want}",
            repair="kehu db upgrade",
        )


def _roles(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(
        text(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles "
            "WHERE rolname LIKE 'kehu\\_%'"
        )
    ).all()
    roles = {row.rolname: row for row in rows}
    for name, bypass in (
        (migration.APP_ROLE, False),
        (migration.CROSS_ROLE, True),
        (migration.OWNER_ROLE, False),
    ):
        row = roles.get(name)
        if row is None:
            yield Finding(table="roles", problem=f"{name} is missing", repair=f"CREATE ROLE {name} LOGIN")
            continue
        if row.rolsuper or row.rolcreaterole or row.rolcreatedb:
            yield Finding(
                table="roles",
                problem=f"{name} may do more than it should",
                repair=f"ALTER ROLE {name} NOSUPERUSER NOCREATEDB NOCREATEROLE",
            )
        if row.rolbypassrls != bypass:
            word = "BYPASSRLS" if bypass else "NOBYPASSRLS"
            yield Finding(table="roles", problem=f"{name} is not {word}", repair=f"ALTER ROLE {name} {word}")
    owned = connection.execute(
        text(
            "SELECT relname FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = :role)"
        ),
        {"role": migration.APP_ROLE},
    ).scalars()
    for name in owned:
        yield Finding(
            table=name,
            problem="is owned by the runtime role",
            repair=f"ALTER TABLE {name} OWNER TO {migration.OWNER_ROLE}",
        )


_COLUMNS = text(
    "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, "
    "coalesce(co.collname, '') AS collation "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "LEFT JOIN pg_collation co ON co.oid = a.attcollation AND co.collname <> 'default' WHERE c.relkind IN ('r', 'p')"
)


def _type_name(column: Any) -> str:
    written = str(column.type.compile(dialect=postgresql.dialect())).lower().split(" collate")[0]
    return {"timestamp with time zone": "timestamp with time zone"}.get(written, written)


def _tables(connection: Connection) -> Iterator[Finding]:
    real: dict[str, dict[str, Any]] = {}
    for row in connection.execute(_COLUMNS):
        real.setdefault(row.relname, {})[row.attname] = row
    indexes = _indexes(connection)
    for table in core_tables():
        columns = real.get(table.name)
        if columns is None:
            yield Finding(table=table.name, problem="is missing", repair="kehu db upgrade")
            continue
        for column in table.columns:
            have = columns.get(column.name)
            if have is None:
                yield Finding(
                    table=table.name,
                    problem=f"lacks the column {column.name}",
                    repair=f"ALTER TABLE {table.name} ADD COLUMN {column.name} {_type_name(column)}",
                )
            elif have.type != _type_name(column):
                yield Finding(
                    table=table.name, problem=f"{column.name} is {have.type}, expected {_type_name(column)}"
                )
            elif have.attnotnull is column.nullable:
                word = "DROP" if column.nullable else "SET"
                yield Finding(
                    table=table.name,
                    problem=f"{column.name} {'refuses' if column.nullable else 'allows'} empty values",
                    repair=f"ALTER TABLE {table.name} ALTER COLUMN {column.name} {word} NOT NULL",
                )
        for name in sorted(set(columns) - {column.name for column in table.columns}):
            yield Finding(table=table.name, problem=f"has the unexpected column {name}")
        yield from _missing_indexes(table, indexes.get(table.name, set()))


def _indexes(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = connection.execute(text("SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"))
    for row in rows:
        found.setdefault(row.tablename, set()).add(row.indexname)
    return found


def _missing_indexes(table: Table, have: set[str]) -> Iterator[Finding]:
    from sqlalchemy.schema import CreateIndex

    for index in table.indexes:
        if index.name not in have:
            statement = str(CreateIndex(index).compile(dialect=postgresql.dialect()))
            yield Finding(
                table=table.name,
                problem=f"lacks the index {index.name}",
                repair=" ".join(statement.replace("CREATE INDEX", "CREATE INDEX CONCURRENTLY").split()),
            )


def _policies(connection: Connection) -> Iterator[Finding]:
    state = {
        row.relname: row
        for row in connection.execute(
            text(
                "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition FROM pg_class c "
                "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' WHERE c.relkind IN ('r', 'p')"
            )
        )
    }
    policies: dict[str, list[Any]] = {}
    for row in connection.execute(
        text("SELECT tablename, policyname, qual, with_check, cmd, permissive FROM pg_policies")
    ):
        policies.setdefault(row.tablename, []).append(row)
    for table in tenant_tables():
        real = state.get(table.name)
        if real is None:
            continue
        if not real.relrowsecurity:
            yield Finding(
                table=table.name,
                problem="has no row security",
                repair=f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
            )
        if real.relforcerowsecurity:
            yield Finding(
                table=table.name,
                problem="forces row security",
                repair=f"ALTER TABLE {table.name} NO FORCE ROW LEVEL SECURITY",
            )
        rows = policies.get(table.name, [])
        good = len(rows) == 1 and rows[0].qual == rows[0].with_check == POLICY_TEXT and rows[0].cmd == "ALL"
        if not good:
            yield Finding(
                table=table.name,
                problem="has another policy than that of its tenant",
                repair=f"CREATE POLICY {table.name}_tenant ON {table.name} "
                f"USING ({migration.POLICY}) WITH CHECK ({migration.POLICY})",
            )


def _keys(connection: Connection) -> Iterator[Finding]:
    """Find keys and unique indexes without tenant, and foreign keys that could cross tenants."""
    names = {table.name for table in tenant_tables()}
    rows = connection.execute(
        text(
            "SELECT t.relname AS table, i.relname AS index, "
            "(SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY k(attnum, n) "
            "JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum) AS columns, x.indisunique AS is_unique "
            "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid "
            "JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'"
        )
    )
    for row in rows:
        if row.table in names and (not row.columns or row.columns[0] != "tenant_id"):
            yield Finding(
                table=row.table,
                problem=f"{row.index} does not lead with tenant_id",
                repair=f"DROP INDEX {row.index}",
            )
    keys = connection.execute(
        text(
            "SELECT c.conname, s.relname AS source, t.relname AS target, c.confdeltype, "
            "(SELECT array_agg(a.attname ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY k(attnum, n) "
            "JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum = k.attnum) AS columns "
            "FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid "
            "JOIN pg_namespace n ON n.oid = s.relnamespace AND n.nspname = 'public' WHERE c.contype = 'f'"
        )
    )
    for row in keys:
        if row.target in names and (row.source not in names or row.columns[0] != "tenant_id"):
            yield Finding(table=row.source, problem=f"{row.conname} can point into another tenant")
        if row.source in names and row.confdeltype in ("n", "d"):
            yield Finding(table=row.source, problem=f"{row.conname} sets values on delete")


def _triggers(connection: Connection) -> Iterator[Finding]:
    names = {table.name for table in tenant_tables()}
    rows = connection.execute(
        text(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal"
        )
    )
    for row in rows:
        if row.relname in names:
            yield Finding(
                table=row.relname,
                problem=f"has the trigger {row.tgname}",
                repair=f"DROP TRIGGER {row.tgname} ON {row.relname}",
            )


def _live(connection: Connection) -> Iterator[Finding]:
    """See with the runtime role's eyes that no tenant, and a foreign one, mean no rows."""
    may = connection.execute(
        text(
            "SELECT rolsuper OR pg_has_role(current_user, :role, 'SET') FROM pg_roles WHERE rolname = current_user"
        ),
        {"role": migration.APP_ROLE},
    ).scalar()
    if not may:
        return
    for setting in ("", str(new_id())):
        with connection.begin_nested() as savepoint:
            connection.execute(text(f"SET LOCAL ROLE {migration.APP_ROLE}"))
            connection.execute(text(f"SET LOCAL kehu.tenant_id TO '{setting}'"))
            for table in tenant_tables():
                if connection.execute(text(f"SELECT 1 FROM {table.name} LIMIT 1")).first() is not None:  # noqa: S608 - our own names
                    yield Finding(table=table.name, problem="shows rows without their tenant")
            savepoint.rollback()
