"""What must be in order before a driver gets the keys. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from kehu.api import _


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a firm asks of drivers, from its settings."""

    licence_class: str = "B"
    least_age: int = 18
    refuse_trainees: bool = False


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What was looked at, at the counter."""

    licence_seen: bool = False
    licence_class: str = ""
    licence_until: dt.date | None = None
    born_on: dt.date | None = None
    trainee: bool = False
    agreed: bool = False


def age_on(born_on: dt.date, day: dt.date) -> int:
    """Return how many birthdays somebody has had by a day; who is born on 29 February has it on 1 March."""
    return day.year - born_on.year - ((day.month, day.day) < (born_on.month, born_on.day))


def shut(driver: Driver, rules: Rules, day: dt.date) -> dict[str, str]:
    """Return what stands against handing out the keys on a day, by field; empty when all is in order."""
    found: dict[str, str] = {}
    if not driver.licence_seen:
        found["licence_seen"] = _("Look at the driving licence first.")
    classes = {one.strip().upper() for one in driver.licence_class.replace(";", ",").split(",")}
    if rules.licence_class.upper() not in classes:
        found["licence_class"] = _("Class %(wanted)s is needed for this car.", wanted=rules.licence_class)
    if driver.licence_until is None:
        found["licence_until"] = _("Write until when the licence is valid.")
    elif driver.licence_until < day:
        found["licence_until"] = _("The licence is not valid any more on this day.")
    if driver.born_on is None:
        found["born_on"] = _("Write the date of birth, as the licence says it.")
    elif age_on(driver.born_on, day) < rules.least_age:
        found["born_on"] = _("The driver must be %(age)s or older.", age=rules.least_age)
    if driver.trainee and rules.refuse_trainees:
        found["trainee"] = _("Drivers within their first year don't drive demo cars here.")
    if not driver.agreed:
        found["agreed"] = _("The agreement must be signed before the keys are handed out.")
    return found


def car_faults(
    *,
    used: tuple[dt.date | None, dt.date | None],
    ends: Mapping[str, dt.date | None],
    sold: bool,
    day: dt.date,
) -> str:
    """Return why a car can't be driven on a day, or nothing.

    :param used: from when to when it is a demo car.
    :param ends: until when its insurance and inspection last.
    """
    if sold:
        return _("This car is sold. Choose another one.")
    if (used[0] and day < used[0]) or (used[1] and day > used[1]):
        return _("This is no demo car on that day. Choose another car or day.")
    insured, inspected = ends.get("insured_until"), ends.get("inspected_until")
    if insured and insured < day:
        return _("The insurance of this car ends before that day. Renew it, or choose another car.")
    if inspected and inspected < day:
        return _("The inspection of this car ends before that day. Renew it, or choose another car.")
    return ""
