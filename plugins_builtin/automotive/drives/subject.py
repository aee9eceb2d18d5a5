"""What test drives know of one driver without a key: handed out, or forgotten so that the drive still counts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from kehu.api import Call, SubjectReport, _, fold, or_, select, service_for
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import DriveService

MOST = 2000
GONE = (
    "phone", "email", "contact_id", "born_on", "licence_class", "licence_until", "override_reason", "damage_out",
    "damage_back", "feedback", "follow_up_id",
)  # fmt: skip
HANDED_OUT = ("from_at", "driver", "phone", "email", "born_on", "licence_class", "licence_until", "feedback")


def drives_of(ctx: Call, object_name: str, record_id: uuid.UUID) -> list[TestDrive]:
    """Return the drives of a contact, and those without a customer by one of the person's numbers or addresses."""
    person: Any = service_for(object_name, ctx.session).get(record_id)
    phones = [one["number"] for one in person.phones]
    emails = [one["address"] for one in person.emails]
    theirs: Any = or_(TestDrive.phone.in_(phones), TestDrive.email.in_(emails)) & TestDrive.customer_id.is_(
        None
    )
    if object_name == "contacts":
        theirs = or_(theirs, TestDrive.contact_id == record_id)
    return list(ctx.session.execute(select(TestDrive).where(theirs).limit(MOST)).scalars())


def subject_data(ctx: Call, object_name: str, record_id: uuid.UUID, mode: str) -> SubjectReport:
    """Answer for test drives, as `kehu_subject_data` asks; those with a key to the customer need no answer."""
    found = drives_of(ctx, object_name, record_id)
    if mode == "export":
        rows = [{key: _shown(getattr(one, key)) for key in HANDED_OUT} for one in found]
        return SubjectReport(rows={"test_drives_by_address": rows} if rows else {})
    forgotten = [key for one in found for key in (one.id, one.booking_id)]
    if mode == "erase" and found:
        forgotten += _forget_tasks(ctx, found)
        _forget(ctx, found)
    return SubjectReport(
        erased={_("Test drives that stay without the person"): len(found)}, forgotten=forgotten
    )


def _forget_tasks(ctx: Call, found: Sequence[TestDrive]) -> list[uuid.UUID]:
    """Empty the tasks that were made of drives without a customer, and return which."""
    model: Any = service_for("activities", ctx.session).type.model
    words = {word for one in found for word in (one.name, one.phone, one.email) if word}
    named = [
        column.contains(word, autoescape=True) for word in words for column in (model.subject, model.body)
    ]
    tasks = select(model).where(model.customer_id.is_(None), or_(*named)).limit(MOST)
    gone = []
    for task in ctx.session.execute(tasks).scalars():
        task.subject, task.body = _("Erased"), None
        task.subject_norm = fold(task.subject)
        gone.append(task.id)
    return gone


def _forget(ctx: Call, found: Sequence[TestDrive]) -> None:
    drives = DriveService(ctx.session, ctx.actor)
    for one in found:
        one.driver = _("Erased")
        for key in GONE:
            setattr(one, key, None)
        drives.prepare(one, {"driver"})
    model: Any = service_for("bookings", ctx.session).type.model
    held = select(model).where(model.id.in_([one.booking_id for one in found]))
    for booking in ctx.session.execute(held).scalars():
        booking.name = _("Test drive: %(driver)s", driver=_("Erased"))
        booking.name_norm = fold(booking.name)
        booking.description = booking.contact_id = None


def _shown(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
