"""Calendars and their special days as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.calendars.models import Calendar, CalendarDay
from kehu.core.i18n import _l
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, register

WEEKDAYS: dict[str, Any] = {
    "monday": _l("Monday"),
    "tuesday": _l("Tuesday"),
    "wednesday": _l("Wednesday"),
    "thursday": _l("Thursday"),
    "friday": _l("Friday"),
    "saturday": _l("Saturday"),
    "sunday": _l("Sunday"),
}
"""Column -> name of the day, as Python counts them."""


def _calendars(session: Session) -> Any:
    from kehu.calendars.services import CalendarService

    return CalendarService(session)


def _days(session: Session) -> Any:
    from kehu.calendars.services import CalendarDayService

    return CalendarDayService(session)


CALENDARS = register(
    RecordType(
        name="calendars",
        singular="calendar",
        label=_l("opening hours"),
        plural=_l("Opening hours"),
        icon="clock",
        model=Calendar,
        service=_calendars,
        owner="",
        path="/settings/hours/{id}",
        searchable=False,
        importable=False,
        fields=(
            Field(key="name", label=_l("Name"), required=True, column=True, quick=True, example="Main shop"),
            Field(key="is_default", label=_l("Hold for the whole firm"), kind="bool", example=False),
            *(Field(key=key, label=label, kind="hours", quick=True) for key, label in WEEKDAYS.items()),
        ),
    )
)

CALENDAR_DAYS = register(
    RecordType(
        name="calendar_days",
        singular="calendar_day",
        label=_l("special day"),
        plural=_l("Special days"),
        icon="calendar-event",
        model=CalendarDay,
        service=_days,
        owner="",
        title="name",
        default_sort="day",
        path="/settings/hours",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="calendar_id",
                label=_l("Opening hours"),
                kind="ref",
                ref="calendars",
                filterable=True,
                help=_l("Those of the whole firm, unless you name others."),
            ),
            Field(key="day", label=_l("Day"), kind="date", required=True, sortable=True, filterable=True),
            Field(key="name", label=_l("Name"), required=True, example="New Year's Day"),
            Field(key="hours", label=_l("Hours"), kind="hours", help=_l("Empty means closed.")),
        ),
    )
)
