"""What the page of one ticket shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from kehu.core import db
from kehu.core.i18n import _
from kehu.customers.queries import Related, related
from kehu.files.pages import files_of
from kehu.items.queries import item_of_ticket
from kehu.tickets import queries
from kehu.tickets.conversation import SHOWN, ConversationService
from kehu.tickets.models import Ticket, TicketMessage
from kehu.tickets.records import DONE, STATUSES
from kehu.tickets.targets import target_of
from kehu.timeline.queries import Subject
from kehu.views.drafts import draft_text
from kehu.web.records import record_page_context
from kehu.web.records.display import badge_of
from kehu.web.records.once import new_key

BESIDE = frozenset({"deals", "tickets", "items"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the composer holds: the draft, or what was typed before an error."""

    text: str = ""
    kind: str = ""
    status: str = ""
    error: str = ""
    key: str = field(default_factory=new_key)


@dataclass(frozen=True, kw_only=True)
class TicketView:
    """A ticket with its conversation and what stands beside it."""

    ticket: Ticket
    messages: Sequence[TicketMessage]
    more: bool
    answer: Answer
    who: Any
    may_write: bool
    member_id: Any

    @property
    def done(self) -> bool:
        """Whether nobody has to do anything any more."""
        return self.ticket.status in DONE

    @property
    def target(self) -> Markup:
        """The target in a word and a colour."""
        return target_of(self.ticket)

    @property
    def status(self) -> Markup:
        """The status as a badge."""
        return badge_of(
            self.status_label, next(one.tone for one in STATUSES if one.value == self.ticket.status)
        )

    @property
    def status_label(self) -> str:
        """The status in words."""
        return next(str(one.label) for one in STATUSES if one.value == self.ticket.status)

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """The statuses to choose from."""
        return [(one.value, str(one.label)) for one in STATUSES]

    @property
    def requester(self) -> str:
        """Who asked, as far as it is known."""
        return (
            self.who.contact_name or self.who.customer_name or self.ticket.requester_email or _("Requester")
        )

    @property
    def draft(self) -> str:
        """The key under which what is typed is kept."""
        return f"ticket-{self.ticket.id}-reply"

    @property
    def mode(self) -> str:
        """The composer's kind: reply is the default wherever one can be sent."""
        known = [mode["value"] for mode in self.modes]
        return self.answer.kind if self.answer.kind in known else known[0]

    @property
    def modes(self) -> list[dict[str, str]]:
        """What can be written, with buttons and keys."""
        found = [
            {
                "value": "note",
                "label": _("Internal note"),
                "icon": "note",
                "submit": _("Add note"),
                "help": _("Only your team sees this."),
                "key": "n",
            },
            {
                "value": "incoming",
                "label": _("From the customer"),
                "icon": "phone",
                "submit": _("Add message"),
                "help": _("Keeps what the customer said; nothing is sent."),
            },
        ]
        if self.ticket.requester_email:
            reply = {
                "value": "reply",
                "label": _(
                    "Reply to %(name)s",
                    name=self.requester.split()[0] if self.who.contact_name else self.requester,
                ),
                "icon": "mail",
                "submit": _("Send reply"),
                "help": _("Sends to %(address)s", address=self.ticket.requester_email),
                "key": "r",
            }
            found.insert(0, reply)
        return found


def view_of(ticket: Ticket, *, may_write: bool, answer: Answer | None = None) -> TicketView:
    """Read what the conversation and the heads of a ticket's page show."""
    session = db.session()
    talk = ConversationService(session)
    messages = list(talk.messages(ticket, limit=SHOWN + 1))
    known = answer or Answer(text=draft_text(session, f"ticket-{ticket.id}-reply") if may_write else "")
    return TicketView(
        ticket=ticket,
        messages=messages[-SHOWN:],
        more=len(messages) > SHOWN,
        answer=known,
        who=queries.requester(session, ticket),
        may_write=may_write,
        member_id=talk.actor.member_id,
    )


def page_context(ticket: Ticket, answer: Answer | None = None) -> dict[str, Any]:
    """Return all that the page of a ticket shows."""
    page = record_page_context("tickets", ticket)
    view = view_of(ticket, may_write=page.may_write, answer=answer)
    return {
        "page": page,
        "view": view,
        "beside": beside_of(ticket),
        "about": item_of_ticket(db.session(), ticket.owned_item_id),
        "files": files_of("tickets", ticket.id),
    }


def beside_of(ticket: Ticket) -> Related | None:
    """Return open deals and tickets of the ticket's customer."""
    if ticket.customer_id is None:
        return None
    subject = Subject(object="customers", record_id=ticket.customer_id, customer_id=ticket.customer_id)
    return related(db.session(), subject, only=BESIDE)
