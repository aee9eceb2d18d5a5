"""Lists: scope, filters, sort and keyset pages over any record type, in one statement.

Only the columns that show are read, as plain tuples; names of members and of linked records come by join.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Session, aliased

from kehu.core import context, kept
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import filters, own, own_sort, scope
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.core.tables import RecordRow, metadata

PAGE = 50
LONGEST_PAGE = 200
COUNT_BOUND = 10_000


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """What a list is asked for; `args` are the URL's arguments, `titles` the names of linked records."""

    args: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[str] = ()
    limit: int = PAGE
    strict: bool = False
    titles: bool = True

    @property
    def sort(self) -> str:
        """The sort as written: a field key, with a minus for descending."""
        return self.args.get("sort", "")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of a list: rows as mappings (column key -> value, `<ref>__title` for names)."""

    rows: Sequence[Any]
    next: str | None
    previous: str | None
    sort: str
    columns: Sequence[Field]


def page(
    session: Session, record_type: RecordType, query: ListQuery, actor: context.Actor | None = None
) -> Page:
    """Return one page of a list within the actor's read scope.

    :raises Forbidden: when the actor may not see the type at all.
    :raises InvalidInput: for a filter, sort or cursor that makes no sense.
    """
    who = actor or context.actor()
    reach = who.require(f"{record_type.name}:read")
    model: Any = record_type.model
    key, down = _sort(record_type, query)
    columns = _columns(record_type, query)
    statement = _select(record_type, columns, key, who, titles=query.titles).where(
        model.deleted_at.is_(None),
        scope.condition(record_type, model, who, reach),
        *filters.conditions(record_type, model, query.args, who, context.tenant(), strict=query.strict),
    )
    backwards = bool(query.args.get("before")) and not query.args.get("after")
    cursor = query.args.get("before") if backwards else query.args.get("after")
    limit = min(max(query.limit, 1), LONGEST_PAGE)
    mark = _read_cursor(cursor) if cursor else None
    rows: list[Any]
    if own.is_own(key):
        rows = own_sort.rows(
            session, statement, record_type, key, limit + 1, mark, down=down, backwards=backwards
        )
    else:
        if mark:
            statement = statement.where(_beyond(model, record_type, key, down != backwards, mark))
        statement = statement.order_by(*_order(model, record_type, key, down != backwards)).limit(limit + 1)
        rows = list(session.execute(statement).mappings())
    more = len(rows) > limit
    rows = rows[:limit]
    if backwards:
        rows.reverse()
    forward = bool(rows) and (more or backwards)
    back = bool(rows) and (bool(cursor) if not backwards else more)
    return Page(
        rows=rows,
        next=_write_cursor(rows[-1]) if forward else None,
        previous=_write_cursor(rows[0]) if back else None,
        sort=f"{'-' if down else ''}{key}",
        columns=columns,
    )


def count(
    session: Session, record_type: RecordType, args: Mapping[str, str], actor: context.Actor | None = None
) -> int:
    """Return how many records match, counted up to `COUNT_BOUND`; more are returned as that bound plus one."""
    statement = select(func.count()).select_from(
        ids(record_type, args, actor).limit(COUNT_BOUND + 1).subquery()
    )
    return int(session.execute(statement).scalar_one())


def ids(
    record_type: RecordType, args: Mapping[str, str], actor: context.Actor | None = None
) -> Select[tuple[uuid.UUID]]:
    """Return the select of the ids of all records that match, within the actor's read scope."""
    who = actor or context.actor()
    model: Any = record_type.model
    reach = who.require(f"{record_type.name}:read")
    return select(model.id).where(
        model.deleted_at.is_(None),
        scope.condition(record_type, model, who, reach),
        *filters.conditions(record_type, model, args, who, context.tenant(), strict=False),
    )


def everything(
    session: Session,
    record_type: RecordType,
    args: Mapping[str, str],
    columns: Sequence[str],
    actor: context.Actor,
    *,
    only: Sequence[uuid.UUID] | None = None,
) -> Iterator[Mapping[str, Any]]:
    """Yield all rows that match within the actor's read scope, read in batches and in the order of creation (export).

    :param only: of these, not more than the ones with these ids.
    """
    model: Any = record_type.model
    chosen = _columns(record_type, ListQuery(columns=columns))
    statement = _select(record_type, chosen, "id", actor).where(
        model.deleted_at.is_(None),
        scope.condition(record_type, model, actor, actor.require(f"{record_type.name}:read")),
        *filters.conditions(record_type, model, args, actor, context.tenant(), strict=False),
    )
    if only is not None:
        statement = statement.where(model.id == any_(literal(list(only), ARRAY(UUID(as_uuid=True)))))
    result = session.execute(statement.order_by(model.id), execution_options={"yield_per": 500})
    rows: Any = result.mappings()
    yield from rows


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The records before and after one in a list, and how many the list holds (up to a bound)."""

    previous: uuid.UUID | None
    next: uuid.UUID | None
    total: int


def neighbours(
    session: Session,
    record_type: RecordType,
    args: Mapping[str, str],
    record: RecordRow,
    *,
    bound: int = 1000,
) -> Neighbours:
    """Return what stands beside a record in a list, in one statement."""
    model: Any = record_type.model
    key, down = _sort(record_type, ListQuery(args=args))
    matching = ids(record_type, args)
    if own.is_own(key):
        sides = own_sort.neighbours(matching, record_type, key, record, down=down)
    else:
        cursor = getattr(record, _sort_column(model, key).key), record.id
        sides = [
            matching.where(_beyond(model, record_type, key, turned, _plain(cursor)))
            .order_by(*_order(model, record_type, key, turned))
            .limit(1)
            .scalar_subquery()
            for turned in (not down, down)
        ]
    total = select(func.count()).select_from(matching.limit(bound + 1).subquery()).scalar_subquery()
    row = session.execute(
        select(sides[0].label("before"), sides[1].label("after"), total.label("total"))
    ).one()
    return Neighbours(previous=row.before, next=row.after, total=row.total)


def _plain(cursor: tuple[Any, uuid.UUID]) -> tuple[Any, uuid.UUID]:
    value, row_id = cursor
    return (value.isoformat() if isinstance(value, dt.datetime | dt.date) else value, row_id)


def _columns(record_type: RecordType, query: ListQuery) -> list[Field]:
    chosen = [key for key in query.columns if key in record_type.by_key]
    if not chosen:
        return [one for one in record_type.fields if one.column]
    return [record_type.by_key[key] for key in chosen]


def _sort(record_type: RecordType, query: ListQuery) -> tuple[str, bool]:
    for written in (query.sort, record_type.default_sort):
        key = written.removeprefix("-")
        spec = record_type.by_key.get(key)
        if spec is not None and spec.sortable:
            return key, written.startswith("-")
        if query.strict and written and written is query.sort:
            raise InvalidInput(
                _("Lists can't be sorted by “%(name)s”.", name=key), fields={"sort": [_("Unknown field.")]}
            )
    return "id", False


def _sort_column(model: Any, key: str) -> Any:
    # Names are sorted by their normalised form, which has the index.
    return getattr(model, f"{key}_norm", None) if hasattr(model, f"{key}_norm") else getattr(model, key)


_selects: dict[Any, Select[Any]] = {}


def _select(
    record_type: RecordType,
    columns: Sequence[Field],
    sort_key: str,
    actor: context.Actor,
    *,
    titles: bool = True,
) -> Select[Any]:
    """Return the select of a list without its conditions; built once, since building costs more than running it.

    The names of linked records depend on how far the reader sees those.
    """
    linked = {spec.ref for spec in columns if spec.kind == "ref"} if titles else ()
    key = (
        record_type.model,
        tuple((spec.key, spec.kind, spec.ref, spec.own.slot if spec.own else "") for spec in columns),
        sort_key,
        titles,
        kept.shape(actor, sorted(linked)),
    )
    found = _selects.get(key)
    if found is None:
        if len(_selects) > 500:
            _selects.clear()
        found = _selects[key] = _build_select(record_type, columns, sort_key, actor, titles=titles)
    return found


def _build_select(
    record_type: RecordType, columns: Sequence[Field], sort_key: str, actor: context.Actor, *, titles: bool
) -> Select[Any]:
    model: Any = record_type.model
    parts: list[Any] = [model.id, model.version]
    if not own.is_own(sort_key):
        parts.append(_sort_column(model, sort_key).label("sort__value"))
    joins: list[tuple[Any, ColumnElement[bool]]] = []
    for spec in columns:
        if spec.key in ("id", "version"):
            continue
        value = getattr(model, spec.key) if spec.own is None else own.column(model, spec)
        parts.append(value)
        if (
            spec.kind == "money"
            and spec.own is None
            and hasattr(model, spec.currency_from)
            and all(c.key != spec.currency_from for c in columns)
        ):
            parts.append(getattr(model, spec.currency_from))
        if not titles:
            continue
        if spec.kind == "member":
            members = metadata.tables["members"].alias(f"m_{spec.key}")
            joins.append(
                (
                    members,
                    and_(members.c.tenant_id == model.tenant_id, members.c.id == value),
                )
            )
            parts.append(members.c.name.label(f"{spec.key}__title"))
        elif spec.kind == "ref":
            target = get_type(spec.ref)
            other: Any = aliased(target.model, name=f"r_{spec.key}")
            joins.append(
                (
                    other,
                    scope.link(spec.ref, other, model, spec.key, actor),
                )
            )
            parts.append(getattr(other, target.title).label(f"{spec.key}__title"))
    statement = select(*parts).select_from(model)
    for entity, on in joins:
        statement = statement.outerjoin(entity, on)
    return statement


def _order(model: Any, record_type: RecordType, key: str, down: bool) -> list[Any]:
    column = _sort_column(model, key)
    if key == "id":
        return [model.id.desc() if down else model.id.asc()]
    # PostgreSQL's own order, empty last going up and first going down, is the one that indexes have.
    return [column.desc(), model.id.desc()] if down else [column.asc(), model.id.asc()]


def _beyond(
    model: Any, record_type: RecordType, key: str, down: bool, cursor: tuple[Any, uuid.UUID]
) -> ColumnElement[bool]:
    value, row_id = cursor
    column = _sort_column(model, key)
    after_id = model.id < row_id if down else model.id > row_id
    if key == "id":
        return after_id  # type: ignore[no-any-return]
    value = _typed(column, value)
    if value is None:
        return (
            or_(and_(column.is_(None), after_id), column.is_not(None))
            if down
            else and_(column.is_(None), after_id)
        )
    beyond = or_(
        column < value if down else column > value,
        and_(column == value, after_id),
    )
    bound = column <= value if down else column >= value
    if down or not column.nullable:
        # The plain bound lets the index start at the cursor; the alternatives alone would not.
        return and_(bound, beyond)
    return or_(and_(bound, beyond), column.is_(None))


def _typed(column: Any, value: Any) -> Any:
    if value is None:
        return None
    python_type = column.type.python_type
    try:
        if python_type is dt.datetime:
            return dt.datetime.fromisoformat(value)
        if python_type is dt.date:
            return dt.date.fromisoformat(value)
        if python_type is uuid.UUID:
            return uuid.UUID(value)
        if python_type is int and not isinstance(value, bool):
            return int(value)
        if python_type is str and isinstance(value, str):
            return value
        if python_type is bool:
            return bool(value)
    except (TypeError, ValueError) as error:
        raise _bad_cursor() from error
    raise _bad_cursor()


def _bad_cursor() -> InvalidInput:
    return InvalidInput(
        _("This page mark is not valid here; start again from the first page."),
        fields={"after": [_("Unknown.")]},
    )


def _write_cursor(row: Mapping[str, Any]) -> str:
    value = row["sort__value"]
    if isinstance(value, dt.datetime | dt.date):
        value = value.isoformat()
    elif isinstance(value, uuid.UUID):
        value = str(value)
    raw = json.dumps([value, row["id"].hex], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[Any, uuid.UUID]:
    try:
        value, row_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return value, uuid.UUID(row_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise _bad_cursor() from error
