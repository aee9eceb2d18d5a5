"""Surveys with their questions, who was invited, and what they answered."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kehu.core.tables import (
    Base,
    Flag,
    Instant,
    OptStr,
    OptUuid,
    RecordRow,
    StrC,
    TenantRow,
    UuidCol,
    tenant_args,
    tenant_fk,
    tenant_index,
)

LIVE = "deleted_at IS NULL"


class Survey(RecordRow, Base):
    """What is asked, of whom by itself, and when; answers are taken while it is open."""

    __tablename__ = "surveys"
    __table_args__ = tenant_args(
        "surveys",
        tenant_fk("surveys", "owner_id", "members"),
        tenant_index("surveys", "name", "name_norm", "id", where=LIVE),
        tenant_index("surveys", "owner", "owner_id", "name_norm", "id", where=LIVE),
        tenant_index("surveys", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("state IN ('draft', 'open', 'closed')", name="state"),
        CheckConstraint("occasion IN ('none', 'deal_won', 'ticket_resolved')", name="occasion"),
    )

    name: Mapped[str] = mapped_column(Text)
    name_norm: Mapped[StrC]
    intro: Mapped[OptStr]
    state: Mapped[str] = mapped_column(Text, default="draft", server_default="draft")
    occasion: Mapped[str] = mapped_column(Text, default="none", server_default="none")
    wait_days: Mapped[int] = mapped_column(BigInteger, default=3, server_default=text("3"))
    remind_days: Mapped[int | None] = mapped_column(BigInteger)
    low_score: Mapped[int | None] = mapped_column(BigInteger)
    opened_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    owner_id: Mapped[OptUuid]


class SurveyQuestion(RecordRow, Base):
    """One question; `choices` holds a choice on each line."""

    __tablename__ = "survey_questions"
    __table_args__ = tenant_args(
        "survey_questions",
        tenant_fk("survey_questions", "survey_id", "surveys", ondelete="CASCADE"),
        tenant_index("survey_questions", "survey", "survey_id", "place", "id"),
        tenant_index("survey_questions", "updated", "updated_at", "id", where=LIVE),
        CheckConstraint("kind IN ('recommend', 'scale', 'choice', 'text')", name="kind"),
    )

    survey_id: Mapped[UuidCol]
    place: Mapped[int] = mapped_column(BigInteger, default=1, server_default=text("1"))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, default="scale", server_default="scale")
    choices: Mapped[OptStr]
    needed: Mapped[Flag]


class SurveyInvitation(TenantRow, Base):
    """That somebody was asked, for one occasion once; `member_id` is whom the occasion was with."""

    __tablename__ = "survey_invitations"
    __table_args__ = tenant_args(
        "survey_invitations",
        tenant_fk("survey_invitations", "survey_id", "surveys", ondelete="CASCADE"),
        tenant_fk("survey_invitations", "customer_id", "customers", ondelete="CASCADE"),
        tenant_fk("survey_invitations", "contact_id", "contacts", ondelete="CASCADE"),
        tenant_index("survey_invitations", "occasion", "survey_id", "occasion", unique=True),
        tenant_index("survey_invitations", "customer", "customer_id", "at"),
        tenant_index("survey_invitations", "contact", "contact_id", "at"),
        tenant_index("survey_invitations", "state", "survey_id", "state", "at"),
        CheckConstraint("state IN ('invited', 'refused', 'answered')", name="state"),
    )

    survey_id: Mapped[UuidCol]
    customer_id: Mapped[OptUuid]
    contact_id: Mapped[OptUuid]
    occasion: Mapped[StrC]
    member_id: Mapped[OptUuid]
    message_id: Mapped[OptUuid]
    state: Mapped[str] = mapped_column(Text, default="invited", server_default="invited")
    at: Mapped[Instant]
    reminded_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[dt.datetime | None] = mapped_column(DateTime(timezone=True))
    ticket_id: Mapped[OptUuid]


class SurveyAnswer(TenantRow, Base):
    """What somebody answered to one question: a number, or words (the choice, or a text)."""

    __tablename__ = "survey_answers"
    __table_args__ = tenant_args(
        "survey_answers",
        tenant_fk("survey_answers", "survey_id", "surveys", ondelete="CASCADE"),
        tenant_fk("survey_answers", "question_id", "survey_questions", ondelete="CASCADE"),
        tenant_fk("survey_answers", "invitation_id", "survey_invitations", ondelete="CASCADE"),
        tenant_index("survey_answers", "once", "invitation_id", "question_id", unique=True),
        tenant_index("survey_answers", "question", "question_id", "number"),
        tenant_index("survey_answers", "survey", "survey_id", "id"),
    )

    survey_id: Mapped[UuidCol]
    question_id: Mapped[UuidCol]
    invitation_id: Mapped[UuidCol]
    number: Mapped[int | None] = mapped_column(BigInteger)
    words: Mapped[OptStr]
