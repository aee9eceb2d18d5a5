"""Big statements that are built and compiled once: what is left for each request is to fill in the values.

For statements of many parts, whose building costs more than their running. They name their values with `slot`
and depend on nothing else; `key` says everything that decides their shape.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session

from kehu.core.context import Actor
from kehu.core.db import tenant_id

MOST = 400


_ID = UUID(as_uuid=True)


def slot(name: str, kind: Any = _ID) -> BindParameter[Any]:
    """Return a place for a value, by default an id."""
    return bindparam(name, None, type_=kind)


TENANT = slot("tenant")
"""Stands for the present tenant; `rows` fills it in."""

_kept: dict[Hashable, tuple[str, dict[str, Any]] | None] = {}


def shape(actor: Actor, names: Iterable[str]) -> tuple[Hashable, ...]:
    """Return how far the actor reads these record types, as a part of a key.

    Own and team scopes put the actor into the statement, which is then kept for him alone.
    """
    from kehu.core.records.types import namers_of

    asked = list(names)
    found = tuple((name, actor.scope(f"{name}:read")) for name in [*asked, *namers_of(asked)])
    if all(reach in (None, "all") for _name, reach in found):
        return found
    return (*found, tenant_id(), actor.member_id, actor.team_id)


def rows(
    session: Session, key: Hashable | None, build: Callable[[], Any], values: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Run a statement and return its rows.

    :param key: what decides its shape; None builds it anew.
    :param build: returns the statement, or None when there is nothing to ask.
    :param values: by the names of its slots.
    """
    given = {"tenant": tenant_id(), **values}
    if key is None:
        statement = build()
        return session.execute(statement, given).all() if statement is not None else ()
    connection = session.connection()
    if key not in _kept:
        if len(_kept) >= MOST:
            _kept.clear()
        _kept[key] = _compiled(build(), connection)
    kept = _kept[key]
    if kept is None:
        return ()
    text, constants = kept
    return connection.exec_driver_sql(text, {**constants, **given}).all()


def _compiled(statement: Any, connection: Connection) -> tuple[str, dict[str, Any]] | None:
    if statement is None:
        return None
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), {name: value for name, value in compiled.params.items() if value is not None}
