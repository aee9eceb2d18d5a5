"""Inviting: once for each occasion, nobody of a household within 90 days, all through the send gate."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.tables import metadata
from kehu.messages.services import Letter, MessageService
from kehu.relations.mates import household_mates
from kehu.surveys.letters import INVITATION, REMINDER
from kehu.surveys.models import Survey, SurveyInvitation

EVERY = dt.timedelta(days=90)
"""Nobody is asked more often, nor somebody who lives with them."""

WINDOW = dt.timedelta(days=14)
"""So long after its day an occasion still invites: the job may have stood still, a mate may have been asked."""

REMIND_WITHIN = dt.timedelta(days=60)
SLICE = 100


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """Why somebody is asked.

    :param key: the same for the same occasion, so that it invites once.
    :param member_id: whom it was with.
    """

    key: str
    customer_id: uuid.UUID | None = None
    contact_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None


class InviteService:
    """Invite to one survey.

    :raises Conflict: while it is not open.
    """

    def __init__(self, session: Session, survey: Survey) -> None:
        self.session = session
        self.survey = survey
        if survey.state != "open":
            raise Conflict(_("This survey is not open."))

    def invite(self, occasion: Occasion) -> SurveyInvitation | None:
        """Invite somebody, or return None: for this occasion already, or asked lately.

        What the gate refuses for good is kept with the invitation, which then never counts as one.
        """
        circle = self._circle(occasion)
        self._one_at_a_time(circle)
        if self._asked_lately(circle, occasion):
            return None
        invitation = self._new(occasion)
        if invitation is None:
            return None
        self._send(invitation)
        return invitation

    def _circle(self, occasion: Occasion) -> list[uuid.UUID]:
        """Return the customers of whom one invitation is enough: the customer and who lives there."""
        if occasion.customer_id is None:
            return []
        return sorted(
            mate.customer_id
            for mate in household_mates(self.session, [occasion.customer_id])[occasion.customer_id]
        )

    def _one_at_a_time(self, circle: Sequence[uuid.UUID]) -> None:
        # Two invitations to one home at the same moment: the second has to see the first.
        if circle:
            key = int.from_bytes(circle[0].bytes[-8:], "big", signed=True) ^ 0x73757276
            self.session.execute(select(func.pg_advisory_xact_lock(key)))

    def _asked_lately(self, circle: Sequence[uuid.UUID], occasion: Occasion) -> bool:
        row = SurveyInvitation
        who: list[Any] = [row.customer_id.in_(circle)] if circle else []
        if occasion.contact_id is not None and not circle:
            who.append(row.contact_id == occasion.contact_id)
        statement = select(row.id).where(or_(*who), row.state != "refused", row.at > clock.now() - EVERY)
        return bool(who) and self.session.execute(statement.limit(1)).first() is not None

    def _new(self, occasion: Occasion) -> SurveyInvitation | None:
        made = new_id()
        statement = (
            insert(SurveyInvitation)
            .values(
                tenant_id=context.tenant().id,
                id=made,
                survey_id=self.survey.id,
                customer_id=occasion.customer_id,
                contact_id=occasion.contact_id,
                occasion=occasion.key,
                member_id=occasion.member_id,
                at=clock.now(),
            )
            .on_conflict_do_nothing()
            .returning(SurveyInvitation.id)
        )
        if self.session.execute(statement).scalar() is None:
            return None
        return self.session.execute(select(SurveyInvitation).where(SurveyInvitation.id == made)).scalar_one()

    def _send(self, invitation: SurveyInvitation) -> None:
        message = self._letter(invitation, INVITATION.key, f"survey {invitation.id}")
        invitation.message_id = message.id
        if message.state in ("refused", "failed"):
            invitation.state = "refused"

    def _letter(self, invitation: SurveyInvitation, template: str, once: str) -> Any:
        return MessageService(self.session).send(
            Letter(
                template=template,
                customer_id=None if invitation.contact_id else invitation.customer_id,
                contact_id=invitation.contact_id,
                data={
                    "invitation": str(invitation.id),
                    "survey": self.survey.name,
                    "intro": self.survey.intro or _("It takes a few minutes only."),
                },
                once=once,
            )
        )

    def remind(self, invitation: SurveyInvitation) -> None:
        """Remind somebody who has not answered, once."""
        invitation.reminded_at = clock.now()
        self._letter(invitation, REMINDER.key, f"survey reminder {invitation.id}")

    # Who is due ---------------------------------------------------------------------------------

    def due(self) -> list[Occasion]:
        """Return occasions that should invite today, those of the survey's own kind, oldest first."""
        source = {"deal_won": _won_deals, "ticket_resolved": _resolved_tickets}.get(self.survey.occasion)
        return list(source(self.session, self.survey)) if source is not None else []

    def unanswered(self) -> list[SurveyInvitation]:
        """Return invitations whose one reminder is due."""
        if self.survey.remind_days is None:
            return []
        now, row = clock.now(), SurveyInvitation
        statement = (
            select(row)
            .where(
                row.survey_id == self.survey.id,
                row.state == "invited",
                row.reminded_at.is_(None),
                row.at <= now - dt.timedelta(days=self.survey.remind_days),
                row.at > now - REMIND_WITHIN,
            )
            .order_by(row.at)
            .limit(SLICE)
            .with_for_update(skip_locked=True)
        )
        return list(self.session.execute(statement).scalars())


def _span(survey: Survey) -> tuple[dt.datetime, dt.datetime]:
    until = clock.now() - dt.timedelta(days=survey.wait_days)
    return max(until - WINDOW, (survey.opened_at or until) - dt.timedelta(days=survey.wait_days)), until


def _won_deals(session: Session, survey: Survey) -> Iterable[Occasion]:
    row = metadata.tables["deals"]
    yield from _occasions(
        session, survey, row, "deal", row.c.closed_at, row.c.owner_id, row.c.status == "won"
    )


def _resolved_tickets(session: Session, survey: Survey) -> Iterable[Occasion]:
    row = metadata.tables["tickets"]
    done = row.c.status.in_(("resolved", "closed"))
    yield from _occasions(session, survey, row, "ticket", row.c.resolved_at, row.c.assignee_id, done)


def _occasions(
    session: Session, survey: Survey, row: Any, word: str, moment: Any, member: Any, done: Any
) -> Iterable[Occasion]:
    since, until = _span(survey)
    asked = metadata.tables["survey_invitations"].alias("asked")
    key = func.concat(f"{word} ", row.c.id)
    known = (
        select(asked.c.id)
        .where(
            asked.c.tenant_id == context.tenant().id,
            asked.c.survey_id == survey.id,
            asked.c.occasion == key,
        )
        .correlate(row)
        .exists()
    )
    statement = (
        select(row.c.id, row.c.customer_id, row.c.contact_id, member.label("member_id"))
        .where(
            row.c.tenant_id == context.tenant().id,
            row.c.deleted_at.is_(None),
            or_(row.c.customer_id.is_not(None), row.c.contact_id.is_not(None)),
            done,
            moment > since,
            moment <= until,
            ~known,
        )
        .order_by(moment, row.c.id)
        .limit(SLICE * 5)
    )
    for one in session.execute(statement):
        yield Occasion(
            key=f"{word} {one.id}",
            customer_id=one.customer_id,
            contact_id=one.contact_id,
            member_id=one.member_id,
        )
