"""The page of one deal: stages with the time spent in each, fields, time line, what belongs to it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from kehu.activities.composer import Composer
from kehu.core import clock, db
from kehu.core.i18n import _n
from kehu.core.ids import parse_id
from kehu.customers.queries import related
from kehu.deals import queries
from kehu.deals.models import Deal
from kehu.timeline.queries import Subject
from kehu.timeline.services import TimelineService, subject_of
from kehu.web.records import record_page_context
from kehu.web.render import render_page

FRAGMENTS = {"line": "line", "next-step": "next_step", "files-card": "files"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """A stage in the bar above a deal."""

    id: str
    name: str
    outcome: str
    state: str
    days: str
    exit_criteria: str
    late: bool


def show_deal(record: Deal) -> ResponseReturnValue:
    """Show a deal."""
    session = db.session()
    subject = subject_of("deals", record)
    stages = queries.stages_with_pipeline(session)
    here = [row for row in stages if row.pipeline_id == record.pipeline_id]
    names = {"stage_id": _name_of(here, record.stage_id), "pipeline_id": here[0].pipeline if here else ""}
    beside = related(session, subject, draft=f"deals-{record.id}", only=frozenset({"steps", "files"}))
    people = _people(session, record)
    return render_page(
        "deals/show.html",
        FRAGMENTS,
        page=record_page_context("deals", record, titles=names),
        record=record,
        stages=here,
        steps=steps_of(session, record, here),
        line=TimelineService(session).page(subject, request.args.get("line")),
        beside=beside,
        people=people,
        composer=Composer(subject=subject, people=people, text=beside.draft),
        current=next((row for row in here if row.id == record.stage_id), None),
        days=queries.days_between(record.stage_since, clock.now()),
    )


def _people(session: Session, record: Deal) -> Sequence[Any]:
    if record.customer_id is None:
        return ()
    firm = Subject(object="customers", record_id=record.customer_id, customer_id=record.customer_id)
    return related(session, firm, only=frozenset({"people"})).people or ()


def _name_of(stages: Sequence[Any], stage_id: uuid.UUID) -> str:
    return next((row.name for row in stages if row.id == stage_id), "")


def steps_of(session: Session, record: Deal, stages: Sequence[Any]) -> list[Step]:
    """Return the stages of the deal's pipeline with the days that it spent in each.

    The open stages and the one that it ended in; while it is open, won and lost have buttons of their own.
    """
    spent = time_in_stages(queries.stage_history(session, record.id), record, clock.now())
    passed = True
    found = []
    for row in stages:
        now = row.id == record.stage_id
        if row.outcome != "open" and not now:
            continue
        if now:
            state, passed = (row.outcome if row.outcome != "open" else "current"), False
        else:
            state = "done" if (passed and record.status != "lost") or row.id in spent else ""
        days = spent[row.id].days if row.id in spent and row.outcome == "open" else None
        found.append(
            Step(
                id=str(row.id),
                name=row.name,
                outcome=row.outcome,
                state=state,
                days=_n("%(num)s day", "%(num)s days", days) if days is not None else "",
                exit_criteria=row.exit_criteria or "",
                late=now and days is not None and row.usual_days is not None and days > row.usual_days,
            )
        )
    return found


def time_in_stages(history: Sequence[Any], record: Deal, now: dt.datetime) -> dict[uuid.UUID, dt.timedelta]:
    """Return how long a deal stood in each stage, from its trail; the present one counts up to now."""
    spent: dict[uuid.UUID, dt.timedelta] = {}
    stage: uuid.UUID | None = None
    since = record.created_at
    for entry in history:
        old, new = entry.stages or (None, None)
        entered = parse_id(new)
        left = stage or parse_id(old)
        if left is not None and entry.at > since:
            spent[left] = spent.get(left, dt.timedelta()) + (entry.at - since)
        stage, since = entered or stage, entry.at
    end = record.closed_at if record.closed_at is not None else now
    spent[record.stage_id] = spent.get(record.stage_id, dt.timedelta()) + max(
        end - record.stage_since, dt.timedelta()
    )
    return spent
