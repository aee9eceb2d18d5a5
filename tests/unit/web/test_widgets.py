"""Small pieces of HTML: escaping, initials, money, times."""

from __future__ import annotations

import datetime as dt

import pytest
from markupsafe import Markup

from kehu.core import clock
from kehu.web import widgets

pytestmark = pytest.mark.usefixtures("request_context")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Mira Sol", "MS"),
        ("mira", "M"),
        ("Ольга Петровна Смирнова", "ОС"),
        ("张伟", "张伟"),
        ("上海明德贸易", "贸易"),
        ("", "?"),
        ("  ", "?"),
        ("(old) Kai Jensen", "KJ"),
        ("…", "…"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert widgets.initials(name) == letters


def test_icon_refuses_a_name_that_is_not_in_the_sprite() -> None:
    with pytest.raises(LookupError, match=r"icons\.txt"):
        widgets.icon("unicorn")


def test_icon_is_silent_without_a_label_and_spoken_with_one() -> None:
    assert 'aria-hidden="true"' in widgets.icon("home")
    assert 'role="img" aria-label="&lt;Home&gt;"' in widgets.icon("home", 18, "<Home>")


def test_everything_is_escaped() -> None:
    bad = '<img src=x onerror="alert(1)">'
    drawn = [
        widgets.badge(bad),
        widgets.tag(bad),
        widgets.avatar(bad),
        widgets.pick_cell(1, bad),
        widgets.lead_cell(bad, "/x?a=1&b=2", bad, bad),
        widgets.plain(bad),
        widgets.attributes({"title": bad}),
    ]
    assert all("<img" not in one for one in drawn)


def test_attributes_leave_out_what_is_off() -> None:
    assert widgets.attributes({"a": True, "b": False, "c": None, "d": 'x"y'}) == ' a d="x&#34;y"'


def test_attributes_write_mappings_as_json() -> None:
    """For `hx-vals`: the quotes must not end the attribute."""
    assert widgets.attributes({"hx-vals": {"a": "x"}}) == ' hx-vals="{&#34;a&#34;: &#34;x&#34;}"'


def test_a_badge_takes_a_tone_or_a_hue() -> None:
    assert "k-tone-ok" in widgets.badge("Won", "ok")
    assert "k-hue-3" in widgets.badge("New", hue=3)
    assert "k-badge-plain" in widgets.badge("New", dot=False)


@pytest.mark.parametrize(
    ("amount", "currency", "short", "text"),
    [
        (123450, "GBP", False, "£1,234.50"),
        (120000, "GBP", False, "£1,200"),
        (1200, "JPY", False, "¥1,200"),
        (2750000, "GBP", True, "£27.5K"),
        (99900, "GBP", True, "£999"),
        (-500, "GBP", False, "-£5"),
    ],
)
def test_money(amount: int, currency: str, short: bool, text: str) -> None:
    assert widgets.money(amount, currency, short) == text


def test_nothing_is_a_dash() -> None:
    dash = Markup('<span class="k-none">–</span>')
    assert widgets.money(None, "GBP") == dash
    assert widgets.reltime(None) == widgets.day(None) == widgets.exact(None) == widgets.plain("") == dash


@pytest.mark.parametrize(
    ("away", "text"),
    [
        (dt.timedelta(seconds=-10), "just now"),
        (dt.timedelta(minutes=-5), "5 minutes ago"),
        (dt.timedelta(hours=3), "in 3 hours"),
        (dt.timedelta(days=-12), "12 days ago"),
        (dt.timedelta(days=-400), "Oct 10, 2025"),
    ],
)
def test_times_are_relative_for_thirty_days(away: dt.timedelta, text: str) -> None:
    now = dt.datetime(2026, 11, 14, 12, tzinfo=dt.UTC)
    assert f">{text}</time>" in widgets.reltime(now + away, now)


def test_a_time_without_zone_is_universal() -> None:
    assert 'datetime="2026-01-02T03:04:05Z"' in widgets.reltime(dt.datetime(2026, 1, 2, 3, 4, 5))  # noqa: DTZ001 - the case itself


def test_near_days_are_words() -> None:
    today = clock.today(dt.UTC)
    assert ">Today<" in widgets.day(today)
    assert ">Tomorrow<" in widgets.day(today + dt.timedelta(days=1))
    assert ">Jan 2, 2020<" in widgets.day(dt.date(2020, 1, 2))
