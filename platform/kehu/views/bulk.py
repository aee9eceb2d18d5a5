"""Changes of many records: which ones, what, in this request or as a job that can be killed and goes on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import any_, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import Session

from kehu.core import audit, context, db, jobs, text
from kehu.core.audit import AuditEntry
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records import listing, rewind
from kehu.core.records.fields import LoadContext
from kehu.core.records.rewind import Selection
from kehu.core.records.rewinding import Rewinder, Tally
from kehu.core.records.service import service_for
from kehu.core.records.types import RecordType, get, registered
from kehu.views import repair
from kehu.views.models import BulkRun

CHUNK = 200
MOST_IDS = 20_000


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to do: set values, add and remove tags, tidy up, or trash."""

    action: str
    values: Mapping[str, Any] = field(default_factory=dict)
    add: Sequence[str] = ()
    remove: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Picked:
    """Which records: some by their ids, else all that match a query."""

    ids: Sequence[uuid.UUID] | None = None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass
class BulkOutcome:
    """How many records were changed and how many refused, with the first reason."""

    changed: int = 0
    refused: int = 0
    reason: str = ""


def parse_ids(raw: str) -> list[uuid.UUID]:
    """Return the ids of a comma list; what is none is left out."""
    found = [one for part in raw.split(",")[:MOST_IDS] if (one := parse_id(part.strip()))]
    return list(dict.fromkeys(found))


def load_context() -> LoadContext:
    """Return what reading values depends on."""
    tenant = context.tenant()
    return LoadContext(country=tenant.country, currency=tenant.currency, zone=tenant.tz)


def _matching(record_type: RecordType, picked: Picked) -> Any:
    """Return the select of the picked ids, within what the actor sees."""
    if picked.ids is None:
        return listing.ids(record_type, picked.query)
    model: Any = record_type.model
    return listing.ids(record_type, {}).where(
        model.id == any_(literal(list(picked.ids), ARRAY(UUID(as_uuid=True))))
    )


def count(record_type: RecordType, picked: Picked) -> int:
    """Return how many records are picked, counted in the database."""
    return int(
        db.session()
        .execute(select(func.count()).select_from(_matching(record_type, picked).subquery()))
        .scalar_one()
    )


def ids_of(
    session: Session,
    record_type: RecordType,
    picked: Picked,
    *,
    after: uuid.UUID | None = None,
    limit: int = 500,
) -> list[uuid.UUID]:
    """Return picked ids in their order, from one on."""
    model: Any = record_type.model
    statement = _matching(record_type, picked).order_by(model.id).limit(limit)
    if after is not None:
        statement = statement.where(model.id > after)
    return list(session.execute(statement).scalars())


def apply(session: Session, record_type: RecordType, order: Order, ids: Sequence[uuid.UUID]) -> BulkOutcome:
    """Do it to some records, within what the actor may change; all of it is one batch."""
    service = service_for(record_type.name, session)
    outcome = BulkOutcome()
    if order.action == "trash":
        outcome.changed = service.trash_many(ids)
        outcome.refused = len(ids) - outcome.changed
        outcome.reason = _("your role allows only your own.") if outcome.refused else ""
        return outcome
    changes: Mapping[uuid.UUID, Mapping[str, Any]] = dict.fromkeys(ids, order.values)
    if order.action == "tag":
        changes = _tag_changes(session, record_type, order, ids)
    elif order.action == "repair":
        changes = repair.changes(session, record_type, ids)
    for found in service.update_many(changes).values():
        if found.record is None:
            outcome.refused += 1
            outcome.reason = outcome.reason or next(
                (one for texts in found.errors.values() for one in texts), ""
            )
        elif found.changed:
            outcome.changed += 1
    return outcome


def _tag_changes(
    session: Session, record_type: RecordType, order: Order, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Any]]:
    model: Any = record_type.model
    gone = {text.fold(tag) for tag in order.remove}
    rows = session.execute(select(model.id, model.tags).where(model.id.in_(ids)))
    return {
        row.id: {"tags": [tag for tag in [*(row.tags or ()), *order.add] if text.fold(tag) not in gone]}
        for row in rows
    }


# As a job -------------------------------------------------------------------------------


def _new_run(session: Session, type_name: str, action: str, plan: dict[str, Any], total: int) -> BulkRun:
    member_id = context.actor().member_id
    assert member_id is not None
    run = BulkRun(
        id=new_id(),
        object=type_name,
        action=action,
        plan=plan,
        member_id=member_id,
        batch_id=new_id(),
        total=total,
    )
    session.add(run)
    return run


def start(session: Session, type_name: str, order: Order, picked: Picked, total: int) -> BulkRun:
    """Let a job do it."""
    plan: dict[str, Any] = {"order": asdict(order), "query": dict(picked.query)}
    if picked.ids is not None:
        plan["ids"] = [str(one) for one in picked.ids]
    run = _new_run(session, type_name, order.action, plan, total)
    jobs.enqueue(session, "views.bulk", run_id=str(run.id))
    return run


def start_undo(session: Session, batch_id: uuid.UUID, total: int, type_name: str) -> BulkRun:
    """Let a job take back a large batch."""
    run = _new_run(session, type_name, "undo", {"batch": str(batch_id)}, total)
    jobs.enqueue(session, "views.bulk", run_id=str(run.id))
    return run


def keep_selection(session: Session, type_name: str, ids: Sequence[uuid.UUID]) -> BulkRun:
    """Keep selected ids for a download that follows."""
    run = _new_run(session, type_name, "selection", {"ids": [str(one) for one in ids]}, len(ids))
    run.state = "done"
    session.flush()
    return run


def get_run(session: Session, run_id: object) -> BulkRun:
    """Return a run of the member.

    :raises NotFound: when there is none.
    """
    statement = select(BulkRun).where(
        BulkRun.id == parse_id(run_id), BulkRun.member_id == context.actor().member_id
    )
    run = session.execute(statement).scalar_one_or_none()
    if run is None:
        raise NotFound(_("This run does not exist any more."))
    return run


def work_on(run_id: uuid.UUID) -> bool:
    """Do the next part of a run in a unit of work of its own; tell whether more is left.

    How far it is is written in the same transaction, so a killed worker goes on where it was.
    """
    with db.unit_of_work() as session:
        run = session.execute(
            select(BulkRun).where(BulkRun.id == run_id).with_for_update()
        ).scalar_one_or_none()
        if run is None or run.state in ("done", "failed"):
            return False
        run.state = "running"
        more = _undo_part(session, run) if run.action in ("undo", "rewind") else _part(session, run)
        if not more:
            run.state = "done"
        return more


def _part(session: Session, run: BulkRun) -> bool:
    audit.use_batch(session, run.batch_id)
    plan = run.plan
    ids = [found for one in plan["ids"] if (found := parse_id(one))] if "ids" in plan else None
    picked = Picked(ids=ids, query=plan.get("query", {}))
    record_type = get(run.object)
    part = ids_of(session, record_type, picked, after=run.last_id, limit=CHUNK)
    if not part:
        return False
    outcome = apply(session, record_type, Order(**plan["order"]), part)
    run.last_id, run.done, run.refused = part[-1], run.done + len(part), run.refused + outcome.refused
    return len(part) == CHUNK


def start_rewind(session: Session, selection: Selection, total: int) -> BulkRun:
    """Let a job take back what a selection of the trail did."""
    name = selection.object or "customers"
    return _enqueued(session, _new_run(session, name, "rewind", {"selection": selection.to_json()}, total))


def _enqueued(session: Session, run: BulkRun) -> BulkRun:
    jobs.enqueue(session, "views.bulk", run_id=str(run.id))
    return run


def _undo_part(session: Session, run: BulkRun) -> bool:
    audit.use_batch(session, run.batch_id)
    plan = run.plan
    selection = (
        Selection.from_json(plan["selection"])
        if "selection" in plan
        else Selection(batch_id=uuid.UUID(plan["batch"]))
    )
    tally = Tally(**plan.get("tally", {}))
    cases, cursor, read = rewind.cases(session, selection, run.last_id)
    Rewinder(session, selection, tally).take_back(cases)
    run.plan = {**plan, "tally": asdict(tally)}
    run.done, run.refused = run.done + read, tally.kept
    run.last_id = cursor or run.last_id
    return cursor is not None


def batch_entries(batch_id: uuid.UUID) -> Any:
    """Return the select of a batch's entries that can be taken back."""
    return select(AuditEntry).where(
        AuditEntry.batch_id == batch_id, AuditEntry.object.in_(list(registered()))
    )
