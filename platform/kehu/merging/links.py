"""What points at a record, asked of the database itself: whoever adds a table with a key is not forgotten.

Rows are moved in bulk. One that may not move (the kept record has its like already, and a constraint says so) stays
with the dropped record. Each moved row is remembered, so that the way back is exact.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core.db import tenant_id

OWN_WAY = frozenset({"consent_states"})
"""Tables whose rows are not moved: what somebody agreed to is said anew for the kept record."""

_CATALOGUE = text(
    """
    SELECT n.nspname AS schema, c.relname AS name, a.attname AS pointer,
      (SELECT array_agg(k.attname ORDER BY place.at)
         FROM pg_constraint p
         CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS place(num, at)
         JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = place.num
        WHERE p.conrelid = c.oid AND p.contype = 'p' AND k.attname <> 'tenant_id') AS keys
    FROM pg_constraint f
    JOIN pg_class c ON c.oid = f.conrelid AND NOT c.relispartition
    JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair(mine, theirs)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.mine
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = pair.theirs
    WHERE f.contype = 'f' AND f.confrelid = to_regclass(:target) AND b.attname = 'id'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE')
    ORDER BY 1, 2, 3
    """
)
"""Tables that the role may only add to (the trail, the history of consents) are left out: they stay as written."""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A column by which rows point at a record.

    :param keys: what a row is known by, beside its tenant.
    :param of: a further condition on the rows: column -> value.
    """

    schema: str = "public"
    name: str
    pointer: str
    keys: tuple[str, ...] = ("id",)
    of: tuple[tuple[str, str], ...] = ()

    @property
    def table(self) -> str:
        """The table's name as it stands in a statement."""
        return (
            f"{_quoted(self.schema)}.{_quoted(self.name)}" if self.schema != "public" else _quoted(self.name)
        )

    @property
    def row(self) -> str:
        """The expression by which a row is known."""
        return " || '|' || ".join(f"CAST({_quoted(key)} AS text)" for key in self.keys)

    @property
    def condition(self) -> str:
        """The condition on the rows that point at `:here`."""
        more = "".join(f" AND {_quoted(key)} = :of_{key}" for key, _value in self.of)
        return f"tenant_id = :tenant AND {_quoted(self.pointer)} = :here{more}"

    def as_json(self) -> dict[str, Any]:
        """Return what a merge keeps of it."""
        return {
            "schema": self.schema,
            "name": self.name,
            "pointer": self.pointer,
            "keys": list(self.keys),
            "of": [list(one) for one in self.of],
        }


def from_json(kept: Mapping[str, Any]) -> Link:
    """Read what `as_json` wrote."""
    return Link(
        schema=kept["schema"],
        name=kept["name"],
        pointer=kept["pointer"],
        keys=tuple(kept["keys"]),
        of=tuple((key, value) for key, value in kept["of"]),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def links_to(session: Session, object_name: str) -> list[Link]:
    """Return every column that points at records of a kind, of the platform and of all plugins' tables."""
    found = [
        Link(schema=row.schema, name=row.name, pointer=row.pointer, keys=tuple(row.keys or ("id",)))
        for row in session.execute(_CATALOGUE, {"target": object_name})
        if row.name not in OWN_WAY
    ]
    kind = (("object", object_name),)
    found += [
        Link(name="messages", pointer="person_id"),
        Link(name="files", pointer="record_id", of=kind),
        Link(name="merges", pointer="now_id", of=kind),
        Link(name="suggestion_decisions", pointer="record_id", of=kind),
    ]
    if object_name == "customers":
        found.append(Link(name="files", pointer="customer_id"))
    return found


def _values(link: Link, here: uuid.UUID, **more: Any) -> dict[str, Any]:
    return {"tenant": tenant_id(), "here": here, **{f"of_{key}": value for key, value in link.of}, **more}


def count(session: Session, links: Iterable[Link], record_id: uuid.UUID) -> dict[tuple[str, str], int]:
    """Return how many rows point at a record, by (schema, table)."""
    links = list(links)
    values: dict[str, Any] = {"tenant": tenant_id(), "here": record_id}
    parts = []
    for at, link in enumerate(links):
        values |= {f"of_{key}": value for key, value in link.of}
        # Names come from the catalogue and are quoted; every value is bound.
        parts.append(f"SELECT {at} AS at, count(*) AS rows FROM {link.table} WHERE {link.condition}")  # noqa: S608
    found: dict[tuple[str, str], int] = {}
    for row in session.execute(text(" UNION ALL ".join(parts)), values):
        if row.rows:
            key = (links[row.at].schema, links[row.at].name)
            found[key] = max(found.get(key, 0), row.rows)
    return found


def move(session: Session, link: Link, here: uuid.UUID, there: uuid.UUID) -> list[str]:
    """Let the rows that point here point there, and return which they are; those that may not, stay."""
    found = _rewrite(session, link, here, there, "")
    if found is not None:
        return found
    statement = text(f"SELECT {link.row} AS row FROM {link.table} WHERE {link.condition}")  # noqa: S608 - as above
    rows = [one.row for one in session.execute(statement, _values(link, here))]
    moved = [_rewrite(session, link, here, there, f" AND {link.row} = :one", one=row) for row in rows]
    return [row for some in moved if some for row in some]


def move_back(session: Session, link: Link, there: uuid.UUID, here: uuid.UUID, rows: Sequence[str]) -> int:
    """Let rows that still point there point here again, and return how many did."""
    known = f" AND {link.row} = ANY(:rows)"
    found = _rewrite(session, link, there, here, known, rows=list(rows))
    if found is not None:
        return len(found)
    some = [_rewrite(session, link, there, here, f" AND {link.row} = :one", one=row) for row in rows]
    return sum(len(one) for one in some if one)


def _rewrite(
    session: Session, link: Link, here: uuid.UUID, there: uuid.UUID, only: str, **more: Any
) -> list[str] | None:
    statement = text(
        f"UPDATE {link.table} SET {_quoted(link.pointer)} = :there "  # noqa: S608 - as above
        f"WHERE {link.condition}{only} RETURNING {link.row} AS row"
    )
    try:
        with session.begin_nested():
            return [one.row for one in session.execute(statement, _values(link, here, there=there, **more))]
    except IntegrityError:
        return None
