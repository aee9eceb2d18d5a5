"""What an archive holds: found in the catalogue of the database, so that no table is forgotten."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.orm import Session

from kehu.core.tables import metadata

FORMAT = "kehu-archive/1"

LEFT_OUT: Mapping[str, str] = {
    "search_terms": "made anew from the records",
    "api_tokens": "secrets; make new tokens",
    "invitations": "secrets; invite again",
    "idempotency_keys": "kept for a day only",
    "webhook_deliveries": "what this installation sent",
    "flow_runs": "what this installation has run",
    "schedule_runs": "what this installation has run",
    "archives": "older archives",
}
"""Tables of the core that an archive leaves out, and why."""

NEW_SECRETS: Mapping[str, Sequence[str]] = {"webhooks": ("secret", "secret_before", "secret_before_until")}
"""Columns that only this installation can read; who takes the archive in makes them anew."""

SHOWN: Mapping[str, Mapping[str, str]] = {
    "tenant_plugins": {
        "settings": "(SELECT coalesce(jsonb_object_agg(e.key, e.value), '{}') FROM jsonb_each(settings) AS e "
        "WHERE jsonb_typeof(e.value) <> 'string' OR e.value #>> '{}' NOT LIKE 'gAAAA%')"
    }
}
"""Columns that are written by an expression: concealed settings of plugins stay here."""

FACTS = ("id", "address", "name", "country", "currency", "zone", "locale", "trade", "demo", "plugins")
"""What an archive says of the tenant itself; `settings` and `created_at` besides."""

HERE_ONLY = ("billing", "domain")
"""Facts among the settings that hold in one installation alone: neither written out nor believed."""

USER_FACTS = ("id", "email", "email_norm", "name", "locale", "confirmed_at")
"""What it says of the people: never a password or a second factor."""


@dataclass(frozen=True, kw_only=True)
class ArchivedTable:
    """A table of the archive with its columns in order of their names, and those of its primary key."""

    schema: str
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    types: Mapping[str, str]
    shown: Mapping[str, str] = field(default_factory=dict)
    users: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """As files and manifest name it: plain in the core, with its schema in a plugin."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The quoted name for a statement."""
        return f'"{self.schema}"."{self.name}"'


_COLUMNS = text(
    "SELECT n.nspname AS schema, c.relname AS name, a.attname AS col, format_type(a.atttypid, a.atttypmod) AS type, "
    "coalesce(array_position(i.indkey::int2[], a.attnum), -1) AS place, "
    "EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' "
    "AND k.confrelid = 'public.users'::regclass AND k.conkey = ARRAY[a.attnum]) AS person "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
    "JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
    "WHERE (n.nspname = 'public' OR n.nspname LIKE 'p\\_%') AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
    "AND c.relrowsecurity ORDER BY 1, 2, 3"
)
_KEYS = text(
    "SELECT n.nspname || '.' || c.relname AS from_table, m.nspname || '.' || d.relname AS to_table "
    "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "JOIN pg_class d ON d.oid = k.confrelid JOIN pg_namespace m ON m.oid = d.relnamespace "
    "WHERE k.contype = 'f' AND k.conrelid <> k.confrelid"
)


def tables(session: Session, *, everything: bool = False) -> list[ArchivedTable]:
    """Return the tables of an archive, those that others point at first.

    Tables of higher floors leave themselves out by `info["left_out"]`, the reason.

    :param everything: all tables with rows of tenants, also those that an archive leaves out.
    """
    left_out = set() if everything else set(reasons())
    rows: dict[tuple[str, str], list[Any]] = {}
    for row in session.execute(_COLUMNS):
        if row.schema != "public" or row.name not in left_out:
            rows.setdefault((row.schema, row.name), []).append(row)
    found = {f"{schema}.{name}": _table(schema, name, columns) for (schema, name), columns in rows.items()}
    graph: dict[str, set[str]] = {name: set() for name in found}
    for key in session.execute(_KEYS):
        if key.from_table in found and key.to_table in found:
            graph[key.from_table].add(key.to_table)
    order = graphlib.TopologicalSorter({name: sorted(needs) for name, needs in sorted(graph.items())})
    return [found[name] for name in order.static_order()]


def _table(schema: str, name: str, rows: Iterable[Any]) -> ArchivedTable:
    dropped = NEW_SECRETS.get(name, ()) if schema == "public" else ()
    kept = [row for row in rows if row.col not in dropped]
    placed = sorted((row for row in kept if row.place >= 0), key=lambda row: row.place)
    return ArchivedTable(
        schema=schema,
        name=name,
        columns=tuple(row.col for row in kept),
        key=tuple(row.col for row in placed),
        types={row.col: row.type for row in kept},
        shown=SHOWN.get(name, {}) if schema == "public" else {},
        users=tuple(row.col for row in kept if row.person),
    )


def reasons() -> dict[str, str]:
    """Return what an archive leaves out, and why."""
    said = {
        table.name: table.info["left_out"]
        for table in metadata.sorted_tables
        if table.schema is None and "left_out" in table.info
    }
    return {**LEFT_OUT, **said}


_REVISION = text("SELECT version_num FROM alembic_version")
_PLUGINS = text("SELECT slug, revision FROM plugin_installs WHERE slug IN :slugs").bindparams(
    bindparam("slugs", expanding=True)
)


def revision(session: Session) -> str:
    """Return where the tables of this installation stand."""
    return str(session.execute(_REVISION).scalar_one())


def plugin_revisions(session: Session, schemas: Iterable[str]) -> dict[str, str | None]:
    """Return where the tables of plugins stand, by slug."""
    slugs = sorted(schema.removeprefix("p_") for schema in schemas)
    if not slugs:
        return {}
    return {row.slug: row.revision for row in session.execute(_PLUGINS, {"slugs": slugs})}
