"""The places of own values, read and written past the records: what a change of a field's kind moves."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Text, cast, func, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.db import tenant_id
from kehu.core.ids import parse_id
from kehu.core.records import own, scope
from kehu.core.records.fields import Field
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.core.tables import metadata

AT_ONCE = 5_000


class Pair(NamedTuple):
    """What a record holds in two places; None where it holds nothing."""

    record_id: uuid.UUID
    one: Any
    two: Any


def _model(object_name: str) -> Any:
    return get_type(object_name).model


def _written(model: Any, slot: str) -> Any:
    """Return a place as text of JSON, by which values are compared and grouped."""
    return cast(model.custom[own.PLACE][slot], Text)


def _has(model: Any, *slots: str) -> Any:
    return or_(*(model.custom[own.PLACE].has_key(slot) for slot in slots))


def _read(written: str | None) -> Any:
    return None if written is None else json.loads(written)


def pairs(
    session: Session,
    object_name: str,
    one: str,
    two: str,
    *,
    after: uuid.UUID | None = None,
    since: dt.datetime | None = None,
    limit: int,
) -> list[Pair]:
    """Return records with a value in one of two places, in the order of their ids; those in the trash as well.

    :param since: only those that were changed since then.
    """
    model = _model(object_name)
    statement = (
        select(model.id, _written(model, one), _written(model, two))
        .where(_has(model, one, two))
        .order_by(model.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(model.id > after)
    if since is not None:
        statement = statement.where(model.updated_at >= since)
    return [Pair(row[0], _read(row[1]), _read(row[2])) for row in session.execute(statement)]


def tally(session: Session, object_name: str, one: str, two: str = "") -> Iterator[tuple[Any, Any, int]]:
    """Go through what stands in one place, or in two: each different value or pair of values, and how often."""
    model = _model(object_name)
    first = _written(model, one)
    columns = [first, _written(model, two)] if two else [first]
    statement = (
        select(*columns, func.count())
        .where(_has(model, *(slot for slot in (one, two) if slot)))
        .group_by(*columns)
    )
    for row in session.execute(statement, execution_options={"yield_per": AT_ONCE}):
        yield _read(row[0]), _read(row[1]) if two else None, row[-1]


def count(session: Session, object_name: str, *slots: str) -> int:
    """Return how many records have a value in one of the places."""
    model = _model(object_name)
    statement = select(func.count()).select_from(model).where(_has(model, *slots))
    return int(session.execute(statement).scalar_one())


def bearers(
    session: Session, object_name: str, slot: str, values: Sequence[Any], limit: int
) -> list[tuple[uuid.UUID, str, Any]]:
    """Return records out of the trash with one of some values in a place, as far as the actor sees them."""
    record_type = get_type(object_name)
    model = _model(object_name)
    written = _written(model, slot)
    forms = select(func.jsonb_array_elements(cast(list(values), JSONB)).label("one"))
    wanted = forms.subquery()
    statement = (
        select(model.id, getattr(model, record_type.title), written)
        .where(
            model.deleted_at.is_(None),
            written.in_(select(cast(wanted.c.one, Text))),
            scope.seen(object_name, model, context.actor()),
        )
        .order_by(model.id)
        .limit(limit)
    )
    return [(row[0], str(row[1] or ""), _read(row[2])) for row in session.execute(statement)]


def write(session: Session, object_name: str, rows: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Set places of records, None to empty them; version and trail stay as they are.

    The places are set in the row as it is at that moment, so that nothing which is written meanwhile is lost.
    """
    if not rows:
        return
    found = [{"id": str(record_id), "more": dict(more)} for record_id, more in rows.items()]
    session.execute(
        _set(_model(object_name).__table__.name),
        {"rows": json.dumps(found, ensure_ascii=False), "tenant": tenant_id()},
    )


def _set(table: str) -> Any:
    # Only the name of our own table is put into the text.
    return text(
        f"UPDATE \"{table}\" AS kept SET custom = jsonb_set(kept.custom, '{{{own.PLACE}}}', "  # noqa: S608
        f"jsonb_strip_nulls(coalesce(kept.custom->'{own.PLACE}', CAST('{{}}' AS jsonb)) || found.more)) "
        "FROM json_to_recordset(CAST(:rows AS json)) AS found (id uuid, more jsonb) "
        "WHERE kept.tenant_id = :tenant AND kept.id = found.id"
    )


def names(session: Session, spec: Field, values: Iterable[Any]) -> dict[uuid.UUID, str]:
    """Return the names of the members or records at which values of a field point, as far as the actor sees them."""
    if spec.kind not in ("member", "ref"):
        return {}
    ids = [found for value in values if (found := parse_id(value))]
    if spec.kind == "member":
        members = metadata.tables["members"]
        statement: Any = select(members.c.id, members.c.name).where(
            members.c.tenant_id == tenant_id(), members.c.id.in_(ids)
        )
    elif spec.ref in registered():
        target = get_type(spec.ref)
        model: Any = target.model
        statement = select(model.id, getattr(model, target.title)).where(
            model.id.in_(ids), scope.seen(spec.ref, model, context.actor())
        )
    else:
        return {}
    return {row[0]: str(row[1] or "") for row in session.execute(statement)}
