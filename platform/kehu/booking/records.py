"""Resources and bookings as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.booking.models import Booking, Resource
from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register

COLOURS = (
    Option(value="1", label=_l("Teal")),
    Option(value="2", label=_l("Orange")),
    Option(value="3", label=_l("Blue")),
    Option(value="4", label=_l("Red")),
    Option(value="5", label=_l("Green")),
    Option(value="6", label=_l("Purple")),
    Option(value="7", label=_l("Sky blue")),
    Option(value="8", label=_l("Pink")),
)
"""The hues of the style sheet by their number."""

STATES = (
    Option(value="booked", label=_l("Booked"), tone="info"),
    Option(value="out", label=_l("Handed out"), tone="warn"),
    Option(value="back", label=_l("Back"), tone="ok"),
    Option(value="no_show", label=_l("Did not come"), tone="bad"),
    Option(value="cancelled", label=_l("Cancelled"), tone="neutral"),
)

MOST_MARGIN = 1440


def _resources(session: Session) -> Any:
    from kehu.booking.services import ResourceService

    return ResourceService(session)


def _bookings(session: Session) -> Any:
    from kehu.booking.services import BookingService

    return BookingService(session)


def _margin(key: str, label: Any, help_: Any) -> Field:
    return Field(
        key=key, label=label, kind="number", minimum=0, maximum=MOST_MARGIN, default=0, help=help_, example=10
    )


def _moment(key: str, label: Any, **options: Any) -> Field:
    return Field(key=key, label=label, kind="datetime", **options)


RESOURCES = register(
    RecordType(
        name="resources",
        singular="resource",
        label=_l("resource"),
        plural=_l("Resources"),
        icon="box",
        model=Resource,
        service=_resources,
        owner="",
        sections={"main": _l("Details"), "time": _l("When it can be booked")},
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Meeting room 2",
            ),
            Field(
                key="kind",
                label=_l("Kind of resource"),
                required=True,
                column=True,
                quick=True,
                filterable=True,
                max_length=60,
                help=_l("The board shows resources of a kind together: room, lift, van."),
                example="Room",
            ),
            Field(
                key="colour",
                label=_l("Colour"),
                kind="choice",
                options=COLOURS,
                required=True,
                default="1",
                quick=True,
            ),
            Field(
                key="branch",
                label=_l("Branch"),
                column=True,
                quick=True,
                filterable=True,
                max_length=100,
                example="North",
            ),
            Field(
                key="active",
                label=_l("Can be booked"),
                kind="bool",
                default=True,
                column=True,
                filterable=True,
                example=True,
            ),
            Field(
                key="calendar_id",
                label=_l("Opening hours"),
                kind="ref",
                ref="calendars",
                section="time",
                filterable=True,
                help=_l("Empty: it can be booked at any time."),
            ),
            _margin(
                "before_minutes", _l("Minutes before"), _l("To get it ready; nobody else can have it then.")
            ),
            _margin("after_minutes", _l("Minutes after"), _l("To clean up; nobody else can have it then.")),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            Field(
                key="external_id", label=_l("Number elsewhere"), max_length=100, unique=True, example="R-2"
            ),
            _moment("updated_at", _l("Changed"), readonly=True, sortable=True),
        ),
    )
)

BOOKINGS = register(
    RecordType(
        name="bookings",
        singular="booking",
        label=_l("booking"),
        plural=_l("Bookings"),
        icon="calendar-event",
        model=Booking,
        service=_bookings,
        default_sort="from_at",
        customer="customer_id",
        sections={"main": _l("Details"), "people": _l("For whom")},
        fields=(
            Field(
                key="name",
                label=_l("What for"),
                column=True,
                quick=True,
                sortable=True,
                help=_l("Empty: the resource's name."),
                example="Fitting",
            ),
            Field(
                key="resource_id",
                label=_l("Resource"),
                kind="ref",
                ref="resources",
                required=True,
                column=True,
                quick=True,
                filterable=True,
            ),
            _moment(
                "from_at",
                _l("From"),
                required=True,
                column=True,
                quick=True,
                sortable=True,
                filterable=True,
                example="2030-12-02T10:00",
            ),
            _moment("to_at", _l("To"), required=True, column=True, quick=True, example="2030-12-02T10:30"),
            Field(
                key="state",
                label=_l("State"),
                kind="choice",
                options=STATES,
                required=True,
                default="booked",
                column=True,
                filterable=True,
            ),
            Field(key="second_id", label=_l("Together with"), kind="ref", ref="resources"),
            Field(key="third_id", label=_l("And with"), kind="ref", ref="resources"),
            Field(
                key="closure",
                label=_l("Out of service"),
                kind="bool",
                default=False,
                filterable=True,
                help=_l("Nobody can have it in this time: repair, holidays."),
                example=False,
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
            Field(key="contact_id", label=_l("Contact"), kind="ref", ref="contacts", section="people"),
            Field(
                key="deal_id",
                label=_l("Deal"),
                kind="ref",
                ref="deals",
                section="people",
                filterable=True,
            ),
            Field(
                key="member_id",
                label=_l("Comes along"),
                kind="member",
                section="people",
                quick=True,
                filterable=True,
                help=_l("Who is busy with it; nobody can be in two bookings at once."),
            ),
            Field(key="owner_id", label=_l("Booked by"), kind="member", section="people", filterable=True),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            _moment("out_at", _l("Handed out at"), readonly=True),
            _moment("back_at", _l("Back at"), readonly=True),
            _moment("updated_at", _l("Changed"), readonly=True, sortable=True),
        ),
    )
)
