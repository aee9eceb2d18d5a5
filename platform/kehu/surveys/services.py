"""What can be done with surveys and their questions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.records.following import FollowingService
from kehu.core.records.service import RecordService
from kehu.core.text import fold
from kehu.surveys.models import Survey, SurveyInvitation, SurveyQuestion

MOST_QUESTIONS = 30
MOST_CHOICES = 20


def choices_of(question: SurveyQuestion) -> list[str]:
    """Return the choices of a question, one a line, nothing twice."""
    return list(dict.fromkeys(line.strip() for line in (question.choices or "").splitlines() if line.strip()))


def questions_of(session: Session, survey_id: uuid.UUID) -> Sequence[SurveyQuestion]:
    """Return the questions of a survey in their order."""
    statement = select(SurveyQuestion).where(
        SurveyQuestion.survey_id == survey_id, SurveyQuestion.deleted_at.is_(None)
    )
    return session.execute(statement.order_by(SurveyQuestion.place, SurveyQuestion.id)).scalars().all()


def is_asked(session: Session, survey_id: uuid.UUID) -> bool:
    """Tell whether anybody was invited already."""
    statement = select(SurveyInvitation.id).where(SurveyInvitation.survey_id == survey_id).limit(1)
    return session.execute(statement).first() is not None


class SurveyService(RecordService[Survey]):
    """Write surveys."""

    type_name = "surveys"

    def prepare(self, record: Survey, changed: set[str]) -> None:
        """Normalise the name."""
        record.name_norm = fold(record.name)

    def open(self, survey_id: object) -> Survey:
        """Take answers from now; occasions from this moment on invite.

        :raises Conflict: when it is open, or asks nothing.
        """
        record = self.get(survey_id, action="write", lock=True)
        if record.state == "open":
            raise Conflict(_("This survey is open already."))
        if not questions_of(self.session, record.id):
            raise Conflict(_("Add a question first; this survey asks nothing yet."))
        return self._turn(record, "open")

    def close(self, survey_id: object) -> Survey:
        """Take no more answers, and invite nobody.

        :raises Conflict: when it is not open.
        """
        record = self.get(survey_id, action="write", lock=True)
        if record.state != "open":
            raise Conflict(_("This survey is not open."))
        return self._turn(record, "closed")

    def _turn(self, record: Survey, state: str, action: str = "") -> Survey:
        before, record.state = record.state, state
        if state == "open":
            record.opened_at = clock.now()
        self._stamp(record)
        self._flush()
        action = action or ("opened" if state == "open" else "closed")
        self._trail(record, action, {"state": [before, state]})
        return record

    def undone(self, record: Survey, changes: Mapping[str, list[Any]]) -> None:
        """Take back that a survey was opened or closed.

        :raises Conflict: when it has gone on since.
        """
        before, after = changes.get("state") or (None, None)
        if before is None:
            return
        if record.state != after:
            raise Conflict(_("This survey was opened or closed since; nothing was changed."))
        self._turn(record, before, "updated")

    def search_texts(self, record: Survey) -> Iterable[tuple[str, str]]:
        """Find a survey by its name."""
        yield "name", record.name


class QuestionService(FollowingService[SurveyQuestion]):
    """Write questions; once somebody was asked they stay as they are, or the figures would mix two questions."""

    type_name = "survey_questions"

    def check(self, record: SurveyQuestion, changed: set[str]) -> None:
        """Refuse what nobody could answer, and changes under the eyes of those who are asked."""
        if changed - {"place"} and is_asked(self.session, record.survey_id):
            message = _("People were invited already, so the questions stay as they are. Make a new survey.")
            raise InvalidInput(message, fields={"name": [message]})
        if not record.place:
            record.place = self._last(record) + 1
        count = len(choices_of(record))
        if record.kind == "choice" and not 2 <= count <= MOST_CHOICES:
            message = _("Write from 2 to %(most)s choices, one on each line.", most=MOST_CHOICES)
            raise InvalidInput(message, fields={"choices": [message]})
        if len(questions_of(self.session, record.survey_id)) >= MOST_QUESTIONS and record.version == 1:
            message = _("A survey may ask %(most)s questions.", most=MOST_QUESTIONS)
            raise InvalidInput(message, fields={"name": [message]})

    def _last(self, record: SurveyQuestion) -> int:
        statement = select(func.coalesce(func.max(SurveyQuestion.place), 0)).where(
            SurveyQuestion.survey_id == record.survey_id, SurveyQuestion.deleted_at.is_(None)
        )
        with self.session.no_autoflush:
            return min(int(self.session.execute(statement).scalar_one()), 98)

    def trash(self, record_id: object, *, version: int | None = None) -> SurveyQuestion:
        """Put a question into the trash, unless somebody was asked it.

        :raises Conflict: when people were invited already.
        """
        record = self.get(record_id, action="delete")
        if is_asked(self.session, record.survey_id):
            raise Conflict(
                _("People were invited already, so the questions stay as they are. Make a new survey.")
            )
        return super().trash(record_id, version=version)

    def search_texts(self, record: SurveyQuestion) -> Iterable[tuple[str, str]]:
        """Find no question by itself."""
        return ()
