"""Jobs of changes of a field's kind: the change itself, what is brought over later, and what is forgotten in time."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy import func, select

from kehu.core import bulk, clock, db, jobs, schedule
from kehu.core.records.own_tables import CustomField
from kehu.fields import slots
from kehu.fields.changing import CHUNK, FOR, TABLE, ChangeService


def _row(field_id: str) -> CustomField | None:
    statement = select(CustomField).where(CustomField.id == uuid.UUID(field_id)).with_for_update()
    return db.session().execute(statement).scalar_one_or_none()


@jobs.tenant_task("fields.change")
def change(_tenant_id: uuid.UUID, field_id: str, token: str, after: str = "") -> None:
    """Bring over a part of the values; each part enqueues the next in its transaction, the last one ends the change."""
    session, row = db.session(), _row(field_id)
    if row is None or row.changing.get("token") != token:
        return
    if row.deleted_at is not None or row.state != "active":
        ChangeService.give_up(row)
        return
    service = ChangeService(session)
    last = service.part(row, uuid.UUID(after) if after else None)
    if last is None:
        service.turn(row)
    else:
        jobs.enqueue(session, "fields.change", field_id=field_id, token=token, after=str(last))


@jobs.tenant_task("fields.follow")
def follow(_tenant_id: uuid.UUID, field_id: str, left: str, now: str, since: str) -> None:
    """Bring over what was written to the former place by who had not heard of the change."""
    row = _row(field_id)
    if row is None or row.deleted_at is not None or row.state != "active" or row.slot != now or row.changing:
        return
    ChangeService(db.session()).follow(row, left, dt.datetime.fromisoformat(since))


@schedule.every_tenant("fields.forget", at="03:40")
def forget(tenant_id: uuid.UUID) -> None:
    """Take out the old values of fields whose way back has closed, a part at a time."""
    session = db.session()
    statement = select(CustomField).where(func.jsonb_array_length(CustomField.former) > 0).with_for_update()
    for row in session.execute(statement).scalars():
        open_ = [one for one in row.former if clock.now() - dt.datetime.fromisoformat(one["at"]) <= FOR]
        for entry in [one for one in row.former if one not in open_]:
            slot = entry["slot"]
            found = slots.pairs(session, row.object, slot, slot, limit=CHUNK)
            slots.write(session, row.object, {one.record_id: {slot: None} for one in found})
            if len(found) == CHUNK:
                jobs.enqueue(session, "fields.forget", tenant_id=str(tenant_id))
                return
        if len(open_) < len(row.former):
            bulk.update_rows(session, TABLE, [{"id": row.id, "former": open_}])
