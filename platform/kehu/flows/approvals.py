"""Approvals: runs that wait for a member's yes or no."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from kehu.core import clock, context, jobs
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.records import scope
from kehu.core.records.types import RecordType, registered
from kehu.flows import starts
from kehu.flows.models import Flow, FlowRun

SHOWN = 50
MOST_READ = 500


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a member is asked: about which record, by which workflow, in which words."""

    run: FlowRun
    flow: str
    kind: RecordType
    name: str
    text: str


def asked(session: Session) -> Sequence[Asked]:
    """Return what the actor is asked, the oldest first; only about records that he may see."""
    member = func.jsonb_extract_path_text(FlowRun.steps, cast(FlowRun.step - 1, Text), "member")
    mine = str(context.actor().member_id)
    statement = (
        select(FlowRun, Flow.name)
        .join(Flow, (Flow.tenant_id == FlowRun.tenant_id) & (Flow.id == FlowRun.flow_id))
        .where(FlowRun.state == "asking", Flow.active, Flow.deleted_at.is_(None), member == mine)
        .order_by(FlowRun.created_at, FlowRun.id)
        .limit(MOST_READ)
    )
    rows = [(run, name) for run, name in session.execute(statement) if _is_asked(run)][:SHOWN]
    names: dict[tuple[str, uuid.UUID], str] = {}
    for object_name in {run.object for run, _name in rows}:
        names.update(
            _names(session, object_name, [run.record_id for run, _name in rows if run.object == object_name])
        )
    return [
        Asked(
            run=run,
            flow=flow,
            kind=registered()[run.object],
            name=name,
            text=run.steps[run.step - 1]["text"].replace("{name}", name),
        )
        for run, flow in rows
        if (name := names.get((run.object, run.record_id)))
    ]


def _is_asked(run: FlowRun) -> bool:
    member = context.actor().member_id
    return run.object in registered() and run.steps[run.step - 1].get("member") == str(member)


def _names(session: Session, object_name: str, ids: Sequence[uuid.UUID]) -> dict[tuple[str, uuid.UUID], str]:
    kind, actor = registered()[object_name], context.actor()
    model: Any = kind.model
    statement = select(model.id, getattr(model, kind.title)).where(
        model.id.in_(ids),
        model.deleted_at.is_(None),
        scope.condition(kind, model, actor, actor.scope(f"{kind.name}:read")),
    )
    return {(object_name, row[0]): str(row[1] or "–") for row in session.execute(statement)}


def answer(session: Session, run_id: uuid.UUID, *, yes: bool) -> FlowRun:
    """Let a run go on, or end it; only the member who is asked may, and only once.

    :raises NotFound: when he is not asked, or somebody answered already.
    """
    statement = select(FlowRun).where(FlowRun.id == run_id, FlowRun.state == "asking").with_for_update()
    run = session.execute(statement).scalar_one_or_none()
    if run is None or not _is_asked(run) or not _names(session, run.object, [run.record_id]):
        raise NotFound(_("Nobody asks you this any more."))
    who = context.actor().name
    if yes:
        run.state, run.next_at = "waiting", clock.now()
        run.told = [*run.told, starts.told(True, _("%(name)s agreed", name=who))]
        jobs.enqueue(session, "flows.run", run_id=str(run.id))
    else:
        run.state, run.finished_at = "stopped", clock.now()
        run.told = [*run.told, starts.told(False, _("%(name)s declined", name=who))]
    return run
