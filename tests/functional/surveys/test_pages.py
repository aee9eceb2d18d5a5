"""Surveys on pages: answered once by a link, figures, low scores, rights, statements, foreign firms."""

import threading

import pytest
from sqlalchemy import select

from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.messages.models import Message
from kehu.messages.tasks import deliver
from kehu.segments.services import SegmentService
from kehu.surveys import links
from kehu.surveys.inviting import InviteService, Occasion
from kehu.surveys.models import SurveyAnswer, SurveyInvitation
from kehu.surveys.services import QuestionService, SurveyService
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import count_queries
from kehu.tickets.models import Ticket


@pytest.fixture
def survey(shop):
    """An open survey with three questions: (id, ids of the questions)."""
    with shop.work() as session:
        made = SurveyService(session).create({"name": "Your last visit", "intro": "Two minutes."}).id
        questions = QuestionService(session)
        ids = [
            questions.create({"survey_id": str(made), "name": name, "kind": kind, "needed": needed}).id
            for name, kind, needed in (
                ("Would you recommend us?", "recommend", True),
                ("How was the work?", "scale", False),
                ("What should be better?", "text", False),
            )
        ]
        SurveyService(session).open(made)
    return made, ids


def invited(shop, survey, name="Anna"):
    """Invite a new customer and return the path of the link."""
    with shop.work() as session:
        values = {"name": name, "kind": "person", "emails": f"{new_id().hex}@x.example"}
        customer = service_for("customers", session).create(values).id
        service = InviteService(session, SurveyService(session).get(survey[0]))
        occasion = Occasion(key=f"deal {customer}", customer_id=customer, member_id=shop.owner.member_id)
        return f"/s/{links.token(service.invite(occasion).id)}"


def given(survey, *values):
    return {f"q-{one}": str(value) for one, value in zip(survey[1], values, strict=False)}


def visitor(shop):
    return browser(shop.app, f"{shop.tenant.address}.localhost")


def text_of(answer, status=200):
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def test_one_answer_without_an_account(shop, survey):
    path, guest = invited(shop, survey), visitor(shop)
    text = text_of(guest.get(path))
    assert "Would you recommend us?" in text
    assert "Two minutes." in text
    bad = text_of(guest.post(path, data=given(survey, "", 11, "Be quicker")), 422)
    for part in ("Please answer this question.", "Choose one of the answers.", "Be quicker"):
        assert part in bad
    assert "Thank you" in text_of(guest.post(path, data=given(survey, 9, 8, "Be <b>quicker</b>")))
    assert "answered already" in text_of(guest.post(path, data=given(survey, 0)), 409)
    assert "answered already" in text_of(guest.get(path))
    with shop.work() as session:
        rows = session.execute(select(SurveyAnswer.number, SurveyAnswer.words)).all()
        assert sorted(rows, key=str) == sorted([(9, None), (8, None), (None, "Be <b>quicker</b>")], key=str)
        assert session.execute(select(Ticket.id)).first() is None
    for wrong in (path[:-1] + ("0" if path[-1] != "0" else "1"), "/s/x", "/s/a.b.c"):
        assert guest.get(wrong).status_code == 404


def test_two_at_once_are_one(shop, survey):
    path, answers = invited(shop, survey), []

    def send():
        answers.append(visitor(shop).post(path, data=given(survey, 9)).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409]


def test_a_low_score_opens_a_ticket(shop, survey):
    path = invited(shop, survey)
    visitor(shop).post(path, data=given(survey, 9, 4, "Too slow"))
    with shop.work() as session:
        ticket = session.execute(select(Ticket)).scalar_one()
        assert ticket.subject == "Low score in “Your last visit”: 4"
        assert (ticket.priority, ticket.customer_id is not None) == ("high", True)
        assert "Too slow" in ticket.description
        assert session.execute(select(SurveyInvitation.ticket_id)).scalar_one() == ticket.id
    assert "Tickets for low scores" in text_of(shop.client().get(f"/surveys/{survey[0]}"))


def test_figures_show_from_five_answers_on(shop, survey):
    client, guest = shop.client(), visitor(shop)
    for score in (10, 9, 9, 6):
        guest.post(invited(shop, survey), data=given(survey, score, score or 1, "Fine"))
    page = f"/surveys/{survey[0]}"
    text = text_of(client.get(page))
    assert "Figures show from 5 answers on." in text
    assert "+50" not in text
    guest.post(invited(shop, survey), data=given(survey, 8, 8))
    invited(shop, survey)
    with count_queries() as statements:
        text = text_of(client.get(page))
    assert len(statements) <= 13, "\n".join(statements.texts)
    # 3 of 5 promote, 1 detracts: 40 points; 1.96 * sqrt((0.8 - 0.16) / 5) = 0.70.
    for part in ("+40", "-30 to +100", "8.4", "100 %", "Mira Sol", "By month"):
        assert part in text
    with count_queries() as statements:
        assert "Your last visit" in text_of(client.get("/surveys"))
    assert len(statements) <= 8, "\n".join(statements.texts)


def test_the_mail_carries_a_link_that_works(shop, survey, monkeypatch):
    sent = []
    monkeypatch.setattr("kehu.messages.tasks.delivery.send", sent.append)
    monkeypatch.setattr("kehu.consent.gate._hours", lambda *_: None)
    path = invited(shop, survey)
    with shop.work() as session:
        message = session.execute(select(Message)).scalar_one()
        assert path not in message.body
    deliver(str(shop.tenant.id), message_id=str(message.id))
    assert path in sent[0].get_body(("plain",)).get_content()
    visitor(shop).post(path, data=given(survey, 9))
    with shop.work() as session:
        session.execute(select(Message)).scalar_one().state = "queued"
    deliver(str(shop.tenant.id), message_id=str(message.id))
    assert len(sent) == 1  # Who answered is not asked again.


def test_inviting_a_segment(shop, survey):
    client = shop.client()
    page = f"/surveys/{survey[0]}/invite"
    assert "There is no segment yet" in text_of(client.get(page))
    with shop.work() as session:
        segment = SegmentService(session).create({"name": "All", "object": "customers"}).id
        service_for("customers", session).create({"name": "Ann"})
    assert "1 person is in it now." in text_of(client.get(f"{page}?segment={segment}"))
    assert client.post(page, data={"segment": ""}).status_code == 422
    assert client.post(page, data={"segment": str(segment)}).status_code == 303
    client.post(f"/surveys/{survey[0]}/close")
    assert client.post(page, data={"segment": str(segment)}).status_code == 409


def test_closed_and_preview(shop, survey):
    client, path = shop.client(), invited(shop, survey)
    assert "Nothing is kept" in text_of(client.get(f"/surveys/{survey[0]}/preview"))
    assert client.post(f"/surveys/{survey[0]}/close").status_code == 303
    guest = visitor(shop)
    assert "This survey is closed" in text_of(guest.get(path))
    assert "This survey is closed" in text_of(guest.post(path, data=given(survey, 9)), 409)
    assert client.post(f"/surveys/{survey[0]}/open").status_code == 303


def test_rights_and_foreign_firms(shop, other_shop, survey):
    viewer, stranger = shop.client(shop.member("viewer")), other_shop.client()
    page = f"/surveys/{survey[0]}"
    assert viewer.get(page).status_code == 200
    for path in (f"{page}/open", f"{page}/close", f"{page}/invite"):
        assert viewer.post(path).status_code == 403
        assert stranger.post(path).status_code == 404
    for path in (page, f"{page}/preview", f"/survey_questions/{survey[1][0]}"):
        assert stranger.get(path).status_code == 404
