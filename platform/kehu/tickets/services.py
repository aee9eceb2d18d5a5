"""What can be done with tickets and queues. The conversation of a ticket is in `conversation.py`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, inspect, select, update

from kehu.core import clock, counters
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.records.service import RecordService
from kehu.core.text import fold
from kehu.customers.models import Contact, Customer
from kehu.items.models import OwnedItem
from kehu.tickets.models import Queue, Ticket
from kehu.tickets.records import DONE, TARGET_HOURS


class QueueService(RecordService[Queue]):
    """Write queues; one of them is where new tickets start."""

    type_name = "queues"

    def defaults(self) -> dict[str, Any]:
        """A new queue stands last."""
        last = self.session.execute(select(func.max(Queue.position))).scalar() or 0
        return {"email": "", "position": last + 1, "is_default": False}

    def prepare(self, record: Queue, changed: set[str]) -> None:
        """Keep an empty address as text, as the column wants it."""
        record.email = record.email or ""

    def check(self, record: Queue, changed: set[str]) -> None:
        """Refuse to leave new tickets without a queue."""
        if "is_default" in changed and not record.is_default and inspect(record).persistent:
            message = _("New tickets need a queue. Make another queue the one where they start.")
            raise InvalidInput(message, fields={"is_default": [message]})

    def saved(self, records: Sequence[Queue], action: str) -> None:
        """Let only one queue be the default, and never trash it."""
        if action == "trashed" and any(queue.is_default for queue in records):
            raise Conflict(
                _(
                    "New tickets start in this queue. Make another queue the one where they start, then try again."
                )
            )
        if action == "trashed":
            self._refuse_waiting([queue.id for queue in records])
        chosen = [queue.id for queue in records if queue.is_default]
        if chosen:
            self.session.execute(
                update(Queue)
                .where(Queue.tenant_id == self.tenant.id, Queue.is_default, Queue.id != chosen[-1])
                .values(is_default=False)
                .execution_options(synchronize_session=False)
            )
        self.session.info.pop("default_queue", None)

    def _refuse_waiting(self, queue_ids: Sequence[uuid.UUID]) -> None:
        statement = select(func.count()).select_from(Ticket)
        waiting = self.session.execute(
            statement.where(
                Ticket.queue_id.in_(queue_ids), Ticket.status.not_in(DONE), Ticket.deleted_at.is_(None)
            )
        ).scalar_one()
        if waiting:
            raise Conflict(
                _n(
                    "%(num)s open ticket waits in this queue. Move it to another queue first.",
                    "%(num)s open tickets wait in this queue. Move them to another queue first.",
                    waiting,
                )
            )

    def search_texts(self, record: Queue) -> Iterable[tuple[str, str]]:
        """Queues are chosen from a list, not searched for."""
        return ()


class TicketService(RecordService[Ticket]):
    """Write tickets."""

    type_name = "tickets"
    channel = ""
    """By which way the tickets come that it makes; by default told by who makes them."""

    def defaults(self) -> dict[str, Any]:
        """A new ticket waits unassigned in the default queue, unless the role allows only one's own."""
        own = self.actor.scope("tickets:write") == "own"
        return {
            "assignee_id": self.actor.member_id if own else None,
            "queue_id": self.default_queue(),
            "status": "new",
            "priority": "normal",
            "channel": self.channel or {"api": "api", "import": "import"}.get(self.actor.kind, "manual"),
            "tags": [],
        }

    def default_queue(self) -> uuid.UUID:
        """Return the queue in which new tickets start.

        :raises Conflict: when the firm has no queue.
        """
        found: uuid.UUID | None = self.session.info.get("default_queue")
        if found is None:
            statement = (
                select(Queue.id)
                .where(Queue.deleted_at.is_(None))
                .order_by(Queue.is_default.desc(), Queue.position)
                .limit(1)
            )
            found = self.session.execute(statement).scalar()
            if found is None:
                raise Conflict(_("There is no ticket queue yet. Add one in the settings, then try again."))
            self.session.info["default_queue"] = found
        return found

    def prepare_new(self, records: Sequence[Ticket]) -> None:
        """Give each its number."""
        first = counters.take(self.session, "tickets", len(records))
        for offset, record in enumerate(records):
            record.number = first + offset

    def prepare(self, record: Ticket, changed: set[str]) -> None:
        """Derive the compared subject, the target and when the ticket was solved."""
        new = not record.number  # Taken once all of a batch are prepared.
        if new:
            record.created_at = clock.now()
        if new or changed & {"contact_id", "customer_id", "owned_item_id"}:
            self._fill_people(record)
        chosen: uuid.UUID | None = getattr(record, "queue_id", None)  # None when a person empties the field.
        record.queue_id = chosen if chosen is not None else self.default_queue()
        record.subject_norm = fold(record.subject)
        if new or "priority" in changed:
            record.due_at = record.created_at + dt.timedelta(hours=TARGET_HOURS[record.priority])
        if record.status in DONE:
            record.resolved_at = record.resolved_at or clock.now()
        else:
            record.resolved_at = None

    def _fill_people(self, record: Ticket) -> None:
        """Take what is missing: customer and address from the contact or item, else the address from the customer."""
        if record.owned_item_id is not None and record.customer_id is None:
            record.customer_id = self.session.execute(
                select(OwnedItem.customer_id).where(OwnedItem.id == record.owned_item_id)
            ).scalar()
        if record.contact_id is not None and not (record.customer_id and record.requester_email):
            contact = self.session.execute(
                select(Contact.customer_id, Contact.email_norm).where(Contact.id == record.contact_id)
            ).one()
            record.customer_id = record.customer_id or contact.customer_id
            record.requester_email = record.requester_email or contact.email_norm
        if record.customer_id is not None and not record.requester_email:
            record.requester_email = self.session.execute(
                select(Customer.email_norm).where(Customer.id == record.customer_id)
            ).scalar()

    def search_texts(self, record: Ticket) -> Iterable[tuple[str, str]]:
        """Find a ticket by subject, number, address and tag."""
        yield "name", record.subject
        yield "code", str(record.number)
        if record.requester_email:
            yield "email", record.requester_email
        yield from (("tag", tag) for tag in record.tags)
