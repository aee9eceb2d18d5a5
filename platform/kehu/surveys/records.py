"""Surveys and their questions as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.surveys.models import Survey, SurveyQuestion

STATES = (
    Option(value="draft", label=_l("Draft")),
    Option(value="open", label=_l("Open"), tone="ok"),
    Option(value="closed", label=_l("Closed"), tone="info"),
)
OCCASIONS = (
    Option(value="none", label=_l("Nothing")),
    Option(value="deal_won", label=_l("A deal was won"), tone="ok"),
    Option(value="ticket_resolved", label=_l("A ticket was resolved"), tone="info"),
)
KINDS = (
    Option(value="scale", label=_l("1 to 10"), tone="info"),
    Option(value="recommend", label=_l("Would recommend us, 0 to 10"), tone="ok"),
    Option(value="choice", label=_l("One of some choices")),
    Option(value="text", label=_l("Own words")),
)


def _surveys(session: Session) -> Any:
    from kehu.surveys.services import SurveyService

    return SurveyService(session)


def _questions(session: Session) -> Any:
    from kehu.surveys.services import QuestionService

    return QuestionService(session)


SURVEYS = register(
    RecordType(
        name="surveys",
        singular="survey",
        label=_l("survey"),
        plural=_l("Surveys"),
        icon="star",
        model=Survey,
        service=_surveys,
        importable=False,
        sections={"main": _l("Details"), "sending": _l("Invitations")},
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                max_length=120,
                help=_l("Stands in the invitation and over the questions."),
                example="Your last visit",
            ),
            Field(
                key="intro",
                label=_l("Words before the questions"),
                kind="long_text",
                help=_l("Also stands in the invitation."),
            ),
            Field(
                key="state",
                label=_l("State"),
                kind="choice",
                options=STATES,
                readonly=True,
                column=True,
                filterable=True,
            ),
            Field(
                key="occasion",
                label=_l("Invites by itself after"),
                kind="choice",
                options=OCCASIONS,
                required=True,
                default="none",
                column=True,
                quick=True,
                filterable=True,
                section="sending",
            ),
            Field(
                key="wait_days",
                label=_l("Days after it"),
                kind="number",
                minimum=0,
                maximum=60,
                default=3,
                required=True,
                section="sending",
            ),
            Field(
                key="remind_days",
                label=_l("Days until one reminder"),
                kind="number",
                minimum=1,
                maximum=60,
                default=7,
                section="sending",
                help=_l("Empty: nobody is reminded."),
            ),
            Field(
                key="low_score",
                label=_l("A ticket up to this score"),
                kind="number",
                minimum=0,
                maximum=10,
                default=6,
                section="sending",
                help=_l("An answer that is no higher opens a ticket. Empty: none does."),
            ),
            Field(key="owner_id", label=_l("Looked after by"), kind="member", column=True, filterable=True),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                column=True,
            ),
        ),
    )
)

QUESTIONS = register(
    RecordType(
        name="survey_questions",
        singular="survey_question",
        label=_l("question of a survey"),
        plural=_l("Questions of surveys"),
        icon="help-circle",
        model=SurveyQuestion,
        service=_questions,
        owner="",
        follows="survey_id",
        importable=False,
        searchable=False,
        fields=(
            Field(key="name", label=_l("Question"), required=True, column=True, quick=True, max_length=300),
            Field(
                key="kind",
                label=_l("Answered by"),
                kind="choice",
                options=KINDS,
                required=True,
                default="scale",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="choices",
                label=_l("Choices"),
                kind="long_text",
                quick=True,
                help=_l("One on each line; for “One of some choices” only."),
            ),
            Field(key="needed", label=_l("Must be answered"), kind="bool", default=False, quick=True),
            Field(
                key="place",
                label=_l("Place"),
                kind="number",
                minimum=1,
                maximum=99,
                column=True,
                help=_l("Questions stand in the order of these numbers."),
            ),
            Field(
                key="survey_id",
                label=_l("Survey"),
                kind="ref",
                ref="surveys",
                required=True,
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(key="updated_at", label=_l("Changed"), kind="datetime", readonly=True, sortable=True),
        ),
    )
)
