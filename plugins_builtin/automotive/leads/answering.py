"""The clock of the first answer: how long a lead may wait in business hours, and what happens when it does.

Targets are reckoned once, with the hours as they are then, and kept: hours that are edited later move none that runs
(AUTOMOTIVE.md 14). An automatic message stops no clock; a person's call, mail, visit or meeting does.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kehu.api import (
    Call,
    Conflict,
    Event,
    NeverOpen,
    NotFound,
    Session,
    _,
    actor,
    audit,
    business_hours,
    clock,
    members_who_may,
    parse_id,
    plugin_settings,
    run_later,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.leads.models import Lead
from plugins_builtin.automotive.leads.permissions import OVERSEE
from plugins_builtin.automotive.leads.routing import Routes

SLUG, TICK_JOB = "automotive", "automotive.leads_tick"
PERSONAL = ("call", "mail", "visit", "meeting")
"""Kinds of activities by which a person answers."""
WARNED, LATE, TOLD, PASSED_ON = 1, 2, 3, 4
"""How far a waiting lead has come: its owner was warned, the target is over, a manager knows, another has it."""
MOST = 500
BY_HAND = "by_hand"
"""Among the repairs of a lead: a member completed it."""


@dataclass(frozen=True)
class Targets:
    """The moments by which a lead is warned about, late, told to a manager and passed on."""

    warn: dt.datetime
    due: dt.datetime
    manager: dt.datetime
    reassign: dt.datetime


def targets(hours: Any, start: dt.datetime, settings: Mapping[str, Any]) -> Targets:
    """Return the targets of a lead that came in at a moment; hours that never open count as always open."""

    def after(key: str) -> dt.datetime:
        span = dt.timedelta(minutes=int(settings[key]))
        try:
            return hours.add(start, span)  # type: ignore[no-any-return]
        except NeverOpen:
            return start + span

    return Targets(*(after(f"leads_{key}") for key in ("warn", "breach", "manager", "reassign")))


def start(session: Session, lead: Lead) -> None:
    """Start the clock of a lead, and give its owner the task to answer.

    One that waited to be completed is to be answered from then on: nobody could before.
    """
    hours = business_hours(session)
    begun = clock.now() if BY_HAND in lead.repairs else lead.received_at
    found = targets(hours, begun, plugin_settings(session, SLUG))
    lead.warn_at, lead.due_at, lead.manager_at, lead.reassign_at = (
        found.warn,
        found.due,
        found.manager,
        found.reassign,
    )
    lead.step = 0
    for moment in (found.manager, found.reassign):
        # To the minute; the sweep every five minutes is for what a worker lost.
        wait = max(moment - clock.now(), dt.timedelta(0))
        run_later(session, TICK_JOB, wait=wait, once=f"{lead.id} {moment:%H%M}")
    lead.task_id = _task(session, lead, lead.owner_id, _("First answer: %(name)s", name=lead.name), found.due)


def _task(
    session: Session, lead: Lead, owner_id: uuid.UUID | None, subject: str, due: dt.datetime
) -> uuid.UUID:
    values = {
        "kind": "task",
        "subject": subject[:200],
        "due_at": due,
        "deal_id": lead.deal_id,
        "contact_id": lead.contact_id,
        "customer_id": lead.customer_id,
        "owner_id": owner_id,
    }
    return service_for("activities", session).create(values).id  # type: ignore[no-any-return]


def tone(lead_due: dt.datetime, warn: dt.datetime | None, now: dt.datetime) -> str:
    """Return in which colour a waiting lead stands."""
    if now >= lead_due:
        return "bad"
    return "warn" if warn is not None and now >= warn else ""


# What happens while nobody answers -------------------------------------------------------------------------------


def tick_job(ctx: Call) -> None:
    """Look after the leads that wait: warn, tell a manager, pass on."""
    deals: Any = service_for("deals", ctx.session).type.model
    statement = (
        select(Lead)
        .join(deals, (deals.tenant_id == Lead.tenant_id) & (deals.id == Lead.deal_id))
        .where(
            Lead.state == "open",
            Lead.deleted_at.is_(None),
            Lead.warn_at <= ctx.now,
            Lead.step < PASSED_ON,
            deals.tenant_id == tenant().id,
            deals.status == "open",
            deals.deleted_at.is_(None),
        )
        .order_by(Lead.warn_at, Lead.id)
        .limit(MOST)
        .with_for_update(of=Lead, skip_locked=True)
    )
    for lead in ctx.session.execute(statement).scalars().all():
        _advance(ctx.session, lead, ctx.now)


def _advance(session: Session, lead: Lead, now: dt.datetime) -> None:
    before = lead.step
    reached = [
        step
        for step, at in enumerate((lead.warn_at, lead.due_at, lead.manager_at, lead.reassign_at), start=1)
        if at is not None and at <= now
    ]
    for step in range(before + 1, max(reached, default=0) + 1):
        if step == TOLD:
            _tell_managers(session, lead, now)
        elif step == PASSED_ON:
            _pass_on(session, lead)
        lead.step = step
    if lead.step != before:
        lead.updated_at = now
        _trail(session, lead, {"step": [before, lead.step]})


def _tell_managers(session: Session, lead: Lead, now: dt.datetime) -> None:
    subject = _("Nobody has answered %(name)s yet", name=lead.name)
    for member_id in members_who_may(session, OVERSEE, roles=("manager", "owner"))[:3]:
        if member_id != lead.owner_id:
            _task(session, lead, member_id, subject, now)


def _pass_on(session: Session, lead: Lead) -> None:
    other = Routes(session).next(besides=lead.owner_id)
    if other is not None:
        lead.owner_id = other
        hand_on(session, lead)


def hand_on(session: Session, lead: Lead) -> None:
    """Let deal and open task of a lead belong to its owner; a deal in the trash stays as it is."""
    deals = service_for("deals", session)
    try:
        if lead.deal_id is not None and deals.get(lead.deal_id).owner_id != lead.owner_id:
            deals.update(lead.deal_id, {"owner_id": lead.owner_id})
    except NotFound:
        return
    task = _open_task(session, lead)
    if task is not None and task.owner_id != lead.owner_id:
        service_for("activities", session).update(task.id, {"owner_id": lead.owner_id})


def hand_over(session: Session, customer_id: uuid.UUID, owner_id: uuid.UUID) -> None:
    """Let the leads of a customer that nobody has answered belong to who won him."""
    for lead in _waiting(session, Lead.customer_id == customer_id, Lead.owner_id != owner_id):
        before, lead.owner_id = lead.owner_id, owner_id
        lead.updated_at = clock.now()
        hand_on(session, lead)
        _trail(session, lead, {"owner_id": [str(before) if before else None, str(owner_id)]})


def _open_task(session: Session, lead: Lead) -> Any:
    if lead.task_id is None:
        return None
    try:
        task = service_for("activities", session).get(lead.task_id)
    except NotFound:
        return None
    return task if task.done_at is None else None


# What stops the clock --------------------------------------------------------------------------------------------


class AnswerService:
    """Log how a lead was answered, and stop its clock.

    :param session: the unit of work.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.actor = actor()

    def log(self, lead_id: object, kind: str, *, reached: bool, note: str = "") -> Lead:
        """Log a call, mail or visit; one that reached nobody leaves the clock running.

        :raises Conflict: when the lead has no deal.
        """
        lead: Lead = service_for("automotive.leads", self.session).get(lead_id, action="write", lock=True)
        if lead.deal_id is None or lead.state not in ("open", "contacted"):
            raise Conflict(_("This lead waits to be completed; nobody can be answered yet."))
        values = {
            # A note is no answer: an attempt that reached nobody leaves the clock running.
            "kind": (kind if kind in PERSONAL else "call") if reached else "note",
            "subject": "" if reached else _("Not reached: %(name)s", name=lead.name)[:200],
            "body": note,
            "outcome": _("reached") if reached else "",
            "done_at": clock.now(),
            "deal_id": lead.deal_id,
            "contact_id": lead.contact_id,
            "customer_id": lead.customer_id,
        }
        service_for("activities", self.session).create({key: one for key, one in values.items() if one})
        if reached:
            stop(self.session, lead, clock.now(), self.actor.member_id)
        return lead


def stop(session: Session, lead: Lead, at: dt.datetime, by: uuid.UUID | None) -> None:
    """Take a lead as answered; the first answer counts."""
    if lead.state != "open":
        return
    lead.state, lead.contacted_at, lead.contacted_by = "contacted", at, by
    lead.updated_at, lead.updated_by = clock.now(), by
    task = _open_task(session, lead)
    if task is not None:
        service_for("activities", session).done(task.id)  # type: ignore[attr-defined]
    _trail(session, lead, {"state": ["open", "contacted"]})


def on_change(ctx: Call, event: Event) -> None:
    """Stop the clock when a person has logged an answer elsewhere, or the deal is closed."""
    if event.name in ("activity.created", "activity.updated"):
        activity = _answer(ctx.session, event)
        if activity is not None:
            _stop_all(ctx.session, activity, activity.done_at, activity.created_by)
    elif event.name in ("deal.won", "deal.lost"):
        deal_id = parse_id(event.payload["record_id"])
        for lead in _waiting(ctx.session, Lead.deal_id == deal_id):
            stop(ctx.session, lead, ctx.now, None)


def _answer(session: Session, event: Event) -> Any:
    """Return the activity of an event if it is a person's answer."""
    try:
        found = service_for("activities", session).get(event.payload["record_id"])
    except NotFound:
        return None
    if found.kind not in PERSONAL or found.done_at is None or found.created_by is None:
        return None
    # A number that was only dialled has neither length nor outcome nor a word about what was said.
    dialled = found.kind == "call" and not (found.minutes or found.outcome or found.body)
    return None if dialled else found


def _stop_all(session: Session, activity: Any, at: dt.datetime, by: uuid.UUID) -> None:
    if activity.deal_id is not None:
        whose = Lead.deal_id == activity.deal_id
    elif activity.contact_id is not None:
        whose = Lead.contact_id == activity.contact_id
    elif activity.customer_id is not None:
        whose = Lead.customer_id == activity.customer_id
    else:
        return
    for lead in _waiting(session, whose, Lead.received_at <= at):
        stop(session, lead, at, by)


def _waiting(session: Session, *conditions: Any) -> list[Lead]:
    statement = (
        select(Lead)
        .where(Lead.state == "open", Lead.deleted_at.is_(None), *conditions)
        .order_by(Lead.id)
        .limit(50)
        .with_for_update()
    )
    return list(session.execute(statement).scalars())


def _trail(session: Session, lead: Lead, changes: dict[str, list[Any]]) -> None:
    audit(
        session,
        object="automotive.leads",
        record_id=lead.id,
        action="updated",
        title=lead.name,
        changes=changes,
        customer_id=lead.customer_id,
    )
