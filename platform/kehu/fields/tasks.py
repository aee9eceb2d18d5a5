"""The job that brings index rows and search terms in line with a definition."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, select

from kehu.core import db, jobs, search
from kehu.core.db import tenant_id
from kehu.core.records import own, own_index
from kehu.core.records.own_tables import CustomField, CustomIndex
from kehu.core.records.service import service_for
from kehu.fields import formulas as _formulas  # noqa: F401 - its job

CHUNK = 1_000


@jobs.tenant_task("fields.index")
def index(_tenant_id: uuid.UUID, field_id: str, after: str = "") -> None:
    """Write the index rows of a field anew, a part at a time; each part enqueues the next in its transaction."""
    session = db.session()
    row = session.execute(
        select(CustomField).where(CustomField.id == uuid.UUID(field_id)).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        return
    if row.deleted_at is not None or row.state != "active":
        session.execute(
            delete(CustomIndex).where(CustomIndex.tenant_id == tenant_id(), CustomIndex.field_id == row.id),
            execution_options={"synchronize_session": False},
        )
        return
    service = service_for(row.object, session)
    model: Any = service.type.model
    statement = select(model).where(model.deleted_at.is_(None)).order_by(model.id).limit(CHUNK)
    if after:
        statement = statement.where(model.id > uuid.UUID(after))
    records = list(session.execute(statement).scalars())
    if not records:
        return
    spec = own.field_from(row)
    own_index.write(session, [spec], records)
    texts = {one.id: tuple(service.found_by(one)) for one in records}
    search.index(session, row.object, texts)
    if len(records) == CHUNK:
        jobs.enqueue(session, "fields.index", field_id=field_id, after=str(records[-1].id))


from kehu.fields import change_tasks  # noqa: E402, F401 - declares the jobs of changes
