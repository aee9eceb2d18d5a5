"""Mails to the address of a queue become tickets and replies (SRV-01)."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from kehu.core.context import SYSTEM
from kehu.core.records.service import service_for
from kehu.files.models import File
from kehu.testkit.fixtures import Shop
from kehu.tickets import incoming
from kehu.tickets.conversation import LONGEST, ConversationService
from kehu.tickets.models import Ticket, TicketMessage
from kehu.tickets.services import TicketService
from tests.unit.cli.conftest import Run, run

__all__ = ["run"]

BOX = "support@harbour.example"


@pytest.fixture
def queue(shop: Shop) -> Any:
    with shop.work() as session:
        return service_for("queues", session).create({"name": "Support", "email": BOX}).id


def mail(body: str = "It is dark.", /, **headers: str) -> EmailMessage:
    made = EmailMessage()
    given = {"From": "Ann Lee <Ann@Lee.example>", "Subject": "The lamp", "Message-ID": "<1@lee.example>"}
    for name, value in {**given, **{key.replace("_", "-"): one for key, one in headers.items()}}.items():
        if value:
            made[name] = value
    made.set_content(body)
    return made


def take(shop: Shop, letter: EmailMessage | bytes, recipient: str = BOX) -> bool:
    raw = letter if isinstance(letter, bytes) else letter.as_bytes()
    with shop.work(SYSTEM) as session:
        return incoming.take(session, recipient, raw)


def tickets(shop: Shop) -> list[Ticket]:
    with shop.work() as session:
        return list(session.execute(select(Ticket).order_by(Ticket.number)).scalars())


def talk(shop: Shop, ticket: Ticket) -> list[tuple[str, str]]:
    with shop.work() as session:
        found = session.execute(
            select(TicketMessage).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id)
        ).scalars()
        return [(one.kind, one.body) for one in found]


def test_a_mail_becomes_a_ticket_once(shop: Shop, queue: Any, run: Run, tmp_path: Path) -> None:
    with shop.work() as session:
        customers = service_for("customers", session)
        ann = customers.create({"name": "Ann Lee", "emails": [{"address": "ann@lee.example"}]}).id
    file = tmp_path / "mail"
    file.write_bytes(mail().as_bytes())
    firm = f"{shop.tenant.address}.localhost"
    for _time in range(2):
        assert "Taken in by tickets." in run("mail", "take-in", f"support@{firm}", str(file)).output
    run("mail", "take-in", f"info@{firm}", str(file), code=67)
    (made,) = tickets(shop)
    assert (made.subject, made.channel, made.queue_id, made.customer_id, made.requester_email) == (
        "The lamp",
        "email",
        queue,
        ann,
        "Ann@Lee.example",
    )
    assert talk(shop, made) == [("incoming", "It is dark.")]
    assert "It is dark." in shop.client().get(f"/tickets/{made.id}").text


def test_replies_join_their_ticket_and_wake_it(shop: Shop, queue: Any) -> None:
    take(shop, mail())
    (ticket,) = tickets(shop)
    with shop.work() as session:
        reply = ConversationService(session).reply(ticket.id, "Is it plugged in?", status="waiting")
        answered = f"<{reply.message_id}>"
    away = mail(
        "I am away.", Message_ID="<2@lee.example>", References=answered, Auto_Submitted="auto-replied"
    )
    assert take(shop, away)
    assert tickets(shop)[0].status == "waiting"
    # By another address of hers, without the number in the subject.
    take(
        shop,
        mail("Yes.", From="ann@home.example", Message_ID="<3@x>", In_Reply_To=answered, Subject="Re: lamp"),
    )
    assert tickets(shop)[0].status == "open"
    take(shop, mail("It is.", Message_ID="<4@x>", Subject=f"AW: The lamp [#{ticket.number}]"))
    assert [body for _kind, body in talk(shop, ticket)[2:]] == ["I am away.", "Yes.", "It is."]
    # The number alone opens nobody else's ticket.
    stranger = mail("Me, too.", From="bo@ek.example", Message_ID="<5@x>", Subject=f"[#{ticket.number}]")
    take(shop, stranger)
    assert len(tickets(shop)) == 2
    with shop.work() as session:
        TicketService(session).trash(ticket.id)
    take(shop, mail("Still dark.", Message_ID="<6@x>", In_Reply_To=answered))
    assert len(tickets(shop)) == 3


def test_files_and_long_texts_are_kept(shop: Shop, queue: Any) -> None:
    long = mail("x" * (LONGEST + 1))
    long.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="bill.pdf")
    long.add_attachment(b"", maintype="image", subtype="png", filename="empty.png")
    take(shop, long)
    (ticket,) = tickets(shop)
    ((_kind, body),) = talk(shop, ticket)
    assert len(body) <= LONGEST
    assert body.endswith("empty.png")
    with shop.work() as session:
        names = set(session.execute(select(File.name).where(File.record_id == ticket.id)).scalars())
    assert names == {"bill.pdf", "mail.eml"}


def test_a_page_is_read_as_text(shop: Shop, queue: Any) -> None:
    page = mail()
    page.set_content(
        "<html><head><style>p {}</style></head><body><p>Hello &amp; good day</p>bye</body></html>", "html"
    )
    take(shop, page)
    assert talk(shop, tickets(shop)[0])[0][1].split() == ["Hello", "&", "good", "day", "bye"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"From: @@<>\nSubject: =?x?\n\nHello",
        b"Content-Type: text/plain; charset=none\n\n\xff",
        b"Content-Type: text/plain; charset=undefined\n\n\xff",
        b"Message-ID: <a@[\nFrom: a@[\nContent-Type: text/xml; name*=undefined''a%20b\n\nHello",
        b"Content-Type: message/rfc822\n\n" * 5000,
        b"Content-Type: text/html\n\n" + b"<" * 2_000_000,
        b"Content-Type: text/html\n\n" + b"<script " * 250_000,
    ],
)
def test_rubbish_becomes_a_ticket_too(shop: Shop, queue: Any, raw: bytes) -> None:
    assert take(shop, raw)
    assert len(tickets(shop)) == 1


def test_no_encoded_word_is_an_address(shop: Shop, queue: Any) -> None:
    assert take(shop, b"From: =?utf-8?q?Boss_=3Cboss=40example.com=3E=2C?= <thief@example.net>\n\nPay this")
    assert tickets(shop)[0].requester_email == "thief@example.net"


def test_what_machines_return_makes_no_ticket(shop: Shop, queue: Any) -> None:
    assert take(shop, mail(From="MAILER-DAEMON@mx.example"))
    assert tickets(shop) == []


def test_a_firm_without_the_address_takes_nothing(shop: Shop, other_shop: Shop, queue: Any) -> None:
    assert not take(other_shop, mail())
    assert not take(shop, mail(), "sales@harbour.example")
