"""What can be done with segments: keep the rule, ask who is in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.context import Actor
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import asking, filters, scope, where
from kehu.core.records.fields import FieldError
from kehu.core.records.service import RecordService
from kehu.core.records.types import get as get_type
from kehu.core.text import fold
from kehu.segments.models import Segment
from kehu.web.records import query

DEEPEST = 5
"""Segments may name other segments, so many deep."""
COUNT_BOUND = 10_000
_OPEN = "open_segments"


class SegmentService(RecordService[Segment]):
    """Write segments."""

    type_name = "segments"

    def prepare(self, record: Segment, changed: set[str]) -> None:
        """Normalise the name and write the rule in one way; “me” becomes the member who wrote it."""
        record.name_norm = fold(record.name)
        args = query.filters_only(query.parse(record.query or ""))
        args.pop("sort", None)
        mine = str(self.actor.member_id) if self.actor.member_id else "none"
        plain = {
            key: ",".join(mine if part == "me" else part for part in value.split(","))
            if key.partition(".")[0] in _members_of(record.object)
            else value
            for key, value in args.items()
        }
        if written := plain.get(where.KEY):
            with suppress(InvalidInput):  # `check` refuses what can't be read.
                plain[where.KEY] = asking.without_me(get_type(record.object), written, self.actor)
        record.query = query.write(plain) or None

    def check(self, record: Segment, changed: set[str]) -> None:
        """Refuse a rule that can't be asked, before somebody relies on it."""
        if not changed & {"query", "object"}:
            return
        model: Any = get_type(record.object).model
        try:
            if _named(record):
                self._check_circle(record)
            _conditions(record, model, self.actor)
        except InvalidInput as error:
            raise InvalidInput(str(error.message), fields={"query": [str(error.message)]}) from error

    def _check_circle(self, record: Segment) -> None:
        seen, wanted = {record.id}, _named(record)
        for _depth in range(DEEPEST):
            if record.id in wanted:
                message = _("A segment can't be a part of itself.")
                raise InvalidInput(message, fields={"query": [message]})
            found = self.session.execute(select(Segment).where(Segment.id.in_(wanted - seen))).scalars().all()
            seen |= wanted
            wanted = {one for row in found for one in _named(row)}

    def search_texts(self, record: Segment) -> Iterable[tuple[str, str]]:
        """Find a segment by its name."""
        yield "name", record.name


def _members_of(object_name: str) -> set[str]:
    return {one.key for one in get_type(object_name).fields if one.kind == "member"}


def _named(segment: Segment) -> set[uuid.UUID]:
    args = query.parse(segment.query or "")
    found = args.get("segment", "").split(",")
    for group in where.parse(args.get(where.KEY, "")).groups:
        found += [part for test in group.tests if test.key == "segment" for part in test.value.split("|")]
    return {one for part in found if (one := parse_id(part))}


def _conditions(segment: Segment, entity: Any, actor: Actor) -> list[ColumnElement[bool]]:
    args = query.parse(segment.query or "")
    kind = get_type(segment.object)
    # Strict: a filter that is not there any more must never let everybody in.
    return filters.conditions(kind, entity, args, actor, context.tenant(), strict=True)


def conditions_of(session: Session, segment_id: object, entity: Any, actor: Actor) -> ColumnElement[bool]:
    """Return the condition of being in a segment, for lists.

    :raises FieldError: when it is gone, can't be asked, or leads back to itself.
    """
    segment = session.execute(
        select(Segment).where(Segment.id == parse_id(segment_id), Segment.deleted_at.is_(None))
    ).scalar_one_or_none()
    if segment is None:
        raise FieldError(_("This segment does not exist any more."))
    opened: list[uuid.UUID] = session.info.setdefault(_OPEN, [])
    if segment.id in opened or len(opened) >= DEEPEST:
        raise FieldError(_("A segment can't be a part of itself."))
    opened.append(segment.id)
    try:
        return and_(entity.id.is_not(None), *_conditions(segment, entity, actor))
    except InvalidInput as error:
        raise FieldError(str(error.message)) from error
    finally:
        opened.remove(segment.id)


def members(segment: Segment, actor: Actor | None = None) -> Select[tuple[uuid.UUID]]:
    """Return the select of the ids of all records in a segment, within what the actor sees.

    :raises InvalidInput: when the rule can't be asked any more; nobody is in it then.
    """
    who = actor or context.actor()
    kind = get_type(segment.object)
    model: Any = kind.model
    reach = who.require(f"{segment.object}:read")
    return select(model.id).where(
        model.deleted_at.is_(None),
        scope.condition(kind, model, who, reach),
        *_conditions(segment, model, who),
    )


def count(session: Session, segment: Segment) -> int:
    """Return how many are in a segment, counted up to `COUNT_BOUND`; more are that bound plus one."""
    bounded = members(segment).limit(COUNT_BOUND + 1).subquery()
    return int(session.execute(select(func.count()).select_from(bounded)).scalar_one())


def names(session: Session, object_name: str) -> Sequence[Any]:
    """Return id and name of the segments of a kind."""
    statement = (
        select(Segment.id, Segment.name)
        .where(Segment.object == object_name, Segment.deleted_at.is_(None))
        .order_by(Segment.name_norm, Segment.id)
        .limit(200)
    )
    return session.execute(statement).all()
