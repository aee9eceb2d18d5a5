"""The opening hours that a tenant starts with."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from kehu.calendars.models import Calendar
from kehu.calendars.records import WEEKDAYS
from kehu.core.business_hours import usual, write_hours
from kehu.core.i18n import _
from kehu.core.ids import new_id


def default_calendar() -> Calendar:
    """Return the usual hours, named in the present language."""
    week = usual(ZoneInfo("UTC")).week
    hours = {key: write_hours(spans) or None for key, spans in zip(WEEKDAYS, week, strict=True)}
    return Calendar(id=new_id(), version=1, name=_("Whole firm"), is_default=True, **hours)
