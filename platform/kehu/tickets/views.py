"""Pages of tickets: the list with its queues, the conversation, and the quick ways through them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import overload

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _, _l
from kehu.tickets import queries, settings_views
from kehu.tickets.cells import assignee_cell, target_cell
from kehu.tickets.conversation import ConversationService
from kehu.tickets.models import Ticket
from kehu.tickets.page import Answer, page_context, view_of
from kehu.tickets.records import OPEN, STATUSES
from kehu.tickets.services import TicketService
from kehu.views.drafts import forget_draft
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab, query
from kehu.web.records.answers import done, done_toast, go_to, is_htmx
from kehu.web.records.once import once
from kehu.web.render import render_page
from kehu.web.toasts import toast

blueprint = Blueprint("tickets", __name__)

FRAGMENTS = {"files-card": "files"}
NEXT_IN = "assignee_id=me&status=new,open,waiting&sort=due_at"
"""Where the next ticket is looked for when the page was not opened from a list."""


class QueueTabs(Sequence[Tab]):
    """The views of tickets: by what is to be done, then each queue of the firm."""

    own = (
        Tab("mine", _l("My open"), f"assignee_id=me&{OPEN}&sort=due_at"),
        Tab("nobody", _l("Unassigned"), f"assignee_id=none&{OPEN}&sort=due_at"),
        Tab("today", _l("Due today"), f"{OPEN}&due_at.lte=today&sort=due_at"),
        Tab("waiting", _l("Waiting for the customer"), "status=waiting&sort=-updated_at"),
    )

    def __iter__(self) -> Iterator[Tab]:
        yield from self.own
        for queue in queries.queues(db.session()):
            yield Tab(f"queue-{queue.id.hex}", queue.name, f"queue_id={queue.id}&{OPEN}&sort=due_at")

    def __len__(self) -> int:
        return len(list(iter(self)))

    @overload
    def __getitem__(self, at: int) -> Tab: ...

    @overload
    def __getitem__(self, at: slice) -> list[Tab]: ...

    def __getitem__(self, at: int | slice) -> Tab | list[Tab]:
        return list(iter(self))[at]


def show_ticket(record: Ticket) -> Response:
    """Show a ticket: conversation and composer, fields, customer."""
    return render_page("tickets/show.html", FRAGMENTS, **page_context(record))


TICKETS = RecordPages(
    "tickets",
    note="number",
    picture=False,
    phone=("status", "due_at"),
    chips=("status", "priority", "assignee_id"),
    tabs=QueueTabs(),
    hotkey="g t",
    create_key="c i",
    phone_bar=True,
    list_template="tickets/list.html",
    detail=show_ticket,
    hidden=("description",),
    cells={"due_at": target_cell, "assignee_id": assignee_cell},
)
TICKETS.register(blueprint)
blueprint.register_blueprint(settings_views.blueprint)


@blueprint.get("/tickets/counts")
@needs("tickets:read")
def counts() -> Response:
    """Answer how many open tickets each view holds."""
    found = queries.open_counts(db.session())
    shown = {tab.key: found.get(tab.key, 0) for tab in TICKETS.options.tabs}
    return render_page("tickets/counts.html", counts=shown)


@blueprint.post("/tickets/<uuid:record_id>/messages")
@needs("tickets:write")
def write(record_id: uuid.UUID) -> ResponseReturnValue:
    """Take what the composer sends: a reply, a note, or what the customer said."""
    session = db.session()
    talk = ConversationService(session)
    given = Answer(
        text=request.form.get("text", ""),
        kind=request.form.get("kind", ""),
        status=request.form.get("status", ""),
    )
    try:
        with once(session, request.form.get("idempotency_key")) as sending:
            if not sending.again:
                _write(talk, record_id, given)
    except InvalidInput as error:
        session.rollback()
        texts = [text for messages in error.fields.values() for text in messages] or [str(error.message)]
        again = Answer(text=given.text, kind=given.kind, status=given.status, error=" ".join(texts))
        return _refused(talk.tickets.get(record_id, action="write"), again)
    forget_draft(session, f"ticket-{record_id}-reply")
    if not is_htmx():
        return redirect(f"/tickets/{record_id}#composer", 303)
    ticket = talk.tickets.get(record_id)
    return render_page("tickets/written.html", view=view_of(ticket, may_write=True))


def _write(talk: ConversationService, record_id: uuid.UUID, given: Answer) -> None:
    if given.kind == "reply":
        status = given.status if given.status in {one.value for one in STATUSES} else ""
        talk.reply(record_id, given.text, status=status)
        ticket = talk.tickets.get(record_id)
        toast(_("Sending your reply to %(address)s", address=ticket.requester_email))
    elif given.kind == "note":
        talk.note(record_id, given.text)
        toast(_("Note added"))
    elif given.kind == "incoming":
        ticket = talk.tickets.get(record_id)
        names = queries.requester(talk.session, ticket)
        talk.incoming(record_id, given.text, name=names.contact_name or names.customer_name or "")
        toast(_("Message added"))
    else:
        raise InvalidInput(_("Choose whether this is a reply or a note."))
    talk.session.flush()  # The answer reads the conversation with this message in it.


def _refused(ticket: Ticket, answer: Answer) -> Response:
    if not is_htmx():
        return render_page("tickets/show.html", status=422, **page_context(ticket, answer))
    return render_page(
        "tickets/composer.html", status=422, view=view_of(ticket, may_write=True, answer=answer)
    )


@blueprint.get("/tickets/<uuid:record_id>/messages/<uuid:message_id>")
@needs("tickets:read")
def message(record_id: uuid.UUID, message_id: uuid.UUID) -> Response:
    """Answer one message anew, to see whether it was sent."""
    talk = ConversationService(db.session())
    ticket = talk.tickets.get(record_id)
    found = talk.message(ticket, message_id)
    if found is None:
        raise NotFound(_("This message does not exist."))
    return render_page("tickets/message.html", message=found, ticket=ticket)


@blueprint.post("/tickets/<uuid:record_id>/messages/<uuid:message_id>/retry")
@needs("tickets:write")
def retry(record_id: uuid.UUID, message_id: uuid.UUID) -> ResponseReturnValue:
    """Send a reply again that could not be sent."""
    talk = ConversationService(db.session())
    found = talk.retry(record_id, message_id)
    if not is_htmx():
        return redirect(f"/tickets/{record_id}", 303)
    return render_page("tickets/message.html", message=found, ticket=talk.tickets.get(record_id))


@blueprint.post("/tickets/<uuid:record_id>/assign")
@needs("tickets:write")
def assign(record_id: uuid.UUID) -> ResponseReturnValue:
    """Take a ticket; a new one is open from then on."""
    session = db.session()
    service = TicketService(session)
    ticket = service.get(record_id, action="write", lock=True)
    values = {"assignee_id": context.actor().member_id}
    service.update(record_id, {**values, "status": "open"} if ticket.status == "new" else values)
    done_toast(session, _("Ticket #%(number)s is yours", number=ticket.number))
    if request.args.get("list") == "1":
        return done("kehu:list")
    return done("kehu:refresh") if is_htmx() else redirect(f"/tickets/{record_id}", 303)


@blueprint.post("/tickets/<uuid:record_id>/status")
@needs("tickets:write")
def change_status(record_id: uuid.UUID) -> ResponseReturnValue:
    """Set the status; with `next`, go on to the ticket that follows in the list."""
    session = db.session()
    version = request.values.get("version", "")
    status = request.values.get("status", "")
    service = TicketService(session)
    known = int(version) if version.isascii() and version.isdigit() and len(version) < 16 else None
    ticket = service.get(record_id, action="write")
    following = _next_url(ticket) if request.values.get("next") == "1" else ""
    if ticket.status != status:
        ticket = service.update(record_id, {"status": status}, version=known)
        label = next(str(one.label) for one in STATUSES if one.value == status)
        done_toast(session, _("Ticket #%(number)s: %(status)s", number=ticket.number, status=label))
    if following:
        return go_to(following)
    return done("kehu:refresh") if is_htmx() else redirect(f"/tickets/{record_id}", 303)


def _next_url(ticket: Ticket) -> str:
    """Return the address of the ticket that follows where one came from, else of the list."""
    given = request.values.get("from", "")
    args = query.parse(given or NEXT_IN)
    found = queries.next_ticket(db.session(), ticket, args)
    if found is None:
        # Who came from a list goes back to it; else there is nowhere to go, and the ticket stays in sight.
        return query.list_url("tickets", args) if given else ""
    return query.record_url(f"/tickets/{found}", given, 0) if given else f"/tickets/{found}"
