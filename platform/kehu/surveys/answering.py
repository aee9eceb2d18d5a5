"""Taking an answer: all of it or nothing, once; a low score opens a ticket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, events
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.text import clean
from kehu.surveys.links import Asked
from kehu.surveys.models import SurveyAnswer, SurveyQuestion
from kehu.surveys.services import choices_of, questions_of

LONGEST = 4000
RANGES = {"scale": range(1, 11), "recommend": range(11)}


def read(questions: Sequence[SurveyQuestion], given: Mapping[str, str]) -> dict[Any, Any]:
    """Return the answers by question: numbers or words; what nobody answered is left out.

    :raises InvalidInput: names each question (`q-<id>`) that needs another answer.
    """
    found: dict[Any, Any] = {}
    errors: dict[str, list[str]] = {}
    for question in questions:
        key, raw = f"q-{question.id}", given.get(f"q-{question.id}", "").strip()
        if not raw:
            if question.needed:
                errors[key] = [_("Please answer this question.")]
            continue
        value = _value(question, raw)
        if value is None:
            errors[key] = [_("Choose one of the answers.")]
        elif isinstance(value, str) and len(value) > LONGEST:
            errors[key] = [_("This may have %(may)s characters; shorten it.", may=f"{LONGEST:,}")]
        else:
            found[question.id] = value
    if errors:
        raise InvalidInput(_("Some questions need another answer."), fields=errors)
    return found


def _value(question: SurveyQuestion, raw: str) -> Any:
    if question.kind in RANGES:
        good = raw.isascii() and raw.isdecimal() and len(raw) < 4 and int(raw) in RANGES[question.kind]
        return int(raw) if good else None
    if question.kind == "choice":
        return raw if raw in choices_of(question) else None
    return clean(raw, lines=True) or None


def take(session: Session, asked: Asked, given: Mapping[str, str]) -> None:
    """Keep the answers of one invitation.

    :raises Conflict: when it was answered already, or the survey is closed.
    :raises InvalidInput: names each question that needs another answer.
    """
    invitation, survey = asked.invitation, asked.survey
    if invitation.state == "answered":
        raise Conflict(_("You have answered already. Thank you."))
    if survey.state != "open":
        raise Conflict(_("This survey is closed; no answers are taken any more."))
    questions = questions_of(session, survey.id)
    answers = read(questions, given)
    if not answers:
        raise InvalidInput(
            _("Answer one question at least."), fields={"": [_("Answer one question at least.")]}
        )
    for question_id, value in answers.items():
        session.add(
            SurveyAnswer(
                id=new_id(),
                survey_id=survey.id,
                question_id=question_id,
                invitation_id=invitation.id,
                number=value if isinstance(value, int) else None,
                words=value if isinstance(value, str) else None,
            )
        )
    invitation.state, invitation.answered_at = "answered", clock.now()
    _open_ticket(session, asked, questions, answers)
    audit.write(
        session,
        object="surveys",
        record_id=survey.id,
        action="answered",
        title=survey.name,
        customer_id=invitation.customer_id,
    )
    events.announce(session, "survey.answered")


def _open_ticket(
    session: Session, asked: Asked, questions: Sequence[SurveyQuestion], answers: Mapping[Any, Any]
) -> None:
    """Open a ticket for who is not content, so that somebody calls."""
    scores = [answers[one.id] for one in questions if one.kind in RANGES and one.id in answers]
    bound = asked.survey.low_score
    if bound is None or not scores or min(scores) > bound:
        return
    lines = [f"{one.name}\n{answers[one.id]}" for one in questions if one.id in answers]
    values = {
        "subject": _("Low score in “%(survey)s”: %(score)s", survey=asked.survey.name, score=min(scores))[
            :200
        ],
        "description": "\n\n".join(lines),
        "priority": "high",
        "customer_id": _text(asked.invitation.customer_id),
        "contact_id": _text(asked.invitation.contact_id),
    }
    ticket = service_for("tickets", session, context.SYSTEM).create(
        {key: value for key, value in values.items() if value}
    )
    asked.invitation.ticket_id = ticket.id


def _text(value: Any) -> str:
    return str(value) if value is not None else ""
