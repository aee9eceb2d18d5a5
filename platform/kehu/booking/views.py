"""Pages of resources and bookings: the board, one booking, its steps."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from kehu.booking import board
from kehu.booking.models import Booking
from kehu.booking.rules import STEPS
from kehu.booking.services import BookingService, ResourceService
from kehu.core import clock, context, db
from kehu.core.errors import NotFound
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records.service import service_for
from kehu.web.access import needs
from kehu.web.records import RecordPages, Tab, record_page_context
from kehu.web.records.answers import done, done_toast, is_htmx
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of

blueprint = Blueprint("booking", __name__)

DIALOG_STEPS = ("out", "back", "no_show", "cancelled")
USUAL_LENGTH = dt.timedelta(minutes=30)


def show_booking(record: Booking) -> Response:
    """Show a booking with its steps and history."""
    return render_page(
        "booking/show.html",
        {},
        page=record_page_context("bookings", record),
        record=record,
        steps=[one for one in STEPS[record.state] if one in DIALOG_STEPS and not _odd(record, one)],
        day=record.from_at.astimezone(context.tenant().tz).date(),
        elsewhere=board.address(record) if record.page else "",
    )


def _odd(record: Booking, step: str) -> bool:
    """Tell whether a step makes no sense to offer: a closure that goes out, a way back that undo is for."""
    return (record.closure and step != "cancelled") or (record.state == "back")


RESOURCES = RecordPages(
    "resources",
    note="kind",
    picture=False,
    phone=("branch", "active"),
    chips=("kind", "branch"),
    nav=False,
    list_template="booking/resources.html",
)
RESOURCES.register(blueprint)

BOOKINGS = RecordPages(
    "bookings",
    note="resource_id",
    picture=False,
    phone=("from_at", "state"),
    chips=("state", "resource_id"),
    tabs=(
        Tab("coming", _l("Coming"), "state=booked&from_at.gte=today"),
        Tab("out", _l("Handed out"), "state=out"),
        Tab("mine", _l("Booked by me"), "owner_id=me&sort=-from_at"),
    ),
    first_tab="coming",
    nav=False,
    create_key="c b",
    list_template="booking/list.html",
    detail=show_booking,
)
BOOKINGS.register(blueprint)


@blueprint.get("/bookings/board")
@needs("bookings:read")
def show_board() -> Response:
    """Show who has what on a day, or one resource on seven days."""
    session, args = db.session(), request.args
    day = _day(args.get("day", ""))
    resource_id = parse_id(args.get("resource"))
    resource = ResourceService(session).get(resource_id) if resource_id else None
    after = parse_id(args.get("after"))
    found = board.read(
        session,
        day,
        kind=args.get("kind", ""),
        branch=args.get("branch", ""),
        resource=resource,
        after=str(after) if after else "",
    )
    kinds, branches = board.choices(session)
    return render_page(
        "booking/board.html",
        {"board": "board"},
        board=found,
        kinds=[(one, one) for one in kinds],
        branches=[(one, one) for one in branches],
        day_text=board.day_text(day),
        kind=args.get("kind", ""),
        branch=args.get("branch", ""),
        days=_days(found),
    )


def _day(text: str) -> dt.date:
    today = clock.today(context.tenant().tz)
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return today
    # Days far away are typing errors, and the calendar ends somewhere.
    return found if abs((found - today).days) < 3660 else today


def _days(found: board.Board) -> dict[str, dt.date]:
    step = dt.timedelta(days=found.step)
    return {"previous": found.day - step, "next": found.day + step}


@blueprint.get("/bookings/of/<any(customers, deals):kind>/<uuid:record_id>")
@needs("bookings:read")
def card(kind: str, record_id: uuid.UUID) -> Response:
    """Show the bookings of a customer or deal; a fragment on its page."""
    session = db.session()
    service_for(kind, session).get(record_id)
    rows = BookingService(session).of(kind, record_id)
    if not rows and not board.resources(session, limit=1):
        return make_response("")  # A firm that books nothing is not bothered.
    key = {"customers": "customer_id", "deals": "deal_id"}[kind]
    return render_page(
        "booking/card.html",
        rows=rows,
        address=board.address,
        new_url=f"/bookings/new?{key}={record_id}&stay=1",
        states={one.value: one for one in BOOKINGS.type.by_key["state"].choices()},
    )


@blueprint.post("/bookings/<uuid:record_id>/step/<state>")
@needs("bookings:write")
def step(record_id: uuid.UUID, state: str) -> ResponseReturnValue:
    """Bring a booking into its next state."""
    if state not in DIALOG_STEPS:
        raise NotFound(_("There is no such step."))
    record = BookingService(db.session()).step(record_id, state)
    words = {
        "out": _("Handed out: “%(name)s”", name=record.name),
        "back": _("Back: “%(name)s”", name=record.name),
        "no_show": _("Did not come: “%(name)s”", name=record.name),
        "cancelled": _("Cancelled: “%(name)s”", name=record.name),
    }
    done_toast(db.session(), words[state])
    return done("kehu:refresh") if is_htmx() else redirect(f"/bookings/{record_id}", 303)


def _nav(now: context.Context) -> Iterable[NavItem]:
    if now.actor is not None and now.actor.may("bookings:read"):
        yield NavItem("bookings", _("Bookings"), "/bookings/board", "calendar-event", hotkey="g b")


def _join_frame(state: BlueprintSetupState) -> None:
    shell_of(state.app).nav.append(_nav)  # type: ignore[arg-type]


blueprint.record_once(_join_frame)


def presets(resource_id: Any, day: dt.date, minute: int) -> str:
    """Return the address of the dialog for a free moment of a resource."""
    start = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    end = start + USUAL_LENGTH
    return f"/bookings/new?stay=1&resource_id={resource_id}&from_at={start:%Y-%m-%dT%H:%M}&to_at={end:%Y-%m-%dT%H:%M}"


@blueprint.app_context_processor
def _helpers() -> dict[str, Any]:
    return {"booking_presets": presets}
