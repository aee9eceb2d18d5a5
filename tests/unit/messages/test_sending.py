"""Messages: in the recipient's words, through the gate twice, sent once, kept on the time line."""

import datetime as dt
import threading
import time
from contextvars import copy_context

import pytest
from sqlalchemy import text

from kehu.core import clock, delivery
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.records.service import service_for
from kehu.messages import texts
from kehu.messages.models import Message
from kehu.messages.services import Letter, MessageService
from kehu.messages.tasks import deliver
from kehu.messages.texts import MessageTextService, Translated
from kehu.timeline.services import TimelineService
from plugins.sending import MessageTemplate, MessageText, Place

NEWS = MessageTemplate(
    key="test.news",
    label="News",
    purpose="service",
    texts={
        "en": MessageText(
            subject="News for {name}", body="Hello {name},\n\n{what} at https://example.com/x.\n\n{firm}"
        ),
        "ru": MessageText(subject="Новости", body="{what}"),
    },
    places=(Place(name="what", label="What", example="Tyres"),),
)


class Server:
    """A mail server that takes all, or says what it is told to say first."""

    def __init__(self, *problems):
        self.problems, self.mails, self.slow = list(problems), [], 0

    def __call__(self, mail):
        time.sleep(self.slow)
        if self.problems:
            raise self.problems.pop(0)
        self.mails.append(mail)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setitem(texts._own, NEWS.key, NEWS)
    made = Server()
    monkeypatch.setattr(delivery, "send", made)
    return made


@pytest.fixture
def day(monkeypatch):
    """Run the clock ahead to noon, when messages may go out."""
    now = clock.now()
    noon = (now + dt.timedelta(days=1)).replace(hour=12, minute=0)
    with clock.ahead(noon - now):
        yield noon


def person(shop, **values):
    with shop.work() as session:
        given = {"name": "Anna <b>", "emails": "anna@example.com", **values}
        return service_for("contacts", session).create(given).id


def send(shop, contact, actor=None, **letter):
    with shop.work(actor) as session:
        wanted = {"template": NEWS.key, "contact_id": contact, "data": {"what": "Tyres <i>"}, **letter}
        return MessageService(session).send(Letter(**wanted)).id


def run(shop, message_id):
    deliver(str(shop.tenant.id), message_id=str(message_id))


def message(shop, message_id):
    with shop.work() as session:
        return session.get(Message, (shop.tenant.id, message_id))


def heads(shop, contact):
    with shop.work() as session:
        service = TimelineService(session)
        return [str(one.head) for one in service.page(service.subject("contacts", contact), "mail").entries]


def test_a_message_goes_out_once_and_stands_on_the_time_line(shop, server, day):
    anna = person(shop)
    made = send(shop, anna)
    assert "waits to be sent" in heads(shop, anna)[0]
    run(shop, made)
    run(shop, made)
    (mail,) = server.mails
    assert (mail["To"], mail["Subject"]) == ("anna@example.com", "News for Anna <b>")
    assert mail["From"].startswith('"Harbour & Co"') or mail["From"].startswith("Harbour & Co")
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert "Hello Anna <b>,\n\nTyres <i> at https://example.com/x.\n\nHarbour & Co" in plain
    assert "Tyres &lt;i&gt;" in html
    assert '<a href="https://example.com/x">' in html
    stop = mail["List-Unsubscribe"].strip("<>")
    assert f"List-Unsubscribe: <{stop}>\r\n".encode() in mail.as_bytes(
        policy=mail.policy.clone(linesep="\r\n")
    )
    assert stop.startswith(f"http://{shop.tenant.address}.localhost:8000/o/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert stop in plain
    kept = message(shop, made)
    assert (kept.state, kept.sent_at is not None, kept.reason) == ("sent", True, None)
    assert "sent “News for Anna &lt;b&gt;” to Anna &lt;b&gt;" in heads(shop, anna)[0]


def test_the_same_word_sends_once(shop, server, day):
    anna = person(shop)
    first, second = (send(shop, anna, once="warranty 7 step 90") for _time in range(2))
    assert first == second


def test_the_gate_is_asked_when_it_is_queued_and_when_it_goes(shop, server, day):
    anna, ben = person(shop, do_not_contact="unasked"), person(shop, name="Ben")
    refused = message(shop, send(shop, anna))
    assert (refused.state, refused.reason_code) == ("refused", "do_not_contact")
    assert "was not sent to" in heads(shop, anna)[0]
    waiting = send(shop, ben)
    with shop.work() as session:
        service_for("contacts", session).update(ben, {"do_not_contact": "all"})
    run(shop, waiting)
    assert (message(shop, waiting).state, server.mails) == ("refused", [])
    with shop.work() as session:
        service_for("contacts", session).update(ben, {"do_not_contact": None})
        MessageService(session).retry(waiting)
    run(shop, waiting)
    assert message(shop, waiting).state == "sent"
    with shop.work() as session, pytest.raises(Conflict):
        MessageService(session).retry(waiting)


def test_two_at_the_same_moment_keep_to_the_frequency(shop, server, day):
    anna = person(shop)
    first, second = send(shop, anna), send(shop, anna)
    run(shop, first)
    run(shop, second)
    assert [message(shop, one).reason_code for one in (first, second)] == [None, "too_often"]
    assert len(server.mails) == 1


@pytest.mark.parametrize("kind", ["household", "group"])
def test_a_household_gets_one_of_two_at_the_same_moment(shop, server, day, kind):
    """Real connections at the same moment, held up in the middle of sending; a group is no household."""
    with shop.work() as session:
        home = service_for("households", session).create({"name": "Lind", "kind": kind}).id
        mates = [
            service_for("customers", session)
            .create({"name": name, "kind": "person", "emails": f"{name}@example.com"})
            .id
            for name in ("anna", "bo")
        ]
        for one in mates:
            given = {"household_id": str(home), "customer_id": str(one)}
            service_for("household_members", session).create(given)
    waiting = [send(shop, None, customer_id=one) for one in mates]
    assert [message(shop, one).state for one in waiting] == ["queued", "queued"]
    server.slow = 0.3
    threads = [threading.Thread(target=copy_context().run, args=(run, shop, one)) for one in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted((message(shop, one).state, message(shop, one).reason_code) for one in waiting)
    both = [("sent", None), ("sent", None)]
    assert found == ([("refused", "household"), ("sent", None)] if kind == "household" else both)
    assert len(server.mails) == (1 if kind == "household" else 2)


def test_at_night_it_waits_for_the_morning(shop, server, day):
    with clock.ahead(dt.timedelta(hours=11)):
        made = send(shop, person(shop))
        kept = message(shop, made)
        assert (kept.state, kept.reason_code, kept.wait_until.hour) == ("queued", "quiet", 8)
        run(shop, made)
        assert server.mails == []
    with shop.work() as session:
        statement = text(
            "SELECT count(*), max(scheduled_at) FROM procrastinate_jobs "
            "WHERE task_name = 'messages.deliver' AND args->>'message_id' = :id"
        )
        count, scheduled = session.execute(statement, {"id": str(made)}).one()
        assert count == 2
        assert dt.timedelta(0) <= scheduled - kept.wait_until < dt.timedelta(seconds=5)


def test_a_server_that_is_down_is_asked_again_then_given_up(shop, server, day):
    server.problems = [delivery.NotSent("The mail server does not answer.", lasting=False)] * (
        len(delivery.WAITS) + 1
    )
    made = send(shop, person(shop))
    run(shop, made)
    kept = message(shop, made)
    assert (kept.state, kept.reason, kept.attempts) == ("queued", "The mail server does not answer.", 1)
    for _attempt in delivery.WAITS:
        run(shop, made)
    assert message(shop, made).state == "failed"
    server.problems = [delivery.NotSent("No such person", lasting=True)]
    other = send(shop, person(shop))
    run(shop, other)
    assert (message(shop, other).state, message(shop, other).reason) == ("failed", "No such person")


def test_the_recipients_language_then_english(shop, server, day):
    for language, subject in (
        ("ru", "Новости"),
        ("zh_Hans", "News for Anna <b>"),
        (None, "News for Anna <b>"),
    ):
        run(shop, send(shop, person(shop, language=language)))
        assert server.mails[-1]["Subject"] == subject
    assert "Больше не присылать" in next(server.mails[0].iter_parts()).get_content()


def test_a_firms_own_words(shop, server, day):
    with shop.work() as session:
        service = MessageTextService(session)
        with pytest.raises(InvalidInput) as caught:
            service.put(NEWS.key, "en", "Hi {nmae}", "x")
        assert "{nmae}" in caught.value.fields["subject"][0]
        assert "{what}" in caught.value.fields["subject"][0]
    with shop.work() as session:
        MessageTextService(session).put(NEWS.key, "en", "Hi {name}", "Only {unknown")
        row = texts.own_rows(session)[0]
    made = send(shop, person(shop))
    assert message(shop, made).subject == "Hi Anna <b>"
    with shop.work() as session:
        MessageTextService(session).trash(row.id)
        assert texts.text_of(session, NEWS, "en").subject == "News for {name}"


def test_secrets_are_filled_in_when_it_goes_and_never_kept(shop, server, day):
    contact = person(shop)
    with shop.work() as session:
        made = MessageService(session).send(Letter(template="kehu.ask_consent", contact_id=contact)).id
    assert "{link}" in message(shop, made).body
    run(shop, made)
    assert "/o/" in next(server.mails[0].iter_parts()).get_content().split("No more of this")[0]
    assert "/o/" not in message(shop, made).body


def test_what_is_no_longer_wanted_is_not_sent(shop, server, day, monkeypatch):
    gone = MessageTemplate(
        key="test.gone",
        label="Gone",
        purpose="transactional",
        texts={"en": MessageText(subject="s", body="{link}")},
        places=(Place(name="link", label="Link", example="x", secret=True),),
        secrets=lambda _ctx, _message: None,
    )
    monkeypatch.setitem(texts._own, gone.key, gone)
    made = send(shop, person(shop), template=gone.key)
    run(shop, made)
    assert (message(shop, made).reason_code, server.mails) == ("not_wanted", [])
    other = send(shop, person(shop), template=NEWS.key)
    monkeypatch.delitem(texts._own, NEWS.key)
    run(shop, other)
    assert message(shop, other).state == "refused"


def test_rights_and_firms(shop, other_shop, server, day):
    anna = person(shop)
    with pytest.raises(Forbidden):
        send(shop, anna, actor=shop.member("viewer"))
    with pytest.raises(NotFound):
        send(other_shop, anna)
    with pytest.raises(NotFound):
        send(shop, anna, template="test.nothing")
    with pytest.raises(InvalidInput):
        send(shop, None)
    made = send(shop, anna)
    with other_shop.work() as session, pytest.raises(NotFound):
        MessageService(session).retry(made)
    run(other_shop, made)
    assert message(shop, made).state == "queued"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"key": "news"}, "dentist.recall"),
        ({"purpose": "spam"}, "Use one of"),
        ({"texts": {"ru": MessageText(subject="s", body="b")}}, "no English"),
        ({"texts": {"en": MessageText(subject="{x}", body="b")}}, "{x}"),
        ({"places": (Place(name="link", label="L", example="x", secret=True),)}, "secret"),
    ],
)
def test_mistakes_of_an_author_are_named(change, words):
    with pytest.raises(ValueError, match=words):
        MessageTemplate(
            **{
                "key": "a.b",
                "label": "L",
                "purpose": "service",
                "texts": NEWS.texts,
                "places": NEWS.places,
                **change,
            }
        )
    with pytest.raises(ValueError, match="not usable"):
        Place(name="name", label="L", example="x")


def test_texts_of_the_catalogue_come_in_all_languages(app):
    from kehu.messages.own import ASK_CONSENT

    with app.test_request_context():
        assert isinstance(ASK_CONSENT.texts, Translated)
        assert len({ASK_CONSENT.texts[code].subject for code in ASK_CONSENT.texts}) == 4
        with pytest.raises(KeyError):
            ASK_CONSENT.texts["xx"]
