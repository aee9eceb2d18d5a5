"""Tickets and queues as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.codes import code_field
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.tickets.models import Queue, Ticket

STATUSES = (
    Option(value="new", label=_l("New"), tone="info"),
    Option(value="open", label=_l("Open"), tone="warn"),
    Option(
        value="waiting",
        label=_l("Waiting for the customer"),
        tone="neutral",
        also=("pending", "on hold", "hold"),
    ),
    Option(value="resolved", label=_l("Resolved"), tone="ok", also=("solved", "решена", "已解决", "已解決")),
    Option(value="closed", label=_l("Closed"), tone="neutral"),
)

OPEN = "status=new,open,waiting"
"""The filter of tickets that somebody still has to do something about."""

DONE = frozenset({"resolved", "closed"})
"""Statuses in which nobody has to do anything any more."""

PRIORITIES = (
    Option(value="low", label=_l("Low"), tone="neutral"),
    Option(value="normal", label=_l("Normal"), tone="info"),
    Option(value="high", label=_l("High"), tone="warn"),
    Option(value="urgent", label=_l("Urgent"), tone="bad"),
)

TARGET_HOURS = {"urgent": 4, "high": 8, "normal": 24, "low": 72}
"""Within how many hours of its arrival a ticket is to be solved, by priority."""

TARGET_RULE = _l(
    "Counted from when the ticket came in: urgent tickets are to be solved within 4 hours, high within 8, "
    "normal within 24, low within 72."
)

CHANNELS = (
    Option(value="manual", label=_l("By hand")),
    Option(value="email", label=_l("E-mail")),
    Option(value="api", label=_l("API")),
    Option(value="import", label=_l("Import")),
)


def _tickets(session: Session) -> Any:
    from kehu.tickets.services import TicketService

    return TicketService(session)


def _queues(session: Session) -> Any:
    from kehu.tickets.services import QueueService

    return QueueService(session)


QUEUES = register(
    RecordType(
        name="queues",
        singular="queue",
        label=_l("queue"),
        plural=_l("Queues"),
        icon="inbox",
        model=Queue,
        service=_queues,
        owner="",
        default_sort="position",
        path="/tickets?queue_id={id}",
        searchable=False,
        importable=False,
        fields=(
            Field(key="name", label=_l("Name"), required=True, column=True, quick=True, example="Support"),
            Field(
                key="email",
                label=_l("Replies come from"),
                kind="email",
                column=True,
                quick=True,
                help=_l(
                    "Without an address, replies come from the firm's own. Mails that reach it here become tickets."
                ),
                example="support@example.com",
            ),
            Field(
                key="position",
                label=_l("Position"),
                kind="number",
                minimum=0,
                maximum=10_000,
                sortable=True,
                example=2,
            ),
            Field(
                key="is_default", label=_l("New tickets start here"), kind="bool", column=True, example=False
            ),
        ),
    )
)

TICKETS = register(
    RecordType(
        name="tickets",
        singular="ticket",
        label=_l("ticket"),
        plural=_l("Tickets"),
        icon="lifebuoy",
        model=Ticket,
        service=_tickets,
        owner="assignee_id",
        title="subject",
        default_sort="-updated_at",
        customer="customer_id",
        coded="code",
        sections={"main": _l("Details"), "people": _l("Who it is about")},
        own_fields=True,
        fields=(
            Field(
                key="number",
                label=_l("Number"),
                kind="number",
                readonly=True,
                sortable=True,
                filterable=True,
                unique=True,
            ),
            Field(
                key="subject",
                label=_l("Subject"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Scratch on panel",
            ),
            code_field("ticket code", "工单编号", "工單編號", "код обращения"),
            Field(
                key="status",
                label=_l("Status"),
                kind="choice",
                options=STATUSES,
                required=True,
                default="new",
                column=True,
                filterable=True,
            ),
            Field(
                key="priority",
                label=_l("Priority"),
                kind="choice",
                options=PRIORITIES,
                required=True,
                default="normal",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="queue_id",
                label=_l("Queue"),
                kind="ref",
                ref="queues",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                section="people",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="contact_id",
                label=_l("Contact"),
                kind="ref",
                ref="contacts",
                section="people",
                filterable=True,
            ),
            Field(
                key="owned_item_id",
                label=_l("Owned item"),
                kind="ref",
                ref="owned_items",
                section="people",
                filterable=True,
                help=_l("The thing that it is about."),
            ),
            Field(
                key="requester_email",
                label=_l("Requester's e-mail"),
                kind="email",
                section="people",
                quick=True,
                filterable=True,
                help=_l("Replies are sent to this address."),
                example="anna@example.com",
            ),
            Field(
                key="description",
                label=_l("First message"),
                kind="long_text",
                quick=True,
                help=_l("What the customer wrote or said."),
                example="One of the panels has a scratch of about 10 cm.",
            ),
            Field(key="assignee_id", label=_l("Assigned to"), kind="member", column=True, filterable=True),
            Field(
                key="due_at",
                label=_l("Solve by"),
                kind="datetime",
                readonly=True,
                sortable=True,
                filterable=True,
                column=True,
                help=TARGET_RULE,
            ),
            Field(key="channel", label=_l("Came by"), kind="choice", options=CHANNELS, readonly=True),
            Field(key="tags", label=_l("Tags"), kind="tags", filterable=True),
            Field(key="external_id", label=_l("Number elsewhere"), max_length=100, unique=True),
            Field(key="first_reply_at", label=_l("First reply"), kind="datetime", readonly=True),
            Field(key="resolved_at", label=_l("Resolved at"), kind="datetime", readonly=True),
            Field(
                key="created_at",
                label=_l("Created"),
                kind="datetime",
                readonly=True,
                sortable=True,
                filterable=True,
            ),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                filterable=True,
                column=True,
            ),
        ),
    )
)
