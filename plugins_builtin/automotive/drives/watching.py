"""What happens around a drive by itself: reminders before it, and alarms when the keys do not come back in time."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import update

from kehu.api import (
    Call,
    InvalidInput,
    MessageTemplate,
    NotFound,
    Place,
    Session,
    Translated,
    _,
    _l,
    and_,
    clock,
    members_who_may,
    or_,
    plugin_settings,
    select,
    send_message,
    service_for,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.permissions import OVERRIDE

DAY_BEFORE, SOON = dt.timedelta(hours=24), dt.timedelta(hours=2)
LATE, TOO_LATE = dt.timedelta(minutes=15), dt.timedelta(minutes=45)
"""How long after its end a drive is told to the host, and to a manager."""
MOST = 500

REMINDER = MessageTemplate(
    key=f"{SLUG}.drive_reminder",
    label=_l("Reminder of a test drive"),
    purpose="transactional",
    texts=Translated(
        _l("Your test drive: {car}, {when}"),
        _l(
            "Hello {name},\n\nwe expect you for your test drive of the {car} on {when}. Please bring your driving "
            "licence.\n\nIf you can't come, tell us, so that somebody else can have the car.\n\n{firm}"
        ),
    ),
    places=(
        Place(name="car", label=_l("The car"), example="VW Golf"),
        Place(name="when", label=_l("Day and time"), example="2026-12-01 10:00"),
    ),
)


def watch_job(ctx: Call) -> None:
    """Remind who drives soon, and tell of keys that are not back; each once."""
    if plugin_settings(ctx.session, SLUG)["drives_remind"]:
        _remind_all(ctx.session, ctx.now)
    _alarm_all(ctx.session, ctx.now)
    _call_off_all(ctx.session)


def _remind_all(session: Session, now: dt.datetime) -> None:
    statement = (
        select(TestDrive)
        .where(
            TestDrive.state == "booked",
            TestDrive.deleted_at.is_(None),
            TestDrive.from_at > now,
            TestDrive.from_at <= now + DAY_BEFORE,
            or_(
                TestDrive.remind_step == 0, and_(TestDrive.remind_step == 1, TestDrive.from_at <= now + SOON)
            ),
        )
        .order_by(TestDrive.from_at, TestDrive.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    for drive in session.execute(statement).scalars().all():
        step, ahead = (2, SOON) if drive.from_at <= now + SOON else (1, DAY_BEFORE)
        if drive.created_at <= drive.from_at - ahead:  # Who booked later than that knows it.
            first = step == 1 or drive.created_at > drive.from_at - DAY_BEFORE
            _remind(session, drive, step, first)
        _note(session, drive, remind_step=step)


def _remind(session: Session, drive: TestDrive, step: int, first: bool) -> None:
    person = {"contact_id": drive.contact_id} if drive.contact_id else {"customer_id": drive.customer_id}
    when = f"{drive.from_at.astimezone(tenant().tz):%Y-%m-%d %H:%M}"
    try:
        message = send_message(
            session,
            REMINDER.key,
            once=f"drive {drive.id} {drive.from_at:%Y%m%d%H%M} {step}",
            data={"car": drive.model, "when": when},
            **person,
        )
        sent = message.state != "refused"
    except (InvalidInput, NotFound):
        sent = False
    if first and not sent:
        subject = _("Remind of the test drive on %(when)s: %(name)s", when=when, name=drive.name)
        _task(session, drive, drive.owner_id, subject, max(clock.now(), drive.from_at - SOON))


def _alarm_all(session: Session, now: dt.datetime) -> None:
    statement = (
        select(TestDrive)
        .where(
            TestDrive.state == "out",
            TestDrive.deleted_at.is_(None),
            or_(
                and_(TestDrive.alarm_step == 0, TestDrive.to_at <= now - LATE),
                and_(TestDrive.alarm_step == 1, TestDrive.to_at <= now - TOO_LATE),
            ),
        )
        .order_by(TestDrive.to_at, TestDrive.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    for drive in session.execute(statement).scalars().all():
        step = 2 if drive.to_at <= now - TOO_LATE else 1
        host = drive.owner_id or drive.updated_by
        told = [host] if drive.alarm_step == 0 else []
        if step == 2:
            managers = members_who_may(session, OVERRIDE, roles=("manager", "owner"))
            told += [one for one in managers[:3] if one != host]
        subject = _("Not back yet: %(name)s", name=drive.name)
        made = [str(_task(session, drive, member, subject, now)) for member in told]
        _note(session, drive, alarm_step=step, alarm_tasks=[*drive.alarm_tasks, *made])


def _task(
    session: Session, drive: TestDrive, member: uuid.UUID | None, subject: str, due: dt.datetime
) -> uuid.UUID:
    values: Mapping[str, Any] = {
        "kind": "task",
        "subject": subject[:200],
        "body": ", ".join(part for part in (drive.driver, drive.phone, drive.email) if part),
        "due_at": due,
        "owner_id": member,
        "customer_id": drive.customer_id,
        "deal_id": drive.deal_id,
    }
    made: uuid.UUID = service_for("activities", session).create(values).id
    return made


def _note(session: Session, drive: TestDrive, **values: Any) -> None:
    """Keep how far a drive has come; its version stays, so that nobody's form is out of date for it."""
    session.execute(
        update(TestDrive)
        .where(TestDrive.tenant_id == drive.tenant_id, TestDrive.id == drive.id)
        .values(values),
        execution_options={"synchronize_session": False},
    )
    session.expire(drive, list(values))


def _call_off_all(session: Session) -> None:
    """Tick the tasks that told of drives which are back by now."""
    statement = (
        select(TestDrive)
        .where(TestDrive.alarm_step > 0, TestDrive.state != "out")
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    over = session.execute(statement).scalars().all()
    ids = [uuid.UUID(one) for drive in over for one in drive.alarm_tasks]
    activities: Any = service_for("activities", session)
    model: Any = activities.type.model
    still = select(model.id).where(model.id.in_(ids), model.done_at.is_(None), model.deleted_at.is_(None))
    for task_id in session.execute(still).scalars().all() if ids else ():
        activities.done(task_id)
    for drive in over:
        _note(session, drive, alarm_step=0, alarm_tasks=[])
