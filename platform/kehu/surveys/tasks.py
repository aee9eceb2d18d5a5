"""Work behind surveys: a segment is invited slice by slice, occasions and reminders each morning."""

from __future__ import annotations

import uuid
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from kehu.core import context, db, jobs, schedule
from kehu.core.errors import KehuError
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.segments import services as segments
from kehu.segments.models import Segment
from kehu.surveys.inviting import SLICE, InviteService, Occasion
from kehu.surveys.models import Survey


def _open_survey(survey_id: str) -> Survey | None:
    statement = select(Survey).where(
        Survey.id == uuid.UUID(survey_id), Survey.state == "open", Survey.deleted_at.is_(None)
    )
    return db.session().execute(statement).scalar_one_or_none()


@jobs.tenant_task("surveys.invite_segment", queue="mail")
def invite_segment(_tenant_id: uuid.UUID, survey_id: str, segment_id: str, after: str = "") -> None:
    """Invite a slice of a segment as the member who asked for it, and let a further job take the rest."""
    session, survey = db.session(), _open_survey(survey_id)
    statement = select(Segment).where(Segment.id == uuid.UUID(segment_id), Segment.deleted_at.is_(None))
    segment = session.execute(statement).scalar_one_or_none()
    if survey is None or segment is None:
        return
    model: Any = get_type(segment.object).model
    page = segments.members(segment).order_by(model.id).limit(SLICE)
    if last := parse_id(after):
        page = page.where(model.id > last)
    ids = [row.id for row in session.execute(page)]
    service = InviteService(session, survey)
    for occasion in _of_segment(segment, ids):
        service.invite(occasion)
    if len(ids) == SLICE:
        jobs.enqueue(session, invite_segment, survey_id=survey_id, segment_id=segment_id, after=str(ids[-1]))


def _of_segment(segment: Segment, ids: list[uuid.UUID]) -> list[Occasion]:
    """Return an occasion for each member of a segment; one survey asks one person once."""
    model: Any = get_type(segment.object).model
    customer = model.customer_id if segment.object == "contacts" else model.id
    statement = select(model.id, model.owner_id, customer.label("customer_id")).where(model.id.in_(ids))
    owners = {row.id: row for row in db.session().execute(statement)}
    contacts = segment.object == "contacts"
    return [
        Occasion(
            key=f"{'contact' if contacts else 'customer'} {one}",
            customer_id=owners[one].customer_id,
            contact_id=one if contacts else None,
            member_id=owners[one].owner_id,
        )
        for one in ids
        if one in owners
    ]


@schedule.every_tenant("surveys.daily", at="09:05", rests=True, one_transaction=False)
def daily(_tenant_id: uuid.UUID) -> None:
    """Invite after what happened, and remind who has not answered; each survey in a transaction of its own."""
    tenant = context.tenant()
    with db.unit_of_work() as session:
        statement = select(Survey.id).where(Survey.state == "open", Survey.deleted_at.is_(None))
        ids = list(session.execute(statement).scalars())
    for survey_id in ids:
        with db.unit_of_work() as session, force_locale(tenant.locale):
            survey = _open_survey(str(survey_id))
            if survey is not None:
                _one_survey(InviteService(session, survey))


def _one_survey(service: InviteService) -> None:
    for occasion in service.due():
        try:
            with service.session.begin_nested():
                service.invite(occasion)
        except KehuError:
            continue  # A customer in the trash, for one: the others are invited all the same.
    for invitation in service.unanswered():
        try:
            with service.session.begin_nested():
                service.remind(invitation)
        except KehuError:
            continue  # As above.
