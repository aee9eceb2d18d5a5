"""Workflows at work: changes start runs, each morning days and silence do, and a run goes on action by action."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, db, events, jobs, schedule
from kehu.core.audit import AuditEntry
from kehu.core.errors import InvalidInput, KehuError
from kehu.core.i18n import _
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.flows import acts, starts
from kehu.flows.models import Flow, FlowRun
from kehu.flows.services import FACT

log = structlog.get_logger(__name__)

WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (300, 3_600, 21_600))
"""Before an action that failed is tried the second, third and fourth time."""

EARLY = dt.timedelta(seconds=60)
"""How much sooner than told a run may go on: clocks of two machines differ."""

KEPT = dt.timedelta(days=400)


def _wanted(tenant: context.TenantInfo, name: str) -> bool:
    """Tell whether an event may start a workflow; an import tells of all that it did as of records created."""
    started = tenant.settings.get(FACT, ())
    singular, _dot, action = name.rpartition(".")
    if not started or action in ("trashed", "restored"):
        return False
    return any(
        (kind := registered().get(object_name)) is not None
        and kind.singular == singular
        and (trigger == "changed" or (trigger == "created" and action == "created"))
        for object_name, trigger in (one.split(" ") for one in started)
    )


def _enqueue(session: Session, _tenant_id: str, batch_id: str) -> None:
    if not session.info.get("undoing"):  # What is taken back starts nothing, or it would be done again.
        jobs.enqueue(session, "flows.start", batch_id=batch_id)


events.connect("flows", _wanted, _enqueue)


def _live(session: Session, *triggers: str) -> list[Flow]:
    statement = select(Flow).where(Flow.deleted_at.is_(None), Flow.active, Flow.trigger.in_(triggers))
    return [one for one in session.execute(statement).scalars() if one.object in registered()]


@jobs.tenant_task("flows.start", queue="events")
def start(tenant_id: uuid.UUID, batch_id: str, after: str = "") -> None:
    """Begin the runs that a batch of changes starts; twice begins none twice.

    :param after: the last entry that was looked at; a large batch goes in slices, a job for each.
    """
    session = db.session()
    batch = uuid.UUID(batch_id)
    entries = (
        select(AuditEntry.id)
        .where(AuditEntry.batch_id == batch, *([AuditEntry.id > uuid.UUID(after)] if after else []))
        .order_by(AuditEntry.id)
        .limit(starts.SLICE)
    )
    ids = session.execute(entries).scalars().all()
    if len(ids) == starts.SLICE:
        jobs.enqueue(session, "flows.start", batch_id=batch_id, after=str(ids[-1]))
    parent = session.get(FlowRun, (tenant_id, batch))
    with context.use(actor=context.SYSTEM):
        for flow in _live(session, "created", "changed"):
            if parent is None or parent.flow_id != flow.id:  # What it did itself never starts it.
                _start_one(session, flow, ids, parent)


def _start_one(session: Session, flow: Flow, ids: Sequence[uuid.UUID], parent: FlowRun | None) -> None:
    statement = select(AuditEntry.id, AuditEntry.record_id).where(
        AuditEntry.id.in_(ids), *starts.started_by(flow)
    )
    found = session.execute(statement.order_by(AuditEntry.id)).all()
    if not found:
        return
    try:
        good = starts.meeting(session, flow, [row.record_id for row in found])
    except InvalidInput:
        return  # It names a field that is not there any more; its page says so.
    starts.begin(
        session, flow, [(row.record_id, f"entry:{row.id}") for row in found if row.record_id in good], parent
    )


@schedule.every_tenant("flows.look", at="05:40", rests=True)
def look(_tenant_id: uuid.UUID) -> None:
    """Look each morning for days that come and for silence, and forget runs that are long over."""
    session = db.session()
    for flow in _live(session, "date", "quiet"):
        jobs.enqueue(session, "flows.look_one", flow_id=str(flow.id))
    session.execute(
        delete(FlowRun)
        .where(FlowRun.created_at < clock.now() - KEPT, FlowRun.state.in_(("done", "failed", "stopped")))
        .execution_options(synchronize_session=False)
    )


@jobs.tenant_task("flows.look_one")
def look_one(tenant_id: uuid.UUID, flow_id: str, after: str = "") -> None:
    """Begin the runs of one workflow that are due today, a slice for each job."""
    session = db.session()
    flow = session.get(Flow, (tenant_id, uuid.UUID(flow_id)))
    if flow is None or flow.deleted_at is not None or not flow.active or flow.object not in registered():
        return
    with context.use(actor=context.SYSTEM):
        try:
            found = starts.due(session, flow, uuid.UUID(after) if after else None)
        except (InvalidInput, KeyError):
            return  # It names a field that is not there any more; its page says so.
        starts.begin(session, flow, found)
    if len(found) == starts.SLICE:
        jobs.enqueue(session, "flows.look_one", flow_id=flow_id, after=str(found[-1][0]))


@jobs.tenant_task("flows.run", one_transaction=False)
def run(_tenant_id: uuid.UUID, run_id: str) -> None:
    """Go on with a run, each action in a transaction of its own; safe to run twice and by two workers at once."""
    found = uuid.UUID(run_id)
    try:
        while _go_on(found):
            continue
    except (OperationalError, InterfaceError):
        raise  # The database went away: the queue tries again by itself.
    except KehuError as error:
        _failed(found, _words(error))
    except Exception:
        # A fault of ours ends here, at the edge of the job: the log of the run says so, and it is tried again.
        log.exception("flow_run_failed", run_id=run_id)
        number = context.current().request_id
        _failed(found, _("Something went wrong on our side. If it happens again, tell us this number: %(number)s",
                         number=number))  # fmt: skip


def _words(error: KehuError) -> str:
    fields = [text for texts in error.fields.values() for text in texts]
    return " ".join(dict.fromkeys(fields)) or str(error.message)


def _open(session: Session, run_id: uuid.UUID) -> FlowRun | None:
    """Return a run that waits and whose moment has come, locked."""
    statement = select(FlowRun).where(FlowRun.id == run_id, FlowRun.state == "waiting").with_for_update()
    found = session.execute(statement).scalar_one_or_none()
    if found is None or (found.next_at is not None and found.next_at > clock.now() + EARLY):
        return None
    return found


def _go_on(run_id: uuid.UUID) -> bool:
    """Do the next action of a run and tell whether there is another one to do now."""
    with db.unit_of_work() as session:
        found = _open(session, run_id)
        if found is None:
            return False
        flow = session.get(Flow, (found.tenant_id, found.flow_id))
        why = _over(session, flow, found)
        if why or flow is None or found.step >= len(found.steps):
            _finish(found, "stopped" if why else "done", why)
            return False
        step = found.steps[found.step]
        found.step, found.attempts, found.next_at = found.step + 1, 0, None
        if step["do"] == "wait":
            _wait(session, found, dt.timedelta(days=step["days"]), True, _("Waits"))
            return False
        audit.use_batch(session, found.id)
        text = acts.perform(session, flow, found, get_type(found.object), step)
        found.told = [*found.told, starts.told(True, text, step["do"])]
        if found.state == "waiting" and found.step >= len(found.steps):
            _finish(found, "done")
        return found.state == "waiting"


def _over(session: Session, flow: Flow | None, found: FlowRun) -> str:
    """Return why a run goes no further, in plain words; empty while it does."""
    if flow is None or flow.deleted_at is not None or not flow.active:
        return _("Stopped: the workflow was switched off or removed.")
    if found.steps != flow.steps:
        # Who changed it answers for the actions that it has now, not for those it had.
        return _("Stopped: the actions of the workflow were changed.")
    kind = registered().get(found.object)
    if kind is None:
        return _("Stopped: records of this kind are switched off.")
    statement = select(kind.model.id).where(kind.model.id == found.record_id, kind.model.deleted_at.is_(None))
    if session.execute(statement).first() is None:
        return _("Stopped: the record is in the trash or was merged.")
    return ""


def _finish(found: FlowRun, state: str, why: str = "") -> None:
    found.state, found.next_at, found.finished_at = state, None, clock.now()
    if why:
        found.told = [*found.told, starts.told(False, why)]


def _wait(session: Session, found: FlowRun, wait: dt.timedelta, good: bool, text: str) -> None:
    found.next_at = clock.now() + wait
    found.told = [*found.told, starts.told(good, text)]
    jobs.enqueue(session, "flows.run", run_id=str(found.id), wait=wait)


def _failed(run_id: uuid.UUID, why: str) -> None:
    """Write down that an action failed; it is tried again some times, and what it should have done stays undone."""
    with db.unit_of_work() as session:
        found = _open(session, run_id)
        if found is None:
            return
        if found.attempts >= len(WAITS):
            found.attempts += 1
            _finish(found, "failed", why)
            return
        _wait(session, found, WAITS[found.attempts], False, why)
        found.attempts += 1
