"""When a workflow starts: by an entry of the trail, by a day that comes, by silence; once for each event."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.activities.models import Activity
from kehu.core import clock, context, jobs
from kehu.core.audit import AuditEntry
from kehu.core.context import Actor
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import filters, scope
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.flows import acts, conditions
from kehu.flows.models import Flow, FlowRun

DEEPEST = 5
"""Workflows may start one another, so many in a row."""

LATE = 3
"""Days after which a day that nobody looked at is over."""

SLICE = 500
_NO_CHANGE = frozenset({"created", "trashed", "restored", "erased", "merged"})


def started_by(flow: Flow) -> list[ColumnElement[bool]]:
    """Return which entries of the trail start a workflow that waits for a record to be created or changed."""
    found: list[ColumnElement[bool]] = [AuditEntry.object == flow.object]
    if flow.trigger == "created":
        return [*found, AuditEntry.action == "created"]
    found.append(AuditEntry.action.not_in(_NO_CHANGE))
    if flow.field:
        return [*found, AuditEntry.changes.has_key(flow.field)]
    return [*found, AuditEntry.changes != {}]


def asker(session: Session, flow: Flow) -> Actor:
    """Return for whom a workflow looks: for who wrote it, while he may; a run then says why it can't act."""
    who = acts.acting(session, flow)
    return who if who.may(f"{flow.object}:read") else context.SYSTEM


def looked_at(record_type: RecordType, flow: Flow, who: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions of the records that a workflow is about, within what its author sees.

    :raises InvalidInput: when the condition names what is gone.
    """
    model: Any = record_type.model
    return [
        model.deleted_at.is_(None),
        scope.condition(record_type, model, who, who.scope(f"{record_type.name}:read")),
        *conditions.asked(record_type, flow.condition, who),
    ]


def meeting(session: Session, flow: Flow, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return which of some records meet a workflow's condition now."""
    kind = get_type(flow.object)
    model: Any = kind.model
    wanted = looked_at(kind, flow, asker(session, flow))
    found: set[uuid.UUID] = set()
    for at in range(0, len(ids), SLICE):
        part = ids[at : at + SLICE]
        found.update(session.execute(select(model.id).where(model.id.in_(part), *wanted)).scalars())
    return found


# A day that comes ------------------------------------------------------------------------


def window(flow: Flow, days: int, tenant: context.TenantInfo) -> tuple[dt.date, dt.date]:
    """Return the days that a date field may hold for the workflow to start today or within `days` before."""
    shift = dt.timedelta(days=flow.days if flow.side == "before" else -flow.days)
    today = clock.today(tenant.tz)
    return today + shift - dt.timedelta(days=days), today + shift


def on_days(record_type: RecordType, flow: Flow, first: dt.date, last: dt.date) -> ColumnElement[bool]:
    """Return the condition that the date field lies within two days."""
    spec = record_type.by_key[flow.field or ""]
    who, tenant = context.SYSTEM, context.tenant()
    return and_(
        *(
            filters.condition(record_type, record_type.model, spec, side, day.isoformat(), who, tenant)
            for side, day in (("gte", first), ("lte", last))
        )
    )


# Silence ---------------------------------------------------------------------------------


def last_sign(record_type: RecordType) -> ColumnElement[dt.datetime]:
    """Return when something happened to a record last: it was changed, or an activity about it was written or done."""
    model: Any = record_type.model
    if record_type.name not in acts.LINKS:
        return model.updated_at  # type: ignore[no-any-return]
    about = getattr(Activity, acts.LINKS[record_type.name])
    latest = (
        select(func.max(func.greatest(Activity.created_at, Activity.done_at)))
        .where(Activity.tenant_id == model.tenant_id, about == model.id, Activity.deleted_at.is_(None))
        .correlate(model)
        .scalar_subquery()
    )
    return func.greatest(model.updated_at, latest)


def silent(record_type: RecordType, flow: Flow) -> ColumnElement[bool]:
    """Return the condition that nothing happened to a record for the workflow's days."""
    model: Any = record_type.model
    until = clock.now() - dt.timedelta(days=flow.days)
    return and_(model.updated_at < until, last_sign(record_type) < until)


def _fresh(flow: Flow, record_type: RecordType) -> ColumnElement[bool]:
    """Return the condition that the workflow did not run since something happened last."""
    model: Any = record_type.model
    return ~exists().where(
        FlowRun.tenant_id == model.tenant_id,
        FlowRun.flow_id == flow.id,
        FlowRun.record_id == model.id,
        FlowRun.created_at >= last_sign(record_type),
    )


def due(session: Session, flow: Flow, after: uuid.UUID | None) -> list[tuple[uuid.UUID, str]]:
    """Return records that a workflow of days or silence is due for, with the event; a slice, in order of ids."""
    kind = get_type(flow.object)
    model: Any = kind.model
    statement: Select[Any]
    if flow.trigger == "date":
        tenant = context.tenant()
        since = (flow.active_since or clock.now()).astimezone(tenant.tz).date()
        days = min(LATE, max((clock.today(tenant.tz) - since).days, 0))
        statement = select(model).where(on_days(kind, flow, *window(flow, days, tenant)))
    else:
        statement = select(model.id, last_sign(kind)).where(silent(kind, flow), _fresh(flow, kind))
    if after is not None:
        statement = statement.where(model.id > after)
    statement = statement.where(*looked_at(kind, flow, asker(session, flow))).order_by(model.id).limit(SLICE)
    if flow.trigger == "date":
        return [
            (one.id, f"date:{flow.field}:{getattr(one, flow.field or '')}")
            for one in session.execute(statement).scalars()
        ]
    return [(row[0], f"quiet:{row[1].isoformat()}") for row in session.execute(statement)]


# Runs ------------------------------------------------------------------------------------


def begin(
    session: Session,
    flow: Flow,
    found: Iterable[tuple[uuid.UUID, str]],
    parent: FlowRun | None = None,
) -> int:
    """Make a run of each record and event that has none, enqueue it, and return how many those are.

    A run that would close a circle of workflows, or be the sixth in a row, is written down and does nothing.
    """
    chain = [*parent.chain, str(parent.flow_id)] if parent is not None else []
    why = ""
    if str(flow.id) in chain:
        why = _("Not run: this workflow started the ones before it, so it would go round in a circle.")
    elif len(chain) >= DEEPEST:
        why = _(
            "Not run: %(num)s workflows have started one another before it; more are not let.", num=DEEPEST
        )
    moment = clock.now()
    rows = [
        {
            "tenant_id": flow.tenant_id,
            "id": new_id(),
            "flow_id": flow.id,
            "object": flow.object,
            "record_id": record_id,
            "event": event,
            "depth": len(chain) + 1,
            "chain": chain,
            "steps": flow.steps,
            "state": "stopped" if why else "waiting",
            "told": [told(False, why)] if why else [],
            "created_at": moment,
            "next_at": None if why else moment,
            "finished_at": moment if why else None,
        }
        for record_id, event in found
    ]
    if not rows:
        return 0
    made = session.execute(insert(FlowRun).values(rows).on_conflict_do_nothing().returning(FlowRun.id))
    ids = made.scalars().all()
    for run_id in ids if not why else ():
        jobs.enqueue(session, "flows.run", run_id=str(run_id))
    return len(ids)


def told(good: bool, text: str, do: str = "") -> dict[str, Any]:
    """Return one line of a run's log."""
    return {"at": clock.now().isoformat(), "ok": good, "text": text[:500], "do": do}
