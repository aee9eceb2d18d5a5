"""What a survey found, in a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Text, and_, cast, func, select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.db import tenant_id
from kehu.core.records import scope
from kehu.core.tables import metadata
from kehu.surveys import statistics
from kehu.surveys.answering import RANGES
from kehu.surveys.models import Survey, SurveyQuestion
from kehu.surveys.services import choices_of
from kehu.surveys.statistics import Figure

WORDS = 30
"""Newest texts that are shown."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Answers to the leading question by colleague or month."""

    name: str
    figure: Figure


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one question found.

    :param bars: (answer, count, share of the largest) in the order of the answers; empty where too few answered.
    """

    question: SurveyQuestion
    n: int
    figure: Figure | None = None
    index: float | None = None
    bars: Sequence[tuple[str, int, int]] = ()
    words: Sequence[Any] = ()


@dataclass(frozen=True, kw_only=True)
class Results:
    """All that a survey found."""

    invited: int = 0
    refused: int = 0
    sent: int = 0
    answered: int = 0
    rate: float | None = None
    tickets: int = 0
    results: Sequence[Result] = ()
    leading: SurveyQuestion | None = None
    members: Sequence[Group] = ()
    months: Sequence[Group] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)


def read(session: Session, survey: Survey, questions: Sequence[SurveyQuestion]) -> Results:
    """Return what a survey found."""
    totals = _totals(session, survey)
    counts = _counts(session, survey.id)
    words = _words(session, survey.id)
    leading = next((one for kind in ("recommend", "scale") for one in questions if one.kind == kind), None)
    return Results(
        **totals,
        rate=statistics.rate(totals["answered"], max(totals["sent"], totals["answered"])),
        reasons=_reasons(session, survey.id) if totals["refused"] else {},
        results=[_result(one, counts.get(one.id, {}), words.get(one.id, [])) for one in questions],
        leading=leading,
        members=_groups(session, leading, _by_member) if leading is not None else [],
        months=_groups(session, leading, _by_month) if leading is not None else [],
    )


def _totals(session: Session, survey: Survey) -> dict[str, int]:
    row, message = metadata.tables["survey_invitations"], metadata.tables["messages"]
    statement = (
        select(
            func.count().filter(row.c.state != "refused").label("invited"),
            func.count().filter(row.c.state == "refused").label("refused"),
            func.count().filter(message.c.state == "sent").label("sent"),
            func.count().filter(row.c.state == "answered").label("answered"),
            func.count(row.c.ticket_id).label("tickets"),
        )
        .select_from(row)
        .outerjoin(message, and_(message.c.tenant_id == tenant_id(), message.c.id == row.c.message_id))
        .where(row.c.tenant_id == tenant_id(), row.c.survey_id == survey.id)
    )
    return dict(session.execute(statement).mappings().one())


def _reasons(session: Session, survey_id: uuid.UUID) -> dict[str, int]:
    row, message = metadata.tables["survey_invitations"], metadata.tables["messages"]
    statement = (
        select(message.c.reason_code, func.count().label("people"))
        .select_from(row)
        .join(message, and_(message.c.tenant_id == tenant_id(), message.c.id == row.c.message_id))
        .where(row.c.tenant_id == tenant_id(), row.c.survey_id == survey_id, row.c.state == "refused")
        .group_by(message.c.reason_code)
    )
    return {one.reason_code or "": one.people for one in session.execute(statement)}


def _counts(session: Session, survey_id: uuid.UUID) -> dict[uuid.UUID, dict[Any, int]]:
    """Return how often each number and choice was answered; own words are counted under one key."""
    row, question = metadata.tables["survey_answers"], metadata.tables["survey_questions"]
    given = func.coalesce(cast(row.c.number, Text), row.c.words)
    statement = (
        select(row.c.question_id, question.c.kind, given.label("given"), func.count().label("people"))
        .select_from(row)
        .join(question, and_(question.c.tenant_id == tenant_id(), question.c.id == row.c.question_id))
        .where(row.c.tenant_id == tenant_id(), row.c.survey_id == survey_id, question.c.kind != "text")
        .group_by(row.c.question_id, question.c.kind, given)
    )
    found: dict[uuid.UUID, dict[Any, int]] = {}
    for one in session.execute(statement):
        key = int(one.given) if one.kind in RANGES else one.given
        found.setdefault(one.question_id, {})[key] = one.people
    return found


def _words(session: Session, survey_id: uuid.UUID) -> dict[uuid.UUID, list[Any]]:
    """Return the newest answers in own words, each with the customer's name where the reader may see him."""
    row, asked = metadata.tables["survey_answers"], metadata.tables["survey_invitations"]
    question, customer = metadata.tables["survey_questions"], metadata.tables["customers"].alias("who")
    statement = (
        select(row.c.question_id, row.c.words, asked.c.answered_at, customer.c.id, customer.c.name)
        .select_from(row)
        .join(question, and_(question.c.tenant_id == tenant_id(), question.c.id == row.c.question_id))
        .join(asked, and_(asked.c.tenant_id == tenant_id(), asked.c.id == row.c.invitation_id))
        .outerjoin(
            customer,
            and_(
                customer.c.tenant_id == tenant_id(),
                customer.c.id == asked.c.customer_id,
                scope.seen("customers", customer.c, context.actor()),
            ),
        )
        .where(row.c.tenant_id == tenant_id(), row.c.survey_id == survey_id, question.c.kind == "text")
        .order_by(row.c.id.desc())
        .limit(WORDS)
    )
    found: dict[uuid.UUID, list[Any]] = {}
    for one in session.execute(statement):
        found.setdefault(one.question_id, []).append(one)
    return found


def _result(question: SurveyQuestion, counts: Mapping[Any, int], words: Sequence[Any]) -> Result:
    n = sum(counts.values())
    if question.kind == "text":
        return Result(question=question, n=len(words), words=words)
    order = list(RANGES[question.kind]) if question.kind in RANGES else choices_of(question)
    bars: list[tuple[str, int, int]] = []
    if n >= statistics.SMALLEST:
        largest = max(counts.values())
        bars = [(str(one), counts.get(one, 0), round(100 * counts.get(one, 0) / largest)) for one in order]
    return Result(
        question=question,
        n=n,
        figure=_figure(question, counts),
        index=statistics.index(counts) if question.kind == "scale" else None,
        bars=bars,
    )


def _figure(question: SurveyQuestion, counts: Mapping[Any, int]) -> Figure | None:
    if question.kind == "choice":
        return None
    return statistics.recommendation(counts) if question.kind == "recommend" else statistics.mean(counts)


def _by_member(asked: Any) -> tuple[Any, Any]:
    return asked.c.member_id, None


def _by_month(asked: Any) -> tuple[Any, Any]:
    month = func.to_char(func.timezone(context.tenant().zone, asked.c.answered_at), "YYYY-MM")
    return month, month


def _groups(session: Session, question: SurveyQuestion, by: Any) -> list[Group]:
    row, asked = metadata.tables["survey_answers"], metadata.tables["survey_invitations"]
    member = metadata.tables["members"].alias("with_whom")
    key, name = by(asked)
    label = member.c.name if name is None else name
    statement = (
        select(label.label("name"), row.c.number, func.count().label("people"))
        .select_from(row)
        .join(asked, and_(asked.c.tenant_id == tenant_id(), asked.c.id == row.c.invitation_id))
        .outerjoin(member, and_(member.c.tenant_id == tenant_id(), member.c.id == asked.c.member_id))
        .where(row.c.tenant_id == tenant_id(), row.c.question_id == question.id, row.c.number.is_not(None))
        .group_by(key, label, row.c.number)
        .order_by(label)
    )
    found: dict[str, dict[int, int]] = {}
    for one in session.execute(statement):
        if one.name:
            found.setdefault(one.name, {})[one.number] = one.people
    # By name and month, never by score: a ranking of small groups is noise.
    return [
        Group(name=name, figure=figure)
        for name, counts in found.items()
        if (figure := _figure(question, counts)) is not None
    ]
