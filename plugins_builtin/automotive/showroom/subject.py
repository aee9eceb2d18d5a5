"""What visits know of one person: handed out, or forgotten so that the visit still counts."""

from __future__ import annotations

import uuid
from typing import Any

from kehu.api import Call, SubjectReport, _, or_, select, service_for
from plugins_builtin.automotive.showroom.models import Visit

MOST = 2000


def numbers_of(ctx: Call, object_name: str, record_id: uuid.UUID) -> list[str]:
    """Return the phone numbers of a person."""
    return [one["number"] for one in service_for(object_name, ctx.session).get(record_id).phones]


def visits_of(ctx: Call, object_name: str, record_id: uuid.UUID) -> list[Visit]:
    """Return the visits of a customer, and those that were noted with one of his phone numbers alone."""
    phones = numbers_of(ctx, object_name, record_id)
    theirs = or_(Visit.customer_id == record_id, Visit.phone_norm.in_(phones) & Visit.customer_id.is_(None))
    return list(ctx.session.execute(select(Visit).where(theirs).limit(MOST)).scalars())


def subject_data(ctx: Call, object_name: str, record_id: uuid.UUID, mode: str) -> SubjectReport:
    """Answer for visits, as `kehu_subject_data` asks."""
    found = visits_of(ctx, object_name, record_id)
    if mode == "export":
        alone = [visit for visit in found if visit.customer_id is None]
        return SubjectReport(rows={"visits_by_phone": [_row(visit) for visit in alone]} if alone else {})
    if mode == "erase":
        for visit in found:
            visit.name, visit.phone, visit.phone_norm, visit.description = "", None, None, None
            visit.customer_id = visit.deal_id = visit.follow_up_id = visit.lost_reason = None
    return SubjectReport(
        erased={_("Visits that stay without the person"): len(found)}, forgotten=[visit.id for visit in found]
    )


def _row(visit: Visit) -> dict[str, Any]:
    return {
        "arrived_at": visit.arrived_at.isoformat(),
        "name": visit.name,
        "phone": visit.phone,
        "wanted": visit.wanted,
        "description": visit.description,
    }
