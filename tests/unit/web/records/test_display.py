"""Values as people read them."""

import datetime as dt
from decimal import Decimal

import pytest

from kehu.core import clock
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import get
from kehu.web.records.display import Displayer, badge_of, plain_text


@pytest.fixture
def displayer(session):
    return Displayer(get("customers"))


@pytest.fixture
def short(session):
    return Displayer(get("customers"), short=True)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "<b>", "&lt;b&gt;"),
        ("number", 1985, "1985"),
        ("number", 1234567, "1,234,567"),
        ("bool", True, "Yes"),
        ("bool", False, "No"),
        ("long_text", "a\n<b>", '<span class="k-lines">a\n&lt;b&gt;</span>'),
        ("email", "a@example.com", '<a href="mailto:a@example.com">a@example.com</a>'),
        ("phone", "+442079464410", '<a href="tel:+442079464410">+44 20 7946 4410</a>'),
        ("link", "javascript:alert(1)", "alert(1)"),
        ("text", None, '<span class="k-none">–</span>'),
        ("tags", [], '<span class="k-none">–</span>'),
    ],
)
def test_values(displayer, kind, value, expected):
    assert displayer.html(Field(key="x", label="X", kind=kind), value) == expected


def test_links_open_elsewhere_without_a_referrer(displayer):
    html = displayer.html(Field(key="x", label="X", kind="link"), "https://www.example.com/a")
    assert 'rel="noopener noreferrer"' in html
    assert ">example.com/a<" in html


def test_lists_are_short(short):
    field = Field(key="tags", label="Tags", kind="tags")
    assert short.html(field, ["a", "b", "c", "d", "e"]).count("k-tag ") == 3
    assert "+2" in short.html(field, ["a", "b", "c", "d", "e"])
    assert short.html(field, []) == ""
    mails = [{"label": "", "address": "a@example.com"}, {"label": "", "address": "b@example.com"}]
    assert "b@example.com" not in short.html(Field(key="m", label="M", kind="emails"), mails)


def test_several_mails_keep_their_labels(displayer):
    mails = [{"label": "Work", "address": "a@example.com"}, {"label": "", "address": "b@example.com"}]
    html = displayer.html(Field(key="m", label="M", kind="emails"), mails)
    assert "<small>Work</small>" in html
    assert "b@example.com" in html


def test_pointers_show_names_and_what_is_gone(displayer):
    field = get("customers").by_key["parent_id"]
    one = "01939000-0000-7000-8000-000000000000"
    assert displayer.html(field, one, title="A & B") == f'<a href="/customers/{one}">A &amp; B</a>'
    assert "Not visible to you" in displayer.html(field, one)
    assert "Gone" in displayer.html(get("customers").by_key["owner_id"], one)


def test_money_and_moments(displayer):
    field = Field(key="revenue", label="R", kind="money")
    assert displayer.html(field, 120050, currency="GBP") == "£1,200.50"
    assert displayer.html(field, 120000, currency="JPY") == "¥120,000"
    when = Field(key="w", label="W", kind="datetime")
    now = clock.now()
    for away, text in (
        (0, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (3 * 86400, "3 days ago"),
    ):
        assert f">{text}<" in displayer.html(when, now - dt.timedelta(seconds=away))
    assert ">Jan 5, 2020<" in displayer.html(when, dt.datetime(2020, 1, 5, 9, tzinfo=dt.UTC))
    assert ">Today<" in displayer.html(Field(key="d", label="D", kind="date"), clock.today("Europe/London"))
    assert displayer.times.exact(dt.datetime(2020, 7, 5, 9, tzinfo=dt.UTC)) == "Jul 5, 2020, 10:00"


def test_choices_have_tones(displayer):
    assert "k-tone-ok" in badge_of("A", "ok")
    assert "k-hue-6" in badge_of("A", "hue-310")
    assert "k-tone" not in badge_of("A", "neutral")
    field = Field(key="c", label="C", kind="choice", options=(Option(value="a", label="Apple"),))
    assert "Apple" in displayer.html(field, "a")
    assert displayer.html(field, "<gone>") == "&lt;gone&gt;"


def test_plain_text_for_files():
    assert plain_text(Field(key="m", label="M", kind="money"), 1250, currency="EUR") == Decimal("12.50")
    assert plain_text(Field(key="m", label="M", kind="member"), "id", title="Mira") == "Mira"
    assert plain_text(Field(key="c", label="C", kind="choice"), "a", labels={"a": "Apple"}) == "Apple"
    assert plain_text(Field(key="n", label="N", kind="number"), 3) == 3
    assert plain_text(Field(key="t", label="T", kind="tags"), ["a", "b"]) == "a, b"
    assert plain_text(Field(key="t", label="T"), None) == ""
