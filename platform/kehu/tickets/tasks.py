"""Work behind tickets: replies are sent by a job that may run twice."""

from __future__ import annotations

import uuid

from flask import current_app
from sqlalchemy import select

from kehu.consent.gate import check_send
from kehu.core import context, db, delivery, jobs
from kehu.tickets import outgoing
from kehu.tickets.conversation import SEND_TASK, outgoing_of
from kehu.tickets.models import Queue, Ticket, TicketMessage


@jobs.tenant_task(SEND_TASK)
def send_reply(_tenant_id: uuid.UUID, message_id: str, attempt: int = 0) -> None:
    """Send one reply, unless it was sent already; a server that is down is asked again later."""
    session = db.session()
    # The lock lets a second run of the same job wait, and find that there is nothing left to do.
    message = session.execute(
        select(TicketMessage).where(TicketMessage.id == uuid.UUID(message_id)).with_for_update()
    ).scalar_one_or_none()
    if message is None or message.delivery != "queued":
        return
    ticket = session.execute(select(Ticket).where(Ticket.id == message.ticket_id)).scalar_one()
    if refused := check_send(session, outgoing_of(ticket)):
        message.delivery, message.delivery_error = "failed", str(refused.reason)
        return
    queue = session.execute(select(Queue).where(Queue.id == ticket.queue_id)).scalar_one_or_none()
    settings = current_app.extensions["kehu.settings"]
    earlier = (
        select(TicketMessage.message_id)
        .where(
            TicketMessage.ticket_id == ticket.id,
            TicketMessage.delivery == "sent",
            TicketMessage.id < message.id,
            TicketMessage.message_id.is_not(None),
        )
        .order_by(TicketMessage.id.desc())
        .limit(10)
    )
    before = [str(one) for one in session.execute(earlier).scalars()][::-1]
    firm = context.tenant().name
    try:
        mail = outgoing.compose(ticket, message, queue, settings.mail_from, firm, before=before)
        delivery.send(mail)
    except delivery.NotSent as error:
        message.delivery_error = error.reason
        if error.lasting or attempt >= len(delivery.WAITS):
            message.delivery = "failed"
            return
        jobs.enqueue(
            session, SEND_TASK, wait=delivery.WAITS[attempt], message_id=message_id, attempt=attempt + 1
        )
        return
    message.delivery, message.delivery_error = "sent", None
