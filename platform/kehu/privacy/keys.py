"""Which columns point at which tables, asked of the database itself: no table is forgotten, a plugin's neither."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_CATALOGUE = text(
    r"""
    SELECT n.nspname AS schema, c.relname AS name, a.attname AS pointer, a.attnotnull AS needed,
      f.confdeltype = 'c' AS goes_along, tn.nspname AS target_schema, t.relname AS target
    FROM pg_constraint f
    JOIN pg_class c ON c.oid = f.conrelid AND NOT c.relispartition
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class t ON t.oid = f.confrelid
    JOIN pg_namespace tn ON tn.oid = t.relnamespace
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair(mine, theirs)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = pair.mine
    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = pair.theirs
    WHERE f.contype = 'f' AND b.attname = 'id' AND a.attname <> 'tenant_id'
      AND (n.nspname = 'public' OR n.nspname LIKE 'p\_%')
      AND has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
      AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.oid AND o.attname = 'tenant_id')
    ORDER BY 1, 2, 3
    """
)


@dataclass(frozen=True, order=True)
class TableName:
    """A table, and its name as it stands in a statement."""

    schema: str
    name: str

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def own(self) -> bool:
        """Whether it is the platform's and no plugin's."""
        return self.schema == "public"

    @property
    def label(self) -> str:
        """The name as people and files have it: `deals`, `automotive.visits`."""
        return self.name if self.own else f"{self.schema.removeprefix('p_')}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """A column by which rows of a table point at rows of another.

    :param needed: it can't be empty.
    :param goes_along: the database removes the row with the one that it points at.
    """

    table: TableName
    column: str
    target: TableName
    needed: bool
    goes_along: bool

    @property
    def binds(self) -> bool:
        """Whether a row can't be without the one that it points at."""
        return self.needed or self.goes_along


def quoted(name: str) -> str:
    """Return a name of the catalogue as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def pointers(session: Session) -> dict[TableName, list[Pointer]]:
    """Return all pointers by the table that they point at."""
    found: dict[TableName, list[Pointer]] = {}
    for row in session.execute(_CATALOGUE):
        pointer = Pointer(
            table=TableName(row.schema, row.name),
            column=row.pointer,
            target=TableName(row.target_schema, row.target),
            needed=row.needed,
            goes_along=row.goes_along,
        )
        found.setdefault(pointer.target, []).append(pointer)
    return found
