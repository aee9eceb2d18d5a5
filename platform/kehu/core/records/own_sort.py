"""Lists in the order of a firm's own field: first what has a value, by the index rows; then what has none.

Records without a value have no index row, so the end of such a list is read by a second statement, in the order of
creation, when a page gets that far. They stand last in both directions.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, literal, or_, select
from sqlalchemy.orm import Session

from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import own, own_index
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType

Mark = tuple[Any, uuid.UUID]


def rows(
    session: Session,
    statement: Any,
    record_type: RecordType,
    key: str,
    limit: int,
    mark: Mark | None,
    *,
    down: bool,
    backwards: bool,
) -> list[Any]:
    """Return the rows of a page, in the direction in which it is read.

    :param statement: the select of the list with its conditions, without an order.
    :param mark: value (as the index row holds it; None in the part without values) and id of the row before the page.
    """
    spec = record_type.by_key[key]
    if mark is not None and not _fits(spec, mark[0]):
        raise InvalidInput(
            _("This page mark is not valid here; start again from the first page."),
            fields={"after": [_("Unknown.")]},
        )
    parts: tuple[str, ...] = ("bare", "valued") if backwards else ("valued", "bare")
    if mark is not None:
        here = "bare" if mark[0] is None else "valued"
        parts = parts[parts.index(here) :]
    found: list[Any] = []
    for part in parts:
        if len(found) < limit:
            read = _bare if part == "bare" else _valued
            asked = read(statement, record_type, spec, mark, down=down, backwards=backwards)
            found += session.execute(asked.limit(limit - len(found))).mappings()
        mark = None
    return found


def _fits(spec: Field, value: Any) -> bool:
    if value is None:
        return True
    if spec.own is not None and spec.own.indexed == "word":
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _valued(
    statement: Any, record_type: RecordType, spec: Field, mark: Mark | None, *, down: bool, backwards: bool
) -> Any:
    model: Any = record_type.model
    index, mine = own_index.rows_of(spec)
    value = own_index.value_column(spec, index)
    turned = down != backwards
    found = statement.add_columns(value.label("sort__value")).join(
        # Said although no row lacks it: the index holds only rows that have one, and gives them in their order.
        index,
        and_(mine, index.record_id == model.id, index.place == 0, value.is_not(None)),
    )
    if mark is not None:
        bound = value <= mark[0] if turned else value >= mark[0]
        after = or_(
            value < mark[0] if turned else value > mark[0],
            and_(value == mark[0], index.record_id < mark[1] if turned else index.record_id > mark[1]),
        )
        found = found.where(bound, after)
    order = (value.desc(), index.record_id.desc()) if turned else (value.asc(), index.record_id.asc())
    return found.order_by(*order)


def _bare(
    statement: Any, record_type: RecordType, spec: Field, mark: Mark | None, *, down: bool, backwards: bool
) -> Any:
    model: Any = record_type.model
    found = statement.add_columns(literal(None).label("sort__value")).where(
        own_index.condition(model, spec, "empty", [True])
    )
    if mark is not None:
        found = found.where(model.id < mark[1] if backwards else model.id > mark[1])
    return found.order_by(model.id.desc() if backwards else model.id.asc())


def neighbours(matching: Any, record_type: RecordType, key: str, record: Any, *, down: bool) -> Sequence[Any]:
    """Return the sub-selects of the ids before and after a record in a list."""
    spec = record_type.by_key[key]
    value = own.value_of(record, spec)
    kept: Any = None
    if value is not None and value != "":
        by_word = spec.own is not None and spec.own.indexed == "word"
        kept = own_index.word_of(spec, value) if by_word else own_index.number_of(value)
    mark = kept, record.id
    sides = []
    for backwards in (True, False):
        read = _bare if kept is None else _valued
        near = _id_of(read(matching, record_type, spec, mark, down=down, backwards=backwards))
        crosses = backwards == (kept is None)
        if crosses:  # Beside the last with a value stands the first without one.
            other = _valued if kept is None else _bare
            beyond = _id_of(other(matching, record_type, spec, None, down=down, backwards=backwards))
            near = func.coalesce(near, beyond)
        sides.append(near)
    return sides


def _id_of(statement: Any) -> Any:
    rows = statement.limit(1).subquery()
    return select(rows.c.id).scalar_subquery()
