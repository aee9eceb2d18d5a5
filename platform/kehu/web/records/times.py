"""Moments and amounts as lists write them: each form is made once and kept, since a list holds many alike."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from babel.dates import format_date, format_timedelta
from flask_babel import get_locale, get_timezone
from markupsafe import Markup

from kehu.core import clock
from kehu.core.i18n import _

RELATIVE_DAYS = 30
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@lru_cache(maxsize=4096)
def _ago(seconds: int, locale: str) -> str:
    return str(
        format_timedelta(dt.timedelta(seconds=seconds), add_direction=True, threshold=1, locale=locale)
    )


@lru_cache(maxsize=8192)
def _day(year: int, month: int, day: int, locale: str) -> str:
    return str(format_date(dt.date(year, month, day), "medium", locale=locale))


def _rounded(seconds: float) -> int:
    size = abs(seconds)
    unit = _MINUTE if size < _HOUR else _HOUR if size < _DAY else _DAY
    return round(seconds / unit) * unit


class Clockwork:
    """Writes moments for one page: the locale, the zone and the present are looked up once."""

    def __init__(self) -> None:
        self.locale = str(get_locale() or "en")
        self.zone = get_timezone() or dt.UTC
        self.now = clock.now()
        self.today = self.now.astimezone(self.zone).date()
        self._just_now = _("just now")
        self._near = {0: _("Today"), 1: _("Tomorrow"), -1: _("Yesterday")}

    def moment(self, value: dt.datetime) -> Markup:
        """Write a moment relative to now, its exact time in the tip."""
        away = (value - self.now).total_seconds()
        local = value.astimezone(self.zone)
        exact = _day(local.year, local.month, local.day, self.locale)
        if abs(away) < 45:
            text = self._just_now
        elif abs(away) < RELATIVE_DAYS * _DAY:
            text = _ago(_rounded(away), self.locale)
        else:
            text = exact
        stamp = value.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        return Markup(  # noqa: S704 - digits and texts of CLDR, nothing that people wrote
            f'<time datetime="{stamp}" title="{exact}, {local.hour:02}:{local.minute:02}">{text}</time>'
        )

    def exact(self, value: dt.datetime) -> str:
        """Write a moment with its day and time."""
        local = value.astimezone(self.zone)
        return f"{_day(local.year, local.month, local.day, self.locale)}, {local.hour:02}:{local.minute:02}"

    def day(self, value: dt.date) -> Markup:
        """Write a day; those beside today as words."""
        exact = _day(value.year, value.month, value.day, self.locale)
        text = self._near.get((value - self.today).days, exact)
        return Markup(f'<time datetime="{value.isoformat()}" title="{exact}">{text}</time>')  # noqa: S704 - as above
