"""Reading and showing values: kinds, money, texts, the clock."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest

from kehu.core import clock, ids, money, text
from kehu.core.errors import InvalidInput
from kehu.core.records.fields import Field, FieldError, LoadContext, Option
from kehu.core.records.kinds import KINDS, dump_value, load_value, money_text, show_address

GB = LoadContext(country="GB", currency="GBP", zone=dt.timezone(dt.timedelta(hours=1)))


def load(kind, raw, ctx=GB, **more):
    return load_value(Field(key="x", label="X", kind=kind, **more), raw, ctx)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("text", "  Two \n words\x00 ", "Two words"),
        ("text", "", None),
        ("long_text", "a\r\nb", "a\nb"),
        ("number", "1,234", 1234),
        ("number", "1.234,0", 1234),
        ("money", "£1,234.50", 123450),
        ("money", "1.234,50", 123450),
        ("money", 12, 1200),
        ("money", {"minor": 7}, 7),
        ("money", "\u2212 3.10", -310),
        ("date", "2026-02-28", dt.date(2026, 2, 28)),
        ("date", "28/02/2026", dt.date(2026, 2, 28)),
        ("date", "2026年2月3日", dt.date(2026, 2, 3)),
        ("date", "2026-02-28T10:00:00Z", dt.date(2026, 2, 28)),
        ("date", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.date(2026, 1, 2)),
        ("date", dt.date(2026, 1, 2), dt.date(2026, 1, 2)),
        ("datetime", "2026-02-28T10:00", dt.datetime(2026, 2, 28, 9, tzinfo=dt.UTC)),
        ("datetime", "2026-02-28T10:00:00Z", dt.datetime(2026, 2, 28, 10, tzinfo=dt.UTC)),
        ("datetime", "2026-02-28", dt.datetime(2026, 2, 27, 23, tzinfo=dt.UTC)),
        ("datetime", dt.datetime(2026, 1, 2, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC)),
        ("bool", "да", True),
        ("bool", "off", False),
        ("bool", True, True),
        ("email", " Anna@Example.com ", "Anna@Example.com"),
        ("phone", "020 7946 4410", "+442079464410"),
        ("link", "example.com/a", "https://example.com/a"),
        (
            "emails",
            "a@b.example; c@d.example",
            [{"label": "", "address": "a@b.example"}, {"label": "", "address": "c@d.example"}],
        ),
        (
            "emails",
            [{"label": "work", "address": "a@b.example"}, {"address": ""}],
            [{"label": "work", "address": "a@b.example"}],
        ),
        ("emails", {"address": "a@b.example"}, [{"label": "", "address": "a@b.example"}]),
        ("emails", None, []),
        ("phones", ["020 7946 4410"], [{"label": "", "number": "+442079464410"}]),
        ("tags", "VIP, vip; Trade fair", ["VIP", "Trade fair"]),
        ("tags", frozenset(["a"]), ["a"]),
        ("ref", "01a2025891177245a74bd77d67a60727", uuid.UUID("01a2025891177245a74bd77d67a60727")),
    ],
)
def test_a_value_is_read(kind, raw, value):
    assert load(kind, raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("text", "x" * 201),
        ("text", ["a"]),
        ("text", True),
        ("long_text", "x" * 20_001),
        ("number", "12.5"),
        ("number", "nine"),
        ("number", "9" * 20),
        ("number", "NaN"),
        ("money", {"minor": "7"}),
        ("money", {"minor": 10**18}),
        ("money", "lots"),
        ("date", "30/02/2026"),
        ("date", "2026-13-01"),
        ("date", "soon"),
        ("datetime", "soon"),
        ("bool", "maybe"),
        ("email", "anna@"),
        ("email", "a" * 250 + "@b.example"),
        ("phone", "12"),
        ("phone", "call me"),
        ("link", "javascript:alert(1)"),
        ("link", "http://[::1"),
        ("link", "nonsense"),
        ("emails", 5),
        ("emails", [f"a{n}@b.example" for n in range(60)]),
        ("tags", ["x" * 41]),
        ("tags", [str(n) for n in range(10_000)]),
        ("addresses", ["no parts"]),
        ("ref", "nobody"),
        ("member", 5),
    ],
)
def test_a_wrong_value_says_the_remedy(kind, raw):
    with pytest.raises(FieldError) as caught:
        load(kind, raw)
    assert len(str(caught.value)) > 10


def test_bounds_of_numbers():
    assert load("number", "5", minimum=5, maximum=5) == 5
    for raw in ("4", "6"):
        with pytest.raises(FieldError):
            load("number", raw, minimum=5, maximum=5)


def test_month_first_dates():
    assert load("date", "02/28/2026", ctx=LoadContext(day_first=False)) == dt.date(2026, 2, 28)


def test_a_time_out_of_range():
    with pytest.raises(FieldError):
        load("datetime", "0001-01-01T00:00", ctx=LoadContext(zone=dt.timezone(dt.timedelta(hours=10))))


def test_choices_by_value_and_label():
    options = (Option(value="A", label="Best"), Option(value="B", label="Good"))
    field = Field(key="c", label="Class", kind="choice", options=lambda: options)
    assert [load_value(field, raw, GB) for raw in ("A", "a", "good")] == ["A", "A", "B"]
    assert field.option("B") is options[1]
    assert field.option("Z") is None
    with pytest.raises(FieldError, match="Best, Good"):
        load_value(field, "C", GB)


def test_addresses():
    value = load("addresses", [{"street": "14 Wharf Street", "postcode": "LS1", "city": "Leeds"}, {}])
    assert show_address(value[0]) == "14 Wharf Street, LS1 Leeds"
    assert load("addresses", "14 Wharf Street")[0]["street"] == "14 Wharf Street"
    assert KINDS["addresses"].show(value) == "14 Wharf Street, LS1 Leeds"


def test_values_as_json_and_text():
    moment = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    some = uuid.UUID(int=5)
    for kind, value, dumped in (
        ("datetime", moment, "2026-01-02T03:04:00Z"),
        ("datetime", None, None),
        ("date", dt.date(2026, 1, 2), "2026-01-02"),
        ("ref", some, str(some)),
        ("member", None, None),
        ("text", "x", "x"),
    ):
        assert dump_value(Field(key="x", label="X", kind=kind), value) == dumped
    assert KINDS["text"].show(None) == ""
    assert KINDS["phone"].show("+442079464410") == "+44 20 7946 4410"
    assert KINDS["phone"].show(None) == ""
    assert KINDS["emails"].show([{"address": "a@b.example"}]) == "a@b.example"
    assert KINDS["tags"].show(["a", "b"]) == "a, b"


def test_money():
    assert money.to_minor(Decimal("1.005"), "GBP") == 101
    assert money.to_minor(Decimal(12), "JPY") == 12
    assert money.from_minor(1234, "KWD") == Decimal("1.234")
    assert money_text(123450, "GBP") == "1234.50"
    assert money.show(123450, "GBP", "en") == "£1,234.50"
    assert money.show(120000, "GBP", "en", whole=True) == "£1,200"
    assert money.show(120050, "GBP", "en", whole=True) == "£1,200.50"
    assert money.is_currency("EUR")
    assert not money.is_currency("XXY")


def test_texts():
    assert text.clean("a\ud800b") == "a\ufffdb"
    assert text.clean("evil\u202ename") == "evilname"
    assert text.fold("Élan ＡＢ  Ёж") == "elan ab еж"
    assert text.show_phone("nonsense") == "nonsense"
    assert text.normal_email(" Anna@EXAMPLE.com") == "anna@example.com"
    with pytest.raises(InvalidInput):
        text.normal_phone("+4420")


def test_the_clock_runs_ahead_only():
    before = clock.now()
    with clock.ahead(dt.timedelta(days=30)):
        assert clock.now() - before > dt.timedelta(days=29)
    assert clock.today("UTC") == clock.today(dt.UTC)
    with pytest.raises(ValueError, match="never back"), clock.ahead(dt.timedelta(days=-1)):
        pass


def test_ids_are_ordered_and_parsed():
    first, second = ids.new_id(), ids.new_id()
    assert first < second
    assert first.version == 7
    assert ids.parse_id(str(first)) == first == ids.parse_id(first) == ids.parse_id(first.hex)
    assert ids.parse_id("nobody") is None
    assert ids.parse_id(5) is None
