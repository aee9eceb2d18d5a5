import datetime as dt
from decimal import Decimal

import pytest

from kehu.imports.values import (
    DateOrder,
    DecimalMark,
    has_currency,
    parse_bool,
    parse_date,
    parse_datetime,
    parse_number,
    split_time,
)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2024-02-29", "dmy", dt.date(2024, 2, 29)),
        ("29.02.2024", "dmy", dt.date(2024, 2, 29)),
        ("02/29/2024", "mdy", dt.date(2024, 2, 29)),
        ("3/4/24", "dmy", dt.date(2024, 4, 3)),
        ("3/4/24", "mdy", dt.date(2024, 3, 4)),
        ("3/4/75", "mdy", dt.date(1975, 3, 4)),
        ("20240229", "dmy", dt.date(2024, 2, 29)),
        ("2024年2月29日", "dmy", dt.date(2024, 2, 29)),
        ("29.02.2024 г.", "dmy", dt.date(2024, 2, 29)),
        ("29 февраля 2024 г.", "dmy", dt.date(2024, 2, 29)),
        ("29 Feb 2024", "mdy", dt.date(2024, 2, 29)),
        ("29-Feb-24", "dmy", dt.date(2024, 2, 29)),
        ("February 29, 2024", "dmy", dt.date(2024, 2, 29)),
        ("2024-02-29 13:05", "ymd", dt.date(2024, 2, 29)),
        ("30.02.2024", "dmy", None),
        ("2023-02-29", "ymd", None),
        ("13/13/2024", "dmy", None),
        ("31/12/2024", "mdy", None),
        ("00.00.0000", "dmy", None),
        ("soon", "dmy", None),
        ("29 Foo 2024", "dmy", None),
        ("", "dmy", None),
        ("1" * 10_000, "dmy", None),
        ("a" * 10_000, "dmy", None),
    ],
)
def test_dates(text: str, order: DateOrder, expected: dt.date | None) -> None:
    assert parse_date(text, order) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29 13:05", dt.datetime.fromisoformat("2024-02-29T13:05:00")),
        ("2024-02-29T13:05:09.123456", dt.datetime.fromisoformat("2024-02-29T13:05:09")),
        ("2024-02-29T13:05:09Z", dt.datetime(2024, 2, 29, 13, 5, 9, tzinfo=dt.UTC)),
        ("2024-02-29T13:05:00+03:00", dt.datetime(2024, 2, 29, 10, 5, tzinfo=dt.UTC)),
        ("2024-02-29 13:05 -0530", dt.datetime(2024, 2, 29, 18, 35, tzinfo=dt.UTC)),
        ("29.02.2024 1:05 PM", dt.datetime.fromisoformat("2024-02-29T13:05:00")),
        ("29.02.2024 12:05 am", dt.datetime.fromisoformat("2024-02-29T00:05:00")),
        ("29.02.2024 25:00", None),
        ("29.02.2024", None),
        ("30.02.2024 10:00", None),
    ],
)
def test_moments(text: str, expected: dt.datetime | None) -> None:
    assert parse_datetime(text, "dmy") == expected


def test_a_time_of_day_is_parted_from_its_date() -> None:
    assert split_time("1.2.2024 10:20:30") == ("1.2.2024", (10, 20, 30))
    assert split_time("1.2.2024 10:99") == ("1.2.2024 10:99", None)


@pytest.mark.parametrize(
    ("text", "mark", "expected"),
    [
        ("1054", ".", "1054"),
        ("1,054.50", ".", "1054.50"),
        ("1.054,50", ",", "1054.50"),
        ("1 054,50 ₽", ",", "1054.50"),
        ("1\u202f054,50", ",", "1054.50"),
        ("1'054.50", ".", "1054.50"),
        ("$1,054.50", ".", "1054.50"),
        ("-$5", ".", "-5"),
        ("USD 5", ".", "5"),
        ("5 EUR", ".", "5"),
        ("¥5", ".", "5"),
        ("5元", ".", "5"),
        ("100 руб.", ".", "100"),
        ("(5.00)", ".", "-5.00"),
        ("5-", ".", "-5"),
        ("−5", ".", "-5"),
        ("+5", ".", "5"),
        ("12.5 %", ".", "12.5"),
        (".5", ".", "0.5"),
        ("12923.0", ".", "12923.0"),
        ("1,5", ".", None),
        ("1.5", ",", None),
        ("INV123", ".", None),
        ("abc", ".", None),
        ("1e5", ".", None),
        ("--5", ".", None),
        ("", ".", None),
        ("-", ".", None),
        ("$", ".", None),
        ("9" * 5_000, ".", None),
        ("NaN", ".", None),
        ("٣", ".", "3"),
    ],
)
def test_numbers(text: str, mark: DecimalMark, expected: str | None) -> None:
    assert parse_number(text, mark) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes", True),
        ("ДА", True),
        ("是", True),
        ("No", False),
        ("нет", False),
        ("否", False),
        ("maybe", None),
        ("", None),
    ],
)
def test_truth(text: str, expected: bool | None) -> None:
    assert parse_bool(text) is expected


def test_a_currency_beside_a_number_is_seen() -> None:
    assert has_currency("5 EUR")
    assert has_currency("€5")
    assert not has_currency("5 XQX")
    assert not has_currency("5")
    assert not has_currency("€" * 100)
