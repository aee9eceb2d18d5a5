"""Pages of surveys, and the page on which somebody answers without an account."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from sqlalchemy import select

from kehu.consent.gate import WORDS
from kehu.core import audit, context, db, jobs
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import LOCALES, _, _l
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.segments import services as segments
from kehu.segments.services import SegmentService
from kehu.surveys import answering, links, results, tasks
from kehu.surveys.answering import RANGES
from kehu.surveys.links import Asked
from kehu.surveys.models import Survey, SurveyQuestion
from kehu.surveys.services import SurveyService, choices_of, questions_of
from kehu.surveys.statistics import SMALLEST
from kehu.web.access import needs, public, signed_link
from kehu.web.language import COOKIE
from kehu.web.records import RecordPages, record_page_context
from kehu.web.records.answers import go_to
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("surveys", __name__)


def show_survey(record: Survey) -> Response:
    """Show a survey: its fields, what it found, its questions."""
    session = db.session()
    questions = questions_of(session, record.id)
    found = results.read(session, record, questions)
    return render_page(
        "surveys/show.html",
        {},
        page=record_page_context("surveys", record),
        record=record,
        questions=questions,
        kinds={one.value: str(one.label) for one in get_type("survey_questions").by_key["kind"].choices()},
        found=found,
        reasons={str(WORDS.get(code, code)): people for code, people in found.reasons.items()},
        smallest=SMALLEST,
        may_invite=record.state == "open" and _may_invite(),
    )


def _may_invite() -> bool:
    actor = context.actor()
    return actor.may("surveys:write") and actor.may("messages:send") and actor.may("segments:read")


SURVEYS = RecordPages(
    "surveys",
    purpose=_l("Short questions after a sale or a service; answers come back to the customer’s page."),
    picture=False,
    phone=("state", "updated_at"),
    chips=("state", "owner_id"),
    detail=show_survey,
)
SURVEYS.register(blueprint)

QUESTIONS = RecordPages(
    "survey_questions", note="kind", picture=False, phone=("kind", "place"), nav=False, after_create="list"
)
QUESTIONS.register(blueprint)


@blueprint.post("/surveys/<uuid:record_id>/open")
@needs("surveys:write")
def open_survey(record_id: uuid.UUID) -> ResponseReturnValue:
    """Take answers from now on."""
    record = SurveyService(db.session()).open(record_id)
    toast(_("“%(name)s” is open", name=record.name))
    return go_to(f"/surveys/{record.id}")


@blueprint.post("/surveys/<uuid:record_id>/close")
@needs("surveys:write")
def close_survey(record_id: uuid.UUID) -> ResponseReturnValue:
    """Take no more answers."""
    record = SurveyService(db.session()).close(record_id)
    toast(_("“%(name)s” is closed", name=record.name))
    return go_to(f"/surveys/{record.id}")


@blueprint.route("/surveys/<uuid:record_id>/invite", methods=["GET", "POST"])
@needs("surveys:write")
def invite(record_id: uuid.UUID) -> ResponseReturnValue:
    """Choose a segment and see how many are in it (GET), then invite it in the background (POST)."""
    session = db.session()
    context.actor().require("messages:send")
    survey = SurveyService(session).get(record_id, action="write")
    if survey.state != "open":
        raise Conflict(_("This survey is not open."))
    chosen = parse_id(request.values.get("segment"))
    segment = SegmentService(session).get(chosen) if chosen is not None else None
    count = segments.count(session, segment) if segment is not None else None
    if request.method == "POST" and segment is not None:
        jobs.enqueue(session, tasks.invite_segment, survey_id=str(survey.id), segment_id=str(segment.id))
        audit.write(
            session,
            object="surveys",
            record_id=survey.id,
            action="invited",
            title=segment.name,
            version=survey.version,
        )
        toast(_("The segment “%(name)s” is being invited in the background", name=segment.name))
        return go_to(f"/surveys/{survey.id}")
    options = [
        (str(row.id), row.name) for kind in ("customers", "contacts") for row in segments.names(session, kind)
    ]
    return render_page(
        "surveys/invite.html",
        {},
        status=422 if request.method == "POST" else 200,
        survey=survey,
        options=options,
        chosen=str(chosen or ""),
        count=count,
        bound=segments.COUNT_BOUND,
        error=_("Choose one from the list.") if request.method == "POST" else "",
    )


@blueprint.get("/surveys/<uuid:record_id>/preview")
@needs("surveys:read")
def preview(record_id: uuid.UUID) -> Response:
    """Show the questions as those see them who are invited."""
    survey = SurveyService(db.session()).get(record_id)
    return _form(survey, questions_of(db.session(), survey.id), preview=True)


# --- who is asked: no account, no script ------------------------------------------------------------------


@blueprint.get("/s/<token>")
@public
def asked(token: str) -> Response:
    """Show the questions, or say that they were answered."""
    found = links.find(token)
    with force_locale(_locale(found)):
        notice = _why_not(found)
        questions = [] if notice else questions_of(db.session(), found.survey.id)
        return _form(found.survey, questions, notice=notice)


@blueprint.post("/s/<token>")
@signed_link
def answer(token: str) -> ResponseReturnValue:
    """Take the answers, once."""
    found = links.find(token, lock=True)
    with force_locale(_locale(found)):
        session, survey = db.session(), found.survey
        name, questions = survey.name, questions_of(session, survey.id)
        try:
            with context.use(actor=context.Actor(kind="system", name=_name(found))):
                answering.take(session, found, request.form)
        except Conflict as error:
            return _form(survey, [], notice=str(error.message), status=409)
        except InvalidInput as error:
            return _form(survey, questions, errors=error.fields, status=422)
        return render_page("surveys/answer.html", {}, name=name, thanks=True)


def _why_not(found: Asked) -> str:
    if found.invitation.state == "answered":
        return _("You have answered already. Thank you.")
    return "" if found.survey.state == "open" else _("This survey is closed; no answers are taken any more.")


def _person(found: Asked) -> Any:
    name = "contacts" if found.invitation.contact_id else "customers"
    model: Any = get_type(name).model
    wanted = found.invitation.contact_id or found.invitation.customer_id
    return db.session().execute(select(model).where(model.id == wanted)).scalar_one_or_none()


def _name(found: Asked) -> str:
    person = _person(found)
    return person.name if person is not None else ""


def _locale(found: Asked) -> str:
    person, cookie = _person(found), request.cookies.get(COOKIE)
    if cookie in LOCALES:
        return str(cookie)
    language = person.language if person is not None else None
    return language if language in LOCALES else context.tenant().locale


def _form(
    survey: Survey,
    questions: Any,
    *,
    notice: str = "",
    errors: Any = None,
    preview: bool = False,
    status: int = 200,
) -> Response:
    return render_page(
        "surveys/answer.html",
        {},
        status=status,
        name=survey.name,
        intro=survey.intro or "",
        questions=[_drawn(one) for one in questions],
        url=request.path,
        given=request.form,
        errors={key: " ".join(texts) for key, texts in (errors or {}).items()},
        notice=notice,
        preview=preview,
        thanks=False,
    )


def _drawn(question: SurveyQuestion) -> dict[str, Any]:
    answers = [(str(one), str(one)) for one in RANGES.get(question.kind, ())]
    if question.kind == "choice":
        answers = [(one, one) for one in choices_of(question)]
    return {
        "key": f"q-{question.id}",
        "text": question.name,
        "kind": question.kind,
        "needed": question.needed,
        "answers": answers,
    }
