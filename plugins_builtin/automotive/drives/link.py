"""The address at which people book a test drive by themselves, and what it shows: free times, nothing else."""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import (
    InvalidInput,
    Session,
    _,
    actor,
    audit,
    clock,
    free_times,
    new_id,
    normal_email,
    normal_phone,
    plugin_settings,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives.cars import CARS, DemoCarService
from plugins_builtin.automotive.drives.models import DemoCar, DriveLink, TestDrive
from plugins_builtin.automotive.drives.services import DriveService

DAYS = 14
NOTICE = dt.timedelta(hours=2)
"""How long before its start a drive can be booked by this way."""
GRID = dt.timedelta(minutes=30)


def secret(session: Session) -> str | None:
    """Return what stands in the firm's address, or None when it has none."""
    return session.execute(select(DriveLink.secret).limit(1)).scalar_one_or_none()


def is_known(session: Session, given: str) -> bool:
    """Tell whether an address is the firm's present one."""
    held = secret(session)
    return held is not None and hmac.compare_digest(held.encode(), given.encode())


def renew(session: Session) -> None:
    """Make the firm's address, or another one in its place: who has the old one finds nothing there."""
    actor().require(f"{CARS}:write")
    row = session.execute(select(DriveLink).with_for_update()).scalar_one_or_none()
    new = row is None
    if row is None:
        row = DriveLink(id=new_id(), tenant_id=tenant().id)
        session.add(row)
    row.secret, row.made_at = secrets.token_urlsafe(24), clock.now()
    session.flush()
    _note(session, row, "created" if new else "updated")


def remove(session: Session) -> None:
    """Take the address away."""
    actor().require(f"{CARS}:write")
    row = session.execute(select(DriveLink).with_for_update()).scalar_one_or_none()
    if row is not None:
        session.delete(row)
        session.flush()
        _note(session, row, "deleted")


def _note(session: Session, row: DriveLink, action: str) -> None:
    """Keep who made or took away the address, without what stands in it."""
    title = _("Address for booking on line")
    audit(session, object=f"{SLUG}.drive_link", record_id=row.id, action=action, title=title)


class Visitor:
    """Booking by who has no account.

    :param session: the unit of work.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.drives = DriveService(session)
        self.cars = DemoCarService(session)
        self.minutes = int(plugin_settings(session, SLUG)["drives_minutes"])

    def choices(self) -> Sequence[DemoCar]:
        """Return the cars that may be booked."""
        return self.cars.of_kind("car", public=True)

    def days(self) -> list[dt.date]:
        """Return the days that may be chosen."""
        today = clock.today(tenant().tz)
        return [today + dt.timedelta(days=number) for number in range(DAYS)]

    def times(self, car: DemoCar, day: dt.date) -> list[dt.datetime]:
        """Return the free times of a car on a day; none on a day on which it may not be driven."""
        if car.resource_id is None or day not in self.days() or self.cars.fault(car, day, day):
            return []
        soonest = clock.now() + NOTICE
        found = free_times(self.session, car.resource_id, day, self.minutes, GRID)
        return [one for one in found if one >= soonest]

    def book(self, values: Mapping[str, str]) -> TestDrive:
        """Book for a visitor, and ask somebody to ring.

        :raises InvalidInput: names the field.
        """
        errors: dict[str, list[str]] = {}
        name = values.get("name", "").strip()[:100]
        if not name:
            errors["name"] = [_("Write your name.")]
        phone = self._phone(values.get("phone", ""), errors)
        email = self._email(values.get("email", ""), errors)
        if not (phone or email or errors):
            errors["phone"] = [_("Write a phone number or an e-mail address, so that we can reach you.")]
        car, start = self._wanted(values, errors)
        if errors or car is None or start is None:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        given = {"demo_car_id": str(car.id), "from_at": start, "driver": name, "phone": phone, "email": email}
        try:
            drive = self.drives.book({**given, "source": "link", "customer_id": self._customer(phone)})
        except InvalidInput as error:
            message = _("This time has just been taken. Choose another one.")
            raise InvalidInput(message, fields={"at": [message]}) from error
        service_for("activities", self.session).create(
            {
                "kind": "call",
                "subject": _("Test drive booked on line: %(name)s", name=drive.name)[:200],
                "body": ", ".join(part for part in (phone, email) if part),
                "due_at": clock.now(),
                "customer_id": drive.customer_id,
            }
        )
        return drive

    def _wanted(
        self, values: Mapping[str, str], errors: dict[str, list[str]]
    ) -> tuple[DemoCar | None, dt.datetime | None]:
        car = next((one for one in self.choices() if str(one.id) == values.get("car")), None)
        if car is None:
            errors["car"] = [_("Choose one from the list.")]
            return None, None
        try:
            start = dt.datetime.fromisoformat(values.get("at", ""))
            if start.tzinfo is None:
                raise ValueError
            free = start in self.times(car, start.astimezone(tenant().tz).date())
        except (ValueError, OverflowError):
            errors["at"] = [_("Choose a time.")]
            return car, None
        if not free:
            errors["at"] = [_("This time has just been taken. Choose another one.")]
        return car, start

    def _phone(self, raw: str, errors: dict[str, list[str]]) -> str:
        try:
            return normal_phone(raw.strip()[:40], tenant().country) if raw.strip() else ""
        except InvalidInput as error:
            errors["phone"] = [str(error.message)]
            return ""

    def _email(self, raw: str, errors: dict[str, list[str]]) -> str:
        written = raw.strip()[:200]
        if written and ("@" not in written[1:-1] or " " in written):
            errors["email"] = [_("This is no e-mail address.")]
            return ""
        return normal_email(written) if written else ""

    def _customer(self, phone: str) -> str:
        """Return the customer with a phone number, if it is one alone; nobody is told."""
        if not phone:
            return ""
        model: Any = service_for("customers", self.session).type.model
        statement = select(model.id).where(model.phone_norm == phone, model.deleted_at.is_(None)).limit(2)
        found = list(self.session.execute(statement).scalars())
        return str(found[0]) if len(found) == 1 else ""
