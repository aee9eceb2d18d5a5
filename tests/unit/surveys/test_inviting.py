"""Inviting: once an occasion, one of a household in 90 days, through the gate, by events and segments, one reminder."""

import datetime as dt

import pytest
from sqlalchemy import func, select, update

from kehu.consent.gate import Outgoing, check_send
from kehu.core import clock
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_entry
from kehu.deals.models import Deal
from kehu.messages.models import Message
from kehu.relations.services import HouseholdMemberService
from kehu.segments.services import SegmentService
from kehu.surveys import answering, tasks
from kehu.surveys.inviting import InviteService, Occasion
from kehu.surveys.links import Asked
from kehu.surveys.models import Survey, SurveyInvitation
from kehu.surveys.services import QuestionService, SurveyService, questions_of
from kehu.tickets.models import Ticket


def person(session, name, **values):
    given = {"name": name, "kind": "person", "emails": f"{name.lower()}@x.example", **values}
    return service_for("customers", session).create(given).id


@pytest.fixture
def survey(session):
    made = SurveyService(session).create({"name": "Your last visit"})
    QuestionService(session).create({"survey_id": str(made.id), "name": "How was it?", "kind": "scale"})
    SurveyService(session).open(made.id)
    return made


def invitations(session, survey):
    statement = select(SurveyInvitation).where(SurveyInvitation.survey_id == survey.id)
    return session.execute(statement.order_by(SurveyInvitation.id)).scalars().all()


def test_once_and_through_the_gate(session, survey):
    service = InviteService(session, survey)
    anna, bo = person(session, "Anna"), person(session, "Bo", do_not_contact="all")
    made = service.invite(Occasion(key="deal 1", customer_id=anna))
    assert made.state == "invited"
    message = session.execute(select(Message).where(Message.id == made.message_id)).scalar_one()
    assert (message.template, message.purpose, message.state) == ("kehu.survey", "survey", "queued")
    assert "Your last visit" in message.subject
    assert "{link}" in message.body
    assert service.invite(Occasion(key="deal 1", customer_id=anna)) is None
    assert service.invite(Occasion(key="deal 2", customer_id=anna)) is None  # Within 90 days.
    assert service.invite(Occasion(key="deal 3", customer_id=bo)).state == "refused"
    session.execute(update(SurveyInvitation).values(at=clock.now() - dt.timedelta(days=91)))
    assert service.invite(Occasion(key="deal 2", customer_id=anna)).state == "invited"


def test_one_of_a_household(session, survey):
    service = InviteService(session, survey)
    anna, bo = person(session, "Anna"), person(session, "Bo")
    home = service_for("households", session).create({"name": "Ek"})
    for one in (anna, bo):
        HouseholdMemberService(session).create({"household_id": str(home.id), "customer_id": str(one)})
    assert service.invite(Occasion(key="a", customer_id=anna)) is not None
    assert service.invite(Occasion(key="b", customer_id=bo)) is None


def test_a_contact_stands_for_the_customer(session, survey):
    service = InviteService(session, survey)
    firm = person(session, "Firm", kind="company")
    people = [
        service_for("contacts", session)
        .create({"name": name, "emails": f"{name}@y.example", "customer_id": str(firm)})
        .id
        for name in ("Cy", "Di")
    ]
    made = service.invite(Occasion(key="a", customer_id=firm, contact_id=people[0]))
    assert (made.contact_id, made.state) == (people[0], "invited")
    assert service.invite(Occasion(key="b", customer_id=firm, contact_id=people[1])) is None


@pytest.mark.parametrize("occasion", ["deal_won", "ticket_resolved"])
def test_after_what_happened(session, survey, occasion):
    SurveyService(session).update(survey.id, {"occasion": occasion, "wait_days": "3"})
    survey.opened_at = clock.now() - dt.timedelta(days=30)
    made = {}
    for name, days in (("Early", 1), ("Due", 4), ("Late", 40)):
        at, when = {"customer_id": str(person(session, name))}, clock.now() - dt.timedelta(days=days)
        if occasion == "deal_won":
            made[name] = service_for("deals", session).create({"name": name, **at}).id
            values = {"status": "won", "closed_at": when}
            session.execute(update(Deal).where(Deal.id == made[name]).values(**values))
        else:
            made[name] = service_for("tickets", session).create({"subject": name, **at}).id
            values = {"status": "resolved", "resolved_at": when}
            session.execute(update(Ticket).where(Ticket.id == made[name]).values(**values))
    service = InviteService(session, survey)
    word = occasion.partition("_")[0]
    assert [one.key for one in service.due()] == [f"{word} {made['Due']}"]
    tasks._one_survey(service)
    assert [one.occasion for one in invitations(session, survey)] == [f"{word} {made['Due']}"]
    assert service.due() == []
    survey.opened_at = clock.now()
    session.execute(update(SurveyInvitation).values(occasion="another"))
    assert service.due() == []  # What happened before the survey was opened invites nobody.


def test_one_reminder(session, survey):
    service = InviteService(session, survey)
    made = service.invite(Occasion(key="a", customer_id=person(session, "Anna")))
    assert service.unanswered() == []
    made.at = clock.now() - dt.timedelta(days=8)
    session.flush()
    for _turn in range(2):
        tasks._one_survey(service)
    count = select(func.count()).select_from(Message).where(Message.template == "kehu.survey_reminder")
    assert session.execute(count).scalar_one() == 1


def test_a_segment(session, survey, monkeypatch):
    ids = [person(session, name, value_class=mark) for name, mark in (("Ann", "A"), ("Bo", "A"), ("Cy", "B"))]
    values = {"name": "Good", "object": "customers", "query": "value_class=A"}
    segment = SegmentService(session).create(values)
    monkeypatch.setattr(tasks, "SLICE", 1)
    monkeypatch.setattr(tasks.db, "session", lambda: session)
    waiting = [{"survey_id": str(survey.id), "segment_id": str(segment.id)}]

    def enqueue(_session, task, **more):
        if task is tasks.invite_segment:
            waiting.append(more)

    monkeypatch.setattr(tasks.jobs, "enqueue", enqueue)
    while waiting:
        tasks.invite_segment.__wrapped__(None, **waiting.pop())
    assert {one.customer_id for one in invitations(session, survey)} == set(ids[:2])


def test_questions_stay_once_somebody_was_asked(session, survey):
    questions = QuestionService(session)
    one = questions.create({"survey_id": str(survey.id), "name": "Why?", "kind": "text"})
    assert one.place == 2
    for values in ({"kind": "choice", "choices": "One"}, {"kind": "choice", "choices": ""}):
        with pytest.raises(InvalidInput) as error, session.begin_nested():
            questions.update(one.id, values)
        assert set(error.value.fields) == {"choices"}
    InviteService(session, survey).invite(Occasion(key="a", customer_id=person(session, "Anna")))
    with pytest.raises(InvalidInput), session.begin_nested():
        questions.update(one.id, {"name": "Why so?"})
    with pytest.raises(Conflict):
        questions.trash(one.id)
    with pytest.raises(InvalidInput):
        questions.create({"survey_id": str(survey.id), "name": "More?", "kind": "text"})
    questions.update(one.id, {"place": "1"})


def test_open_and_closed(session, survey):
    service = SurveyService(session)
    with pytest.raises(Conflict):
        service.open(survey.id)
    service.close(survey.id)
    with pytest.raises(Conflict):
        InviteService(session, survey)
    empty = service.create({"name": "Nothing"})
    with pytest.raises(Conflict):
        service.open(empty.id)
    assert session.execute(select(Survey.state).where(Survey.id == survey.id)).scalar_one() == "closed"


def test_undo_opens_and_closes_again(session, survey):
    def last(action):
        found = select(AuditEntry).where(AuditEntry.object == "surveys", AuditEntry.action == action)
        return session.execute(found.order_by(AuditEntry.id.desc()).limit(1)).scalar_one()

    SurveyService(session).close(survey.id)
    session.flush()
    undo_entry(session, last("closed"))
    assert (survey.state, SurveyService(session).get(survey.id).state) == ("open", "open")
    SurveyService(session).close(survey.id)
    session.flush()
    with pytest.raises(Conflict):
        undo_entry(session, last("opened"))


def test_no_advertising_while_somebody_is_not_content(session, survey):
    anna = person(session, "Anna", mail_consent="given")
    made = InviteService(session, survey).invite(Occasion(key="a", customer_id=anna))
    question = questions_of(session, survey.id)[0]
    asked = Asked(invitation=made, survey=survey)
    answering.take(session, asked, {f"q-{question.id}": "3"})
    session.flush()
    offer = Outgoing(purpose="marketing", channel="mail", customer_id=anna)
    assert check_send(session, offer).code == "complaint"
    news = check_send(session, Outgoing(purpose="service", channel="mail", customer_id=anna))
    assert news is None or news.code != "complaint"
    service_for("tickets", session).update(made.ticket_id, {"status": "resolved"})
    after = check_send(session, offer)
    assert after is None or after.code != "complaint"
