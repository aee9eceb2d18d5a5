"""Work behind tickets: replies are sent by a job that may run twice."""

from __future__ import annotations

import datetime as dt
import uuid

from flask import current_app
from sqlalchemy import select

from kehu.core import context, db, jobs
from kehu.tickets import outgoing
from kehu.tickets.conversation import SEND_TASK
from kehu.tickets.models import Queue, Ticket, TicketMessage

WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (10, 60, 300, 1200, 3600, 4 * 3600))
"""How long after each attempt the next one follows; then the reply is marked as not sent."""


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
        outgoing.send(mail)
    except outgoing.NotSent as error:
        message.delivery_error = error.reason
        if error.lasting or attempt >= len(WAITS):
            message.delivery = "failed"
            return
        jobs.enqueue(session, SEND_TASK, wait=WAITS[attempt], message_id=message_id, attempt=attempt + 1)
        return
    message.delivery, message.delivery_error = "sent", None
