"""What a workflow would have done in the past ninety days, had it been on: counted and listed, nothing written."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.audit import AuditEntry
from kehu.core.ids import first_id_of
from kehu.core.records import scope
from kehu.core.records.fields import FieldError, LoadContext
from kehu.core.records.kinds import load_value
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.core.records.undo import written
from kehu.flows import conditions, starts
from kehu.flows.models import Flow, FlowRun

DAYS = 90
SHOWN = 50
COUNT_BOUND = 10_000
"""Events that are looked at, and records that are counted; beyond, the page says “at least”."""


@dataclass(kw_only=True)
class Rehearsal:
    """Which records a workflow would have touched.

    :param count: how many; with `more` at least so many.
    :param events: how often: a record that changed twice counts twice.
    :param how: `was` (asked of records as they were), `now` (as they are today), `quiet` (silent today).
    :param first: the latest of them, as far as the actor sees them.
    """

    count: int = 0
    events: int = 0
    more: bool = False
    how: str = "now"
    first: Sequence[tuple[uuid.UUID, str]] = field(default_factory=tuple)


def rehearse(session: Session, flow: Flow) -> Rehearsal:
    """Return what a workflow would have touched, within what the actor may see; nothing is written.

    :raises InvalidInput: when the condition names what is gone.
    """
    kind = get_type(flow.object)
    return (
        _by_trail(session, flow, kind)
        if flow.trigger in ("created", "changed")
        else _by_state(session, flow, kind)
    )


def _seen(kind: RecordType, actor: context.Actor) -> list[Any]:
    model: Any = kind.model
    return [model.deleted_at.is_(None), scope.condition(kind, model, actor, actor.scope(f"{kind.name}:read"))]


# Days and silence: records as they are ---------------------------------------------------


def _by_state(session: Session, flow: Flow, kind: RecordType) -> Rehearsal:
    model: Any = kind.model
    actor = context.actor()
    wanted = [*_seen(kind, actor), *conditions.asked(kind, flow.condition, actor)]
    if flow.trigger == "date":
        if flow.field not in kind.by_key:
            return Rehearsal()
        wanted.append(starts.on_days(kind, flow, *starts.window(flow, DAYS, context.tenant())))
    else:
        wanted.append(starts.silent(kind, flow))
    some = select(model.id).where(*wanted).limit(COUNT_BOUND + 1).subquery()
    count = int(session.execute(select(func.count()).select_from(some)).scalar_one())
    ids = (
        session.execute(select(model.id).where(*wanted).order_by(model.id.desc()).limit(SHOWN))
        .scalars()
        .all()
    )
    bounded = min(count, COUNT_BOUND)
    return Rehearsal(
        count=bounded,
        events=bounded,
        more=count > COUNT_BOUND,
        how="quiet" if flow.trigger == "quiet" else "now",
        first=_named(session, kind, ids),
    )


# Created and changed: by the trail -------------------------------------------------------


def _by_trail(session: Session, flow: Flow, kind: RecordType) -> Rehearsal:
    since = first_id_of(clock.now() - dt.timedelta(days=DAYS))
    own = select(FlowRun.id).where(FlowRun.flow_id == flow.id)
    statement = (
        select(AuditEntry.id, AuditEntry.record_id)
        .where(AuditEntry.id >= since, *starts.started_by(flow), AuditEntry.batch_id.not_in(own))
        .order_by(AuditEntry.id.desc())
        .limit(COUNT_BOUND + 1)
    )
    rows = session.execute(statement).all()
    found = Rehearsal(more=len(rows) > COUNT_BOUND)
    events = [(row.id, row.record_id) for row in rows[:COUNT_BOUND]]
    ids = list(dict.fromkeys(record_id for _id, record_id in events))
    past = conditions.as_it_was(kind, flow.condition, context.actor())
    good: list[uuid.UUID] = []
    for at in range(0, len(ids), starts.SLICE):
        part = ids[at : at + starts.SLICE]
        if past is None:
            good += _as_today(session, flow, kind, part)
            continue
        of_part = set(part)
        mine = {entry_id: record_id for entry_id, record_id in events if record_id in of_part}
        good += _as_then(session, kind, part, mine, past, since)
    found.how = "now" if past is None else "was"
    if past is None:
        met = set(good)
        found.events = sum(1 for _id, record_id in events if record_id in met)
    else:
        found.events = len(good)
    distinct = set(good)
    found.count = len(distinct)
    found.first = _named(session, kind, [one for one in ids if one in distinct][:SHOWN])
    return found


def _as_today(session: Session, flow: Flow, kind: RecordType, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    model: Any = kind.model
    actor = context.actor()
    asked = conditions.asked(kind, flow.condition, actor)
    statement = select(model.id).where(model.id.in_(ids), *_seen(kind, actor), *asked)
    return list(session.execute(statement).scalars())


def _as_then(
    session: Session,
    kind: RecordType,
    ids: Sequence[uuid.UUID],
    events: dict[uuid.UUID, uuid.UUID],
    past: tuple[conditions.Check, set[str]],
    since: uuid.UUID,
) -> list[uuid.UUID]:
    """Return the records of the events after which they met the condition, one for each event.

    From what a record is now, the trail is walked back: each entry says what a field held before.
    """
    check, keys = past
    model: Any = kind.model
    statement = select(model).where(model.id.in_(ids), *_seen(kind, context.actor()))
    states = {
        one.id: SimpleNamespace(**{key: getattr(one, key) for key in keys})
        for one in session.execute(statement).scalars()
    }
    trail = (
        select(AuditEntry.id, AuditEntry.record_id, AuditEntry.changes)
        .where(AuditEntry.object == kind.name, AuditEntry.record_id.in_(list(states)), AuditEntry.id >= since)
        .order_by(AuditEntry.id.desc())
    )
    ctx = LoadContext(
        country=context.tenant().country, currency=context.tenant().currency, zone=context.tenant().tz
    )
    good: list[uuid.UUID] = []
    for entry in session.execute(trail):
        state = states[entry.record_id]
        if entry.id in events and check(state):
            good.append(entry.record_id)
        for key in keys & entry.changes.keys():
            spec = kind.by_key[key]
            try:
                setattr(state, key, load_value(spec, written(spec, entry.changes[key][0]), ctx))
            except FieldError:
                setattr(
                    state, key, None
                )  # An option that is gone since: it is none of those that are asked for.
    return good


def _named(session: Session, kind: RecordType, ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, str]]:
    model: Any = kind.model
    statement = select(model.id, getattr(model, kind.title)).where(model.id.in_(ids))
    names = {row[0]: str(row[1] or "–") for row in session.execute(statement)}
    return [(one, names[one]) for one in ids if one in names]
