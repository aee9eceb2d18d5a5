"""Many rows in one statement: one parameter of JSON instead of thousands, so that an import is not slowed by parsing.

Rows go past the unit of work; what they refer to must be in the database already.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, TextClause, any_, inspect, literal, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from kehu.core.db import tenant_id

FEW: Final = 20
"""Up to so many rows the unit of work is as fast."""

_DIALECT = postgresql.dialect()


def among(column: Any, ids: Collection[uuid.UUID]) -> ColumnElement[bool]:
    """Return that a column holds one of these ids: one parameter, where `in_` would write one for each of hundreds."""
    return column == any_(literal(list(ids), ARRAY(UUID(as_uuid=True))))  # type: ignore[no-any-return]


def insert_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all have the same keys, the names of columns."""
    if rows:
        session.execute(
            _statement(table, tuple(rows[0])), {"rows": json.dumps(rows, default=_plain, ensure_ascii=False)}
        )


def update_rows(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Set columns of the present tenant's rows by their ids; all rows have the same keys, `id` among them.

    For what the product reckons by itself: version and trail stay as they are.
    """
    if rows:
        values = {"rows": json.dumps(rows, default=_plain, ensure_ascii=False), "tenant": tenant_id()}
        session.execute(_change(table, tuple(rows[0])), values)


_quote = _DIALECT.identifier_preparer.quote


def _found(table: Table, names: tuple[str, ...]) -> str:
    # Only names of our own columns are put into texts; the values are one parameter.
    types = ", ".join(f"{_quote(name)} {_type(table, name)}" for name in names)
    return f"json_to_recordset(CAST(:rows AS json)) AS found ({types})"


def _name(table: Table) -> str:
    return str(_DIALECT.identifier_preparer.format_table(table))


@cache
def _statement(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(_quote(name) for name in names)
    return text(f"INSERT INTO {_name(table)} ({columns}) SELECT {columns} FROM {_found(table, names)}")  # noqa: S608


@cache
def _change(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(f"{_quote(name)} = found.{_quote(name)}" for name in names if name != "id")
    return text(
        f"UPDATE {_name(table)} AS kept SET {columns} FROM {_found(table, names)} "  # noqa: S608
        "WHERE kept.tenant_id = :tenant AND kept.id = found.id"
    )


def _type(table: Table, name: str) -> str:
    return str(table.c[name].type.compile(_DIALECT)).partition(" COLLATE")[0]


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def insert_records(session: Session, records: Sequence[Any]) -> None:
    """Insert new objects of one class and make them persistent, as a flush would."""
    session.flush()  # What they refer to may still wait.
    state: Any = inspect(type(records[0]))
    columns = [(prop.key, prop.columns[0]) for prop in state.column_attrs]
    if len(records) <= FEW or not all(_is_known(records, key, column) for key, column in columns):
        session.add_all(records)
        session.flush()
        return
    rows = []
    for record in records:
        for key, column in columns:
            if key not in record.__dict__:
                default = column.default
                value = None if default is None else default.arg(None) if default.is_callable else default.arg
                set_committed_value(record, key, value)
        rows.append({column.name: record.__dict__[key] for key, column in columns})
    insert_rows(session, state.local_table, rows)
    for record in records:
        make_transient_to_detached(record)
    session.add_all(records)


def _is_known(records: Sequence[Any], key: str, column: Any) -> bool:
    """Tell whether the values of a column are known here, not only to the database."""
    if column.server_default is None or (
        column.default is not None and (column.default.is_callable or column.default.is_scalar)
    ):
        return True
    return all(record.__dict__.get(key) is not None for record in records)
