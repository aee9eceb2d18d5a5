"""Tickets: numbers, queues, targets, and what a conversation does to them."""

import datetime as dt
import smtplib

import pytest

from kehu.core import delivery as core_delivery
from kehu.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from kehu.customers.services import ContactService, CustomerService
from kehu.tickets import tasks
from kehu.tickets.conversation import ConversationService
from kehu.tickets.models import Queue
from kehu.tickets.services import QueueService, TicketService
from kehu.tickets.targets import target_state


def make_ticket(session, **values):
    return TicketService(session).create(
        {"subject": "Scratch on panel", "requester_email": "anna@example.com", **values}
    )


def test_new_ticket_has_number_queue_and_target(session, shop):
    first, second = make_ticket(session), make_ticket(session, priority="urgent")
    assert (first.number, second.number) == (1, 2)
    assert session.get(Queue, (shop.tenant.id, first.queue_id)).is_default
    assert first.assignee_id is None
    assert first.due_at - first.created_at == dt.timedelta(hours=24)
    assert second.due_at - second.created_at == dt.timedelta(hours=4)
    now, hour = first.due_at, dt.timedelta(hours=1)
    assert [target_state("open", now, now + hour * off) for off in (-3, -1, 0)] == ["ok", "soon", "overdue"]
    assert (target_state("resolved", now, now), target_state("open", None, now)) == ("done", "ok")
    TicketService(session).update(first.id, {"priority": "low"})
    assert first.due_at - first.created_at == dt.timedelta(hours=72)


def test_people_come_from_the_contact(session, shop):
    customer = CustomerService(session).create({"name": "Northwind"})
    contact = ContactService(session).create(
        {"name": "Anna", "customer_id": str(customer.id), "emails": "Anna@example.com"}
    )
    ticket = TicketService(session).create({"subject": "Late", "contact_id": str(contact.id)})
    assert (ticket.customer_id, ticket.requester_email) == (customer.id, "anna@example.com")
    bare = TicketService(session).create({"subject": "Late"})
    TicketService(session).update(bare.id, {"contact_id": str(contact.id)})
    assert (bare.customer_id, bare.requester_email) == (customer.id, "anna@example.com")


def test_status_follows_the_conversation(session, shop):
    ticket = make_ticket(session)
    talk = ConversationService(session)
    talk.note(ticket.id, "Probably from the van.")
    assert (ticket.status, ticket.first_reply_at) == ("new", None)
    reply = talk.reply(ticket.id, "Hello Anna,\r\nsorry.")
    assert (ticket.status, reply.delivery, reply.body) == ("open", "queued", "Hello Anna,\nsorry.")
    assert ticket.first_reply_at is not None
    talk.reply(ticket.id, "Does 9:30 suit you?", status="waiting")
    assert ticket.status == "waiting"
    talk.incoming(ticket.id, "Fine.", name="Anna Lindqvist")
    assert ticket.status == "open"
    TicketService(session).update(ticket.id, {"status": "resolved"})
    assert ticket.resolved_at is not None
    talk.incoming(ticket.id, "It is back.")
    assert (ticket.status, ticket.resolved_at) == ("open", None)
    assert [message.kind for message in talk.messages(ticket)] == [
        "note",
        "reply",
        "reply",
        "incoming",
        "incoming",
    ]


def test_a_note_does_not_make_a_colleagues_edit_stale(session, shop):
    ticket = make_ticket(session)
    seen = ticket.version
    ConversationService(session).note(ticket.id, "Look at this.")
    TicketService(session).update(ticket.id, {"priority": "high"}, version=seen)
    assert ticket.priority == "high"


@pytest.mark.parametrize("body", ["", "  \n", None, 7, "x" * 20_001, "\x00"])
def test_wrong_texts_are_named(session, shop, body):
    ticket = make_ticket(session)
    with pytest.raises(InvalidInput) as caught:
        ConversationService(session).reply(ticket.id, body)
    assert set(caught.value.fields) == {"body"}


def test_reply_without_address_is_refused(session, shop):
    ticket = TicketService(session).create({"subject": "By phone"})
    with pytest.raises(InvalidInput) as caught:
        ConversationService(session).reply(ticket.id, "Hello")
    assert set(caught.value.fields) == {"requester_email"}


def test_foreign_ids_are_refused(shop, other_shop):
    with other_shop.work() as session:
        ticket = make_ticket(session)
        foreign, queue = ticket.id, ticket.queue_id
    with shop.work() as session:
        with pytest.raises(NotFound):
            ConversationService(session).note(foreign, "Hello")
        with pytest.raises(InvalidInput) as caught:
            make_ticket(session, queue_id=str(queue))
        assert set(caught.value.fields) == {"queue_id"}


def test_one_queue_is_the_default(session, shop):
    service = QueueService(session)
    before = TicketService(session).default_queue()
    made = service.create({"name": "Returns", "is_default": True})
    assert TicketService(session).default_queue() == made.id != before
    with pytest.raises(InvalidInput), session.begin_nested():
        service.update(made.id, {"is_default": False})
    with pytest.raises(Conflict), session.begin_nested():
        service.trash(made.id)


class Sent:
    """Stands in for the mail server."""

    def __init__(self, *errors):
        self.errors, self.mails = list(errors), []

    def __call__(self, mail):
        if self.errors:
            raise self.errors.pop(0)
        self.mails.append(mail)


def replied(shop):
    with shop.work() as session:
        ticket = make_ticket(session)
        return ticket.id, ConversationService(session).reply(ticket.id, "Hello Anna").id


def delivery(shop, ticket_id):
    with shop.work() as session:
        ticket = TicketService(session).get(ticket_id)
        message = ConversationService(session).messages(ticket)[0]
        return message.delivery, message.delivery_error


def test_reply_is_sent_once(shop, monkeypatch):
    server = Sent()
    monkeypatch.setattr(core_delivery, "send", server)
    ticket_id, message_id = replied(shop)
    for _again in range(2):
        tasks.send_reply(str(shop.tenant.id), message_id=str(message_id))
    assert delivery(shop, ticket_id) == ("sent", None)
    [mail] = server.mails
    with shop.work() as session:
        second = ConversationService(session).reply(ticket_id, "And another thing").id
    tasks.send_reply(str(shop.tenant.id), message_id=str(second))
    assert server.mails[1]["In-Reply-To"] == mail["Message-ID"]
    assert (mail["To"], mail["Subject"]) == ("anna@example.com", "Scratch on panel [#1]")
    assert mail.get_content().strip() == "Hello Anna"


def test_server_down_waits_then_fails_and_can_be_retried(shop, monkeypatch):
    down = core_delivery.NotSent("The mail server does not answer.", lasting=False)
    server = Sent(down, down)
    monkeypatch.setattr(core_delivery, "send", server)
    ticket_id, message_id = replied(shop)
    tasks.send_reply(str(shop.tenant.id), message_id=str(message_id))
    assert delivery(shop, ticket_id) == ("queued", "The mail server does not answer.")
    tasks.send_reply(str(shop.tenant.id), message_id=str(message_id), attempt=len(core_delivery.WAITS))
    assert delivery(shop, ticket_id)[0] == "failed"
    with shop.work() as session:
        ConversationService(session).retry(ticket_id, message_id)
    tasks.send_reply(str(shop.tenant.id), message_id=str(message_id))
    assert delivery(shop, ticket_id) == ("sent", None)
    with shop.work() as session, pytest.raises(Conflict):
        ConversationService(session).retry(ticket_id, message_id)


@pytest.mark.parametrize(
    ("error", "lasting"),
    [
        (ConnectionRefusedError(), False),
        (smtplib.SMTPServerDisconnected(), False),
        (smtplib.SMTPResponseException(451, b"later"), False),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (450, b"greylisted")}), False),
        (smtplib.SMTPRecipientsRefused({"a@example.com": (550, b"no such person")}), True),
        (Unavailable("no server"), True),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), True),
    ],
)
def test_reasons_of_the_mail_server(app, monkeypatch, error, lasting):
    def refuse(_mail):
        raise error

    monkeypatch.setattr(core_delivery, "transmit", refuse)
    with app.test_request_context(), pytest.raises(core_delivery.NotSent) as caught:
        core_delivery.send(None)
    assert caught.value.lasting is lasting
    assert caught.value.reason
