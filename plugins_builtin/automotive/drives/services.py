"""Book a drive, hand out the keys behind the gates, take them back, and see to what follows."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kehu.api import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RecordService,
    _,
    book,
    booking_step,
    clock,
    fold,
    free_times,
    parse_id,
    plugin_settings,
    select,
    service_for,
    starter_id,
    whole,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.drives import gates
from plugins_builtin.automotive.drives.cars import DemoCarService
from plugins_builtin.automotive.drives.models import DemoCar, TestDrive
from plugins_builtin.automotive.vehicles.readings import keep_reading
from plugins_builtin.automotive.vehicles.writing import is_new, wrong

NAME = f"{SLUG}.test_drives"
PAGE = "/x/automotive/drives/of/{id}"
RATINGS = ("rated_drive", "rated_comfort", "rated_space", "rated_equipment", "rated_price")
OPEN = frozenset(
    {"driver", "phone", "email", "customer_id", "contact_id", "deal_id", "owner_id", "feedback", *RATINGS}
)
"""Fields that are changed like those of any record; the others by the steps of a drive."""
NEXT_STEP = dt.timedelta(hours=24)
FARTHEST = 2_000
"""Kilometres that no test drive has."""
BOOKED = {"resource_id": "demo_car_id", "second_id": "plates_id", "member_id": "owner_id", "to_at": "minutes"}
"""Field of a booking -> field of the dialog in which its message stands."""
SHARED = {
    "owner_id": "member_id",
    "customer_id": "customer_id",
    "contact_id": "contact_id",
    "deal_id": "deal_id",
}
"""Field of a drive -> field of its booking that says the same: the board shows it, and the host is busy by it."""


class DriveService(RecordService[TestDrive]):
    """Write test drives."""

    type_name = NAME
    _steps = False

    def prepare(self, record: TestDrive, changed: set[str]) -> None:
        """Name the drive by driver and car."""
        record.name = f"{record.driver}, {record.model}"
        record.name_norm = fold(record.name)

    def check(self, record: TestDrive, changed: set[str]) -> None:
        """Leave to the steps what they decide.

        :raises InvalidInput: names the field.
        """
        if self._steps or self.session.info.get("undoing"):
            return
        locked = sorted(changed - OPEN)
        if locked:
            raise wrong(locked[0], _("This is changed by booking, hand-out and return, on the drive's page."))
        if not is_new(record) and changed & {*SHARED, "driver"}:
            self._tell_booking(record)

    def _tell_booking(self, record: TestDrive) -> None:
        """Let the booking say the same: for whom it is, and whom it keeps busy."""
        given: dict[str, Any] = {theirs: str(getattr(record, ours) or "") for ours, theirs in SHARED.items()}
        given["name"] = _("Test drive: %(driver)s", driver=record.driver)
        try:
            service_for("bookings", self.session, self.actor).update(record.booking_id, given)
        except InvalidInput as error:
            words = {"owner_id" if key == "member_id" else key: texts for key, texts in error.fields.items()}
            raise InvalidInput(error.message, fields=words) from error
        except NotFound:
            return  # It lies in the trash, or the actor may not see it.

    def saved(self, records: Sequence[TestDrive], action: str) -> None:
        """Put the booking into the trash with its drive, and take it out again.

        :raises Conflict: when the keys are out, or somebody else has the time by now.
        """
        if action not in ("trashed", "restored") or self.session.info.get("undoing"):
            return  # An undo takes the booking back by itself: it stands in the trail beside the drive.
        out = next((one for one in records if one.state == "out"), None)
        if out is not None and action == "trashed":
            raise Conflict(_("The keys of “%(name)s” are out. Take them back first.", name=out.name))
        bookings = service_for("bookings", self.session, self.actor)
        held = [one.booking_id for one in records]
        if action == "trashed":
            bookings.trash_all(held)
            return
        model: Any = bookings.type.model
        gone = select(model.id).where(model.id.in_(held), model.deleted_at.is_not(None))
        for booking_id in self.session.execute(gone).scalars().all():
            bookings.restore(booking_id)

    def search_texts(self, record: TestDrive) -> Iterable[tuple[str, str]]:
        """Find a drive by driver and car."""
        yield "name", record.name
        if record.phone:
            yield "phone", record.phone

    # Booking ----------------------------------------------------------------------------

    def settings(self) -> Mapping[str, Any]:
        """Return what the firm has set for drives, and the rest."""
        return plugin_settings(self.session, SLUG)

    def book(self, values: Mapping[str, Any]) -> TestDrive:
        """Book a car, perhaps plates and a host, for a driver.

        :param values: `demo_car_id`, `plates_id`, `from_at`, `minutes`, `owner_id`, `driver`, `phone`, `email`,
            `customer_id`, `contact_id`, `deal_id`, `source`.
        :raises InvalidInput: names the field; says when the car is free instead.
        """
        self.actor.require(f"{NAME}:write")
        car = self._thing("demo_car_id", values.get("demo_car_id"), "car")
        plates = self._thing("plates_id", values["plates_id"], "plates") if values.get("plates_id") else None
        driver = str(values.get("driver") or "").strip()[:100]
        if not driver:
            raise wrong("driver", _("Write who drives."))
        start = self._start(values.get("from_at"))
        end = start + dt.timedelta(minutes=self._minutes(values.get("minutes")))
        self._look_at(car, start, end)
        given = {
            "name": _("Test drive: %(driver)s", driver=driver),
            "resource_id": car.resource_id,
            "second_id": plates.resource_id if plates else "",
            "from_at": start,
            "to_at": end,
            "member_id": values.get("owner_id") or "",
            **{key: values.get(key) or "" for key in ("customer_id", "contact_id", "deal_id")},
        }
        try:
            booking = book(self.session, given, page=PAGE)
        except InvalidInput as error:
            raise self._in_our_words(error, car, start, end) from error
        kept = {key: values.get(key) or "" for key in ("phone", "email", "owner_id", "source")}
        kept.update({key: getattr(booking, key) for key in ("customer_id", "contact_id", "deal_id")})
        return self._by_step(
            None,
            {
                **{key: value for key, value in kept.items() if value},
                "driver": driver,
                "booking_id": booking.id,
                "demo_car_id": car.id,
                "plates_id": plates.id if plates else None,
                "model": car.model or car.name,
                "from_at": booking.from_at,
                "to_at": booking.to_at,
            },
        )

    def _by_step(self, record: TestDrive | None, values: Mapping[str, Any]) -> TestDrive:
        self._steps = True
        try:
            return self.create(values) if record is None else self.update(record.id, values)
        finally:
            self._steps = False

    def _thing(self, key: str, raw: object, kind: str) -> DemoCar:
        found_id = parse_id(raw)
        statement = select(DemoCar).where(
            DemoCar.id == found_id, DemoCar.kind == kind, DemoCar.deleted_at.is_(None)
        )
        found: DemoCar | None = self.session.execute(statement).scalar_one_or_none() if found_id else None
        if found is None or found.resource_id is None:
            raise wrong(key, _("Choose one from the list."))
        return found

    def _start(self, raw: object) -> dt.datetime:
        if isinstance(raw, dt.datetime):
            return raw
        try:
            wall = dt.datetime.fromisoformat(str(raw or "").strip())
        except ValueError as error:
            raise wrong("from_at", _("Write day and time, as 2026-12-01 10:00.")) from error
        if wall.tzinfo is not None:
            return wall
        start = wall.replace(tzinfo=self.tenant.tz)
        if start.astimezone(dt.UTC).astimezone(self.tenant.tz).replace(tzinfo=None) != wall:
            raise wrong("from_at", _("On this day the clock skips this time; choose an hour later."))
        return start

    def _minutes(self, raw: object) -> int:
        text = str(raw or self.settings()["drives_minutes"]).strip()
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 5 <= int(text) <= 3 * 24 * 60:
            raise wrong(
                "minutes", _("Write how many minutes the drive takes: 5 or more, at most three days.")
            )
        return int(text)

    def _look_at(self, car: DemoCar, start: dt.datetime, end: dt.datetime) -> None:
        first, last = (moment.astimezone(self.tenant.tz).date() for moment in (start, end))
        if fault := DemoCarService(self.session, self.actor).fault(car, first, last):
            raise wrong("demo_car_id", fault)

    def _in_our_words(
        self, error: InvalidInput, car: DemoCar, start: dt.datetime, end: dt.datetime
    ) -> InvalidInput:
        """Put the messages of a booking to the fields of the dialog, with the times that are free instead."""
        fields = {BOOKED.get(key, key): list(texts) for key, texts in error.fields.items()}
        minutes = int((end - start).total_seconds() // 60)
        day = start.astimezone(self.tenant.tz).date()
        if "demo_car_id" in fields and car.resource_id is not None:
            times = [one for one in free_times(self.session, car.resource_id, day, minutes) if one >= start][
                :4
            ]
            if times:
                texts = ", ".join(f"{one.astimezone(self.tenant.tz):%H:%M}" for one in times)
                fields["demo_car_id"].append(_("On that day it is free from %(times)s.", times=texts))
        return InvalidInput(error.message, fields=fields)

    # Steps ------------------------------------------------------------------------------

    def of_booking(self, booking_id: object) -> TestDrive:
        """Return the drive that a booking is for.

        :raises NotFound: when there is none.
        """
        found = self.session.execute(
            select(TestDrive.id).where(TestDrive.booking_id == parse_id(booking_id))
        ).scalar_one_or_none()
        if found is None:
            raise NotFound(_("This drive does not exist or is in the trash."))
        return self.get(found)

    def hand_out(self, drive_id: object, values: Mapping[str, Any]) -> TestDrive:
        """Give the keys, when all is in order or somebody who may says why it goes without.

        :raises InvalidInput: names each gate that is shut.
        :raises Conflict: when the drive is in another state.
        """
        record = self._at(drive_id, "booked", _("These keys are handed out already, or the drive is over."))
        loaded, errors = self._loaded(record, values, ("born_on", "licence_class", "licence_until", "out_km"))
        driver = gates.Driver(
            licence_seen=values.get("licence_seen") == "1",
            licence_class=loaded.get("licence_class") or "",
            licence_until=loaded.get("licence_until"),
            born_on=loaded.get("born_on"),
            trainee=values.get("trainee") == "1",
            agreed=values.get("agreed") == "1",
        )
        override = str(values.get("override_reason") or "").strip()[:500]
        if override and not self.actor.may("automotive.test_drive:override"):
            raise Forbidden(_("Only a manager may let somebody drive against the rules."))
        shut = {} if override else self._shut(record, driver)
        errors = {**{key: [text] for key, text in shut.items()}, **self._km_out(record, loaded), **errors}
        if errors:
            raise InvalidInput(_("Some things are missing before the keys."), fields=errors)
        now, me = clock.now(), self.actor.member_id
        booking_step(self.session, record.booking_id, "out")
        return self._by_step(
            record,
            {
                **loaded,
                "trainee": driver.trainee,
                "licence_seen_at": now if driver.licence_seen else None,
                "licence_seen_by": me if driver.licence_seen else None,
                "agreed_at": now if driver.agreed else None,
                "agreed_by": me if driver.agreed else None,
                "override_reason": override or None,
                "override_by": me if override else None,
                "damage_out": str(values.get("damage_out") or "")[:2000],
                "state": "out",
                "out_at": now,
            },
        )

    def _shut(self, record: TestDrive, driver: gates.Driver) -> dict[str, str]:
        """Return what stands against the keys today; since it was booked the car's insurance may have ended."""
        today = clock.today(self.tenant.tz)
        shut = gates.shut(driver, self._rules(), today)
        car = self.session.execute(
            select(DemoCar).where(DemoCar.id == record.demo_car_id)
        ).scalar_one_or_none()
        fault = DemoCarService(self.session, self.actor).fault(car, today, today) if car is not None else ""
        return {**shut, **({"car": fault} if fault else {})}

    def _rules(self) -> gates.Rules:
        settings = self.settings()
        return gates.Rules(
            licence_class=str(settings["drives_class"] or "B"),
            least_age=int(settings["drives_age"]),
            refuse_trainees=bool(settings["drives_refuse_trainees"]),
        )

    def _loaded(
        self, record: TestDrive, values: Mapping[str, Any], keys: Iterable[str]
    ) -> tuple[dict[str, Any], dict[str, list[str]]]:
        return self.load({key: values.get(key) or None for key in keys}, new=False, record=record)

    def _km_out(self, record: TestDrive, loaded: Mapping[str, Any]) -> dict[str, list[str]]:
        km = loaded.get("out_km")
        if km is None:
            return {"out_km": [_("Write what the odometer shows.")]}
        last = self.session.execute(
            select(TestDrive.back_km)
            .where(
                TestDrive.demo_car_id == record.demo_car_id,
                TestDrive.back_km.is_not(None),
                TestDrive.deleted_at.is_(None),
                TestDrive.id != record.id,
            )
            .order_by(TestDrive.back_km.desc())
            .limit(1)
        ).scalar_one_or_none()
        if last is not None and km < last:
            return {"out_km": [_("It came back from its last drive with %(km)s km.", km=whole(last))]}
        return {}

    def take_back(self, drive_id: object, values: Mapping[str, Any]) -> TestDrive:
        """Take the keys back with mileage and feedback; plan what comes next and move the deal.

        :raises InvalidInput: names the field.
        """
        record = self._at(drive_id, "out", _("These keys are not out."))
        loaded, errors = self._loaded(record, values, ("back_km", "feedback", *RATINGS))
        km, out = loaded.get("back_km"), record.out_km or 0
        if "back_km" not in errors:
            if km is None:
                errors["back_km"] = [_("Write what the odometer shows.")]
            elif km < out:
                errors["back_km"] = [_("It went out with %(km)s km.", km=whole(out))]
            elif km > out + FARTHEST:
                errors["back_km"] = [_("That would be %(km)s km; look again.", km=whole(km - out))]
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        booking_step(self.session, record.booking_id, "back")
        self._read(record, km or 0)
        follow_up = self._plan(record, str(values.get("next_step") or "").strip())
        self._move_deal(record)
        return self._by_step(
            record,
            {
                **loaded,
                "damage_back": str(values.get("damage_back") or "")[:2000],
                "state": "back",
                "back_at": clock.now(),
                "follow_up_id": follow_up,
            },
        )

    def _read(self, record: TestDrive, km: int) -> None:
        """Keep the mileage with the vehicle; what contradicts its other readings is kept as doubtful."""
        statement = select(DemoCar.vehicle_id).where(DemoCar.id == record.demo_car_id)
        vehicle_id = self.session.execute(statement).scalar_one_or_none()
        if vehicle_id is not None:
            keep_reading(self.session, self.actor, vehicle_id, km, source="drive")

    def _plan(self, record: TestDrive, text: str) -> uuid.UUID | None:
        """Plan the next step within a day; a drive without one goes cold."""
        if not self.actor.may("activities:write"):
            return None
        subject = text[:200] or _("Call after the test drive: %(name)s", name=record.name)[:200]
        given: dict[str, Any] = {
            "kind": "call",
            "subject": subject,
            "due_at": clock.now() + NEXT_STEP,
            "owner_id": record.owner_id or self.actor.member_id,
        }
        for key, name in (("customer_id", "customers"), ("deal_id", "deals")):
            if getattr(record, key) and self._sees(name, getattr(record, key)):
                given[key] = getattr(record, key)
        made: uuid.UUID = service_for("activities", self.session).create(given).id
        return made

    def _sees(self, name: str, record_id: uuid.UUID) -> bool:
        try:
            service_for(name, self.session).get(record_id)
        except (NotFound, Forbidden):
            return False
        return True

    def _move_deal(self, record: TestDrive) -> None:
        """Put the deal forward to the stage of test drives, if its pipeline has one and the actor may."""
        wanted = {fold(str(self.settings()["drives_stage"] or "")), fold(_("Test drive"))} - {""}
        if record.deal_id is None or not self.settings()["drives_move"]:
            return
        deals = service_for("deals", self.session)
        try:
            deal: Any = deals.get(record.deal_id, action="write")
        except (NotFound, Forbidden):
            return
        stages: Any = service_for("stages", self.session).type.model
        statement = select(stages).where(
            stages.pipeline_id == deal.pipeline_id, stages.deleted_at.is_(None), stages.outcome == "open"
        )
        rows = {row.id: row for row in self.session.execute(statement).scalars()}
        target = rows.get(starter_id(self.session, SLUG, "sale.test_drive")) or next(
            (row for row in rows.values() if fold(row.name) in wanted), None
        )
        present = rows.get(deal.stage_id)
        if target is not None and present is not None and present.position < target.position:
            deals.update(deal.id, {"stage_id": target.id})

    def end(self, drive_id: object, state: str) -> TestDrive:
        """Cancel a drive, or note that the driver did not come.

        :raises Conflict: when the drive is in another state.
        """
        record = self._at(drive_id, "booked", _("This drive is not waiting any more; load the page again."))
        booking_step(self.session, record.booking_id, state)
        return self._by_step(record, {"state": state})

    def _at(self, drive_id: object, state: str, message: str) -> TestDrive:
        record = self.get(drive_id, action="write", lock=True)
        if record.state != state:
            raise Conflict(message)
        return record

    def follow(self, booking: Any) -> None:
        """Take over times, state and people of a booking that was changed on the platform's board."""
        statement = select(TestDrive).where(TestDrive.booking_id == booking.id).with_for_update()
        record = self.session.execute(statement).scalar_one_or_none()
        if record is None:
            return
        state = "cancelled" if booking.deleted_at is not None else booking.state
        shared = [(ours, getattr(booking, theirs)) for ours, theirs in SHARED.items()]
        for key, value in (("state", state), ("from_at", booking.from_at), ("to_at", booking.to_at), *shared):
            if getattr(record, key) != value:
                setattr(record, key, value)
                if key in ("from_at", "to_at"):  # Another time is reminded of, and told of, anew.
                    record.remind_step = 0 if key == "from_at" else record.remind_step
                    record.alarm_step = 0 if key == "to_at" else record.alarm_step
        self.session.flush()
