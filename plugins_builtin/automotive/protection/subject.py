"""Cases that know a person by his phone number alone; those with a key to him the platform finds."""

from __future__ import annotations

import uuid

from kehu.api import Call, SubjectReport, _, select
from plugins_builtin.automotive.protection.models import Collision
from plugins_builtin.automotive.showroom.subject import numbers_of

MOST = 2000


def subject_data(ctx: Call, object_name: str, record_id: uuid.UUID, mode: str) -> SubjectReport:
    """Answer for cases of collision, as `kehu_subject_data` asks."""
    phones = numbers_of(ctx, object_name, record_id)
    mine = select(Collision).where(Collision.phone_norm.in_(phones), Collision.customer_id.is_(None))
    found = ctx.session.execute(mine.limit(MOST)).scalars().all()
    if mode == "export":
        rows = [
            {"opened_at": one.opened_at.isoformat(), "phone": one.phone_norm, "state": one.state}
            for one in found
        ]
        return SubjectReport(rows={"collisions_by_phone": rows} if rows else {})
    if mode == "erase":
        for case in found:
            case.phone_norm = case.reason = case.appeal = None
    return SubjectReport(
        erased={_("Cases of collision that stay without the person"): len(found)},
        forgotten=[case.id for case in found],
    )
