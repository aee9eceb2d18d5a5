"""Booking test drives for tests, as a member does."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select

from kehu.core import clock
from kehu.testkit.fixtures import Shop
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import DriveService

GATES = {
    "licence_seen": "1",
    "licence_class": "B",
    "licence_until": "2040-01-01",
    "born_on": "1980-05-01",
    "agreed": "1",
    "out_km": "1200",
}


def start(dealer: Shop, hour: str = "10:00") -> str:
    today = clock.today(dealer.tenant.tz)
    # A Monday, on which the firm is open.
    return f"{today + dt.timedelta(days=14 - today.weekday())}T{hour}"


def values(dealer: Shop, car: str, hour: str = "10:00", **more: Any) -> dict[str, Any]:
    return {
        "demo_car_id": car,
        "from_at": start(dealer, hour),
        "minutes": "30",
        "driver": "Anna Lind",
        **more,
    }


def booked(dealer: Shop, car: str, **more: Any) -> Any:
    with dealer.work() as session:
        return DriveService(session).book(values(dealer, car, **more)).id


def drive_of(dealer: Shop, drive_id: Any) -> Any:
    with dealer.work() as session:
        return session.execute(select(TestDrive).where(TestDrive.id == drive_id)).scalar_one()
