"""What must be in order before a driver gets the keys."""

import datetime as dt

import pytest

from plugins_builtin.automotive.drives.gates import Driver, Rules, age_on, car_faults, shut

DAY = dt.date(2026, 12, 1)
GOOD = {
    "licence_seen": True,
    "licence_class": "B, BE",
    "licence_until": DAY,
    "born_on": dt.date(2008, 12, 1),
    "agreed": True,
}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"licence_seen": False}, "licence_seen"),
        ({"licence_class": "A"}, "licence_class"),
        ({"licence_class": "b"}, None),
        ({"licence_until": None}, "licence_until"),
        ({"licence_until": dt.date(2026, 11, 30)}, "licence_until"),
        ({"born_on": None}, "born_on"),
        ({"born_on": dt.date(2008, 12, 2)}, "born_on"),
        ({"trainee": True}, None),
        ({"agreed": False}, "agreed"),
    ],
)
def test_each_gate(app, change, field):
    with app.test_request_context():
        found = shut(Driver(**{**GOOD, **change}), Rules(), DAY)
    assert list(found) == ([field] if field else [])


def test_trainees_where_refused(app):
    with app.test_request_context():
        assert list(shut(Driver(**GOOD, trainee=True), Rules(refuse_trainees=True), DAY)) == ["trainee"]


def test_age_of_who_is_born_on_leap_day():
    assert age_on(dt.date(2008, 2, 29), dt.date(2026, 2, 28)) == 17
    assert age_on(dt.date(2008, 2, 29), dt.date(2026, 3, 1)) == 18


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, ""),
        ({"sold": True}, "sold"),
        ({"used": (DAY + dt.timedelta(days=1), None)}, "no demo car"),
        ({"used": (None, DAY - dt.timedelta(days=1))}, "no demo car"),
        ({"ends": {"insured_until": dt.date(2026, 11, 30)}}, "insurance"),
        ({"ends": {"inspected_until": dt.date(2026, 11, 30)}}, "inspection"),
        ({"ends": {"insured_until": DAY}}, ""),
    ],
)
def test_the_car(app, change, word):
    given = {"used": (None, None), "ends": {}, "sold": False, "day": DAY, **change}
    with app.test_request_context():
        found = car_faults(**given)
    assert (word in found) if word else not found
