"""Records as JSON."""

import datetime as dt

import pytest

from kehu.core.records.types import get
from kehu.rest.dump import amount, columns_of, dumper, moment


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (None, "EUR", None),
        (0, "EUR", "0.00"),
        (5, "EUR", "0.05"),
        (123450, "EUR", "1234.50"),
        (-123450, "EUR", "-1234.50"),
        (1234, "JPY", "1234"),
        (1234, "BHD", "1.234"),
        (10**17, "USD", "1000000000000000.00"),
    ],
)
def test_amounts_are_in_major_units(minor, currency, text):
    assert amount(minor, currency) == text


def test_moments_are_utc():
    zone = dt.timezone(dt.timedelta(hours=8))
    assert moment(dt.datetime(2026, 11, 22, 17, 30, tzinfo=zone)) == "2026-11-22T09:30:00Z"
    assert moment(None) is None


def test_only_wanted_fields(app):
    customers = get("customers")
    dump = dumper(customers, columns_of(customers, ["name", "revenue"]))
    row = {"id": 1, "version": 2, "name": "A", "revenue": 100, "currency": "EUR", "secret": "x"}
    assert dump(row) == {"id": "1", "version": 2, "name": "A", "revenue": "1.00", "currency": "EUR"}
