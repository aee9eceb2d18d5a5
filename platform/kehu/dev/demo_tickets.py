"""The tickets of the demo firm, with their conversations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from kehu.core.ids import new_id
from kehu.dev import demo_words as words
from kehu.dev.demo_records import Demo, write
from kehu.tickets.models import Queue, TicketMessage
from kehu.tickets.records import TARGET_HOURS
from kehu.tickets.services import TicketService

COUNT = 62


def fill(demo: Demo) -> None:
    """Write the tickets."""
    queues = {queue.name: queue.id for queue in demo.session.execute(select(Queue)).scalars()}
    rng = demo.rng
    plans = [_plan(demo, at) for at in range(COUNT)]
    rows = []
    for plan in plans:
        contact = rng.choice([one for one in demo.contacts if one.emails])
        subject, text, answer, queue = rng.choice(_fitting(contact))
        plan |= {"contact": contact, "text": text, "answer": answer}
        rows.append(
            {
                "subject": subject,
                "contact_id": contact.id,
                "customer_id": contact.customer_id,
                "queue_id": queues.get(queue) or next(iter(queues.values())),
                "priority": rng.choices(("low", "normal", "high", "urgent"), (15, 55, 22, 8))[0],
                "status": plan["status"],
                "assignee_id": rng.choice(demo.people[:6]).id if plan["status"] != "new" else None,
            }
        )

    def shape(record: Any, at: int) -> dt.datetime:
        plan = plans[at]
        record.channel = "email"
        record.due_at = plan["created"] + dt.timedelta(hours=TARGET_HOURS[record.priority])
        record.first_reply_at = plan["replied"]
        record.resolved_at = plan["resolved"]
        record.updated_at = plan["resolved"] or plan["replied"] or plan["created"]
        return plan["created"]  # type: ignore[no-any-return]

    tickets = write(TicketService(demo.session), rows, shape, demo)
    for ticket, plan in zip(tickets, plans, strict=True):
        demo.session.add_all(_messages(demo, ticket, plan))
    demo.session.flush()  # So that a wrong message fails here and not at the end.


def _fitting(contact: Any) -> list[tuple[str, str, str, str]]:
    """Return the requests that are written in a contact's language."""
    if contact.name.isascii():
        return [row for row in words.TICKETS if row[0].isascii()]
    letter = contact.name[0]
    return [
        row
        for row in words.TICKETS
        if (row[0][0] >= "\u4e00") == (letter >= "\u4e00") and not row[0].isascii()
    ]


def _plan(demo: Demo, at: int) -> dict[str, Any]:
    rng = demo.rng
    if at < 8:
        status, days = "new", rng.uniform(0.05, 1.2)
    elif at < 22:
        status, days = ("open", "open", "waiting")[at % 3], rng.uniform(0.5, 9)
    else:
        status, days = ("resolved", "closed")[at % 2], rng.uniform(6, 120)
    created = demo.now - dt.timedelta(days=days)
    # Replies came faster lately.
    wait = dt.timedelta(minutes=rng.randrange(8, 70) if days < 30 else rng.randrange(25, 160))
    replied = None if status == "new" else min(created + wait, demo.now - dt.timedelta(minutes=5))
    done = status in ("resolved", "closed")
    resolved = min(created + dt.timedelta(hours=rng.randrange(2, 60)), demo.now) if done else None
    return {"status": status, "created": created, "replied": replied, "resolved": resolved}


def _messages(demo: Demo, ticket: Any, plan: dict[str, Any]) -> list[TicketMessage]:
    contact, person = (
        plan["contact"],
        next((one for one in demo.people if one.id == ticket.assignee_id), None),
    )
    theirs = {"author_name": contact.name, "author_email": contact.emails[0]["address"]}
    found = [_message(ticket, "incoming", plan["text"], plan["created"], **theirs)]
    if person is None or plan["replied"] is None:
        return found
    ours = {"author_id": person.id, "author_name": person.name}
    if ticket.priority in ("high", "urgent"):
        middle = plan["created"] + (plan["replied"] - plan["created"]) / 2
        found.append(_message(ticket, "note", words.TICKET_NOTE, middle, **ours))
    found.append(_message(ticket, "reply", plan["answer"], plan["replied"], delivery="sent", **ours))
    if plan["resolved"] is not None and contact.name.isascii():
        found.append(
            _message(
                ticket,
                "incoming",
                "That is fine, thank you for the quick answer.",
                plan["resolved"],
                **theirs,
            )
        )
    return found


def _message(ticket: Any, kind: str, body: str, at: dt.datetime, **more: Any) -> TicketMessage:
    return TicketMessage(id=new_id(), ticket_id=ticket.id, kind=kind, body=body, at=at, **more)
