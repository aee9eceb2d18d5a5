"""The home page's figures and charts, from rows to what is drawn."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from babel.dates import format_timedelta
from flask_babel import format_date, get_locale

from kehu.core import clock, context
from kehu.core.i18n import _, _n
from kehu.core.money import from_minor
from kehu.web.charts import Chart, Series
from kehu.web.widgets import money

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number with its comparison; `good` is None where a change is neither."""

    label: str
    value: Any
    trend: str = ""
    good: bool | None = None
    up: bool | None = None
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Months:
    """Whole months up to the present one, in the firm's zone."""

    first: dt.date
    starts: tuple[dt.date, ...]

    @classmethod
    def until(cls, day: dt.date, count: int) -> Months:
        """Return the last `count` months up to a day."""
        starts = tuple(month_back(day, back) for back in range(count - 1, -1, -1))
        return cls(first=starts[0], starts=starts)


def month_back(day: dt.date, months: int) -> dt.date:
    """Return the first day of the month that lies so many months back."""
    whole = day.year * 12 + day.month - 1 - months
    return dt.date(whole // 12, whole % 12 + 1, 1)


class Closed:
    """Won and lost deals by month, from the rows of one statement."""

    def __init__(self, rows: Sequence[Any], zone: dt.tzinfo, currency: str) -> None:
        self.total: dict[tuple[dt.date, str], int] = defaultdict(int)
        self.count: dict[tuple[dt.date, str], int] = defaultdict(int)
        self.by_day: dict[dt.date, int] = defaultdict(int)
        self.elsewhere = False
        self.past = [row for row in rows if row.status == "past"]
        for row in rows:
            if row.status == "past":
                continue
            key = (row.month.astimezone(zone).date(), row.status)
            self.count[key] += row.count
            if row.currency == currency:
                self.total[key] += int(row.total or 0)
                if row.status == "won":
                    self.by_day[key[0]] += int(row.by_day or 0)
            else:
                self.elsewhere = self.elsewhere or row.status == "won"

    def won(self, month: dt.date) -> int:
        """Return the value won in a month, in the firm's currency."""
        return self.total[month, "won"]

    def rate(self, months: Sequence[dt.date]) -> float | None:
        """Return the share of deals that were won among those that were closed."""
        won = sum(self.count[month, "won"] for month in months)
        lost = sum(self.count[month, "lost"] for month in months)
        return won / (won + lost) if won + lost else None


def change(now: float, before: float) -> tuple[str, bool | None]:
    """Return a change in percent as text, and whether it goes up; nothing to compare with gives nothing."""
    if not before:
        return "", None
    share = round((now - before) / before * 100)
    if not share:
        return "±0 %", None
    return f"{'+' if share > 0 else MINUS}{abs(share)} %", share > 0


def won_figure(closed: Closed, today: dt.date, currency: str) -> Figure:
    """Return what was won this month against the same days of the month before."""
    now, before = closed.won(today.replace(day=1)), closed.by_day[month_back(today, 1)]
    trend, up = change(now, before)
    return Figure(
        label=_("Won this month"),
        value=money(now, currency),
        trend=_("%(change)s against last month by this day", change=trend) if trend else "",
        good=up,
        up=up,
        url="/deals?status=won&sort=-updated_at",
    )


def pipeline_figure(stages: Sequence[Any], past: Sequence[Any], currency: str) -> Figure:
    """Return the value of open deals against that of thirty days ago."""
    now = sum(int(row.total or 0) for row in stages if row.currency == currency)
    before = sum(int(row.total or 0) for row in past if row.currency == currency)
    trend, up = change(now, before)
    return Figure(
        label=_("Open pipeline"),
        value=money(now, currency),
        trend=_("%(change)s in 30 days", change=trend) if trend else "",
        good=up,
        up=up,
        url="/deals?status=open&sort=-amount",
    )


def rate_figure(closed: Closed, today: dt.date) -> Figure:
    """Return the share of won deals of three months against the three before them."""
    months = [month_back(today, back) for back in range(6)]
    now, before = closed.rate(months[:3]), closed.rate(months[3:])
    trend, up = "", None
    if now is not None and before is not None and round(now * 100) != round(before * 100):
        points = round(now * 100) - round(before * 100)
        up = points > 0
        trend = _("%(points)s points in 3 months", points=f"{'+' if up else MINUS}{abs(points)}")
    return Figure(
        label=_("Win rate"),
        value=f"{round(now * 100)} %" if now is not None else "–",
        trend=trend,
        good=up,
        up=up,
        url="/deals?status=won",
    )


def reply_figure(row: Any) -> Figure:
    """Return the median time to the first reply of a month against the month before."""
    if row.now is None:
        waiting = _n("%(num)s ticket waits", "%(num)s tickets wait", row.waiting) if row.waiting else ""
        return Figure(label=_("First reply, tickets"), value="–", trend=waiting, url="/tickets")
    trend, up = "", None
    if row.before is not None and abs(row.now - row.before) >= 60:
        up = row.now > row.before
        trend = _("%(change)s in 30 days", change=f"{'+' if up else MINUS}{span(abs(row.now - row.before))}")
    return Figure(
        label=_("First reply, tickets"),
        value=span(row.now),
        trend=trend,
        good=None if up is None else not up,
        up=up,
        url="/tickets",
    )


def span(seconds: float) -> str:
    """Write a length of time short: 22 min, 3 hr."""
    length = dt.timedelta(seconds=float(seconds))
    return str(format_timedelta(length, format="short", threshold=1.2, locale=str(get_locale() or "en")))


def revenue_chart(closed: Closed, today: dt.date, count: int, currency: str) -> Chart:
    """Draw what was won by month against the year before."""
    months = Months.until(today, count)

    def value(month: dt.date) -> float:
        return float(from_minor(closed.won(month), currency))

    now = [value(month) for month in months.starts]
    before = [value(month.replace(year=month.year - 1)) for month in months.starts]
    sentence = _(
        "%(now)s in %(count)s months, %(before)s in the same months of the year before.",
        now=money(sum(closed.won(month) for month in months.starts), currency),
        count=count,
        before=money(
            sum(closed.won(month.replace(year=month.year - 1)) for month in months.starts), currency
        ),
    )
    if closed.elsewhere:
        sentence += " " + _("Deals in other currencies are left out.")
    return Chart(
        _("Revenue won"),
        [str(format_date(month, "LLL")) for month in months.starts],
        [Series(_("This year"), now), Series(_("The year before"), before, before=True)],
        sentence,
        label_title=_("Month"),
        write=money_writer(currency),
    )


def stage_chart(stages: Sequence[Any], currency: str) -> Chart | None:
    """Draw the open deals of the default pipeline by stage; None while it is empty."""
    first = stages[0].pipeline_id if stages else None
    totals: dict[Any, float] = {}
    names: dict[Any, str] = {}
    counts: dict[Any, int] = defaultdict(int)
    for row in stages:
        if row.pipeline_id != first:
            continue
        names[row.id] = row.name
        counts[row.id] += row.count
        totals.setdefault(row.id, 0.0)
        if row.currency == currency:
            totals[row.id] += float(from_minor(int(row.total or 0), currency))
    if not sum(counts.values()):
        return None
    return Chart(
        _("Pipeline by stage"),
        [names[key] for key in totals],
        [Series(_("Value"), list(totals.values()))],
        _n("%(num)s open deal", "%(num)s open deals", sum(counts.values())),
        kind="bar",
        label_title=_("Stage"),
        write=money_writer(currency),
    )


def money_writer(currency: str) -> Any:
    """Return a function that writes major units as money."""
    from decimal import Decimal

    from kehu.core.money import show, to_minor

    locale = str(get_locale() or "en")
    return lambda value: show(to_minor(Decimal(str(value)), currency), currency, locale, whole=True)


def greeting(name: str) -> str:
    """Greet by the firm's time of day; by the first word of a name in Latin letters, which is the given one."""
    first = name.partition(" ")[0] if all(letter < "\u0250" for letter in name) else name
    hour = clock.now().astimezone(context.tenant().tz).hour
    if hour < 12:
        return _("Good morning, %(name)s", name=first)
    if hour < 18:
        return _("Good afternoon, %(name)s", name=first)
    return _("Good evening, %(name)s", name=first)
