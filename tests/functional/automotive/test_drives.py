"""Test drives: booked from a deal, clashes, gates, out and back, what follows (AUT-05)."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.addons.starter_rows import starter_id
from kehu.booking.models import Booking, Resource
from kehu.booking.services import BookingService
from kehu.core import clock
from kehu.core.audit import batch_id
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.merging.services import MergeService
from kehu.testkit.fixtures import Shop, count_queries
from plugins_builtin.automotive.drives.cars import DemoCarService
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import DriveService
from plugins_builtin.automotive.vehicles.services import VehicleService
from tests.functional.automotive.driving import GATES, booked, drive_of, start, values

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
BASE = "/x/automotive/drives"


def refused(dealer: Shop, given: dict[str, Any]) -> dict[str, list[str]]:
    with dealer.work() as session:
        with pytest.raises(InvalidInput) as error:
            DriveService(session).book(given)
        session.rollback()
        return error.value.fields


def test_a_deal_books_in_one_dialog_and_keeps_what_was_typed(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        customer = service_for("customers", session).create(
            {"name": "Anna Lind", "phones": ["+442079464410"]}
        )
        deal = service_for("deals", session).create({"name": "Golf", "customer_id": str(customer.id)}).id
    client = dealer.client()
    assert f"{BASE}/book?record_id={deal}" in client.get(f"/deals/{deal}").text
    with count_queries() as statements:
        text = client.get(f"{BASE}/book?record_id={deal}", headers=HTMX).text
    assert len(statements) <= 11, "\n".join(statements.texts)
    for part in ("Golf, blue (North)", 'value="Anna Lind"', str(deal)):
        assert part in text
    form = values(dealer, car, deal_id=str(deal), customer_id=str(customer.id))
    assert client.post(f"{BASE}/book", data=form, headers=HTMX).status_code == 204
    answer = client.post(f"{BASE}/book", data={**form, "driver": "Bo Ek"}, headers=HTMX)
    assert answer.status_code == 422
    for part in ("is taken", "On that day it is free from 11:00", 'value="Bo Ek"', start(dealer)):
        assert part in answer.text
    assert "Test drive: Anna Lind" in client.get(f"/bookings/of/deals/{deal}").text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"driver": " "}, "driver"),
        ({"demo_car_id": str(new_id())}, "demo_car_id"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "-5"}, "minutes"),
        ({"minutes": "soon"}, "minutes"),
        ({"from_at": "tomorrow"}, "from_at"),
        ({"from_at": "2020-01-01T10:00"}, "from_at"),
        ({"from_at": "2027-03-28T01:30"}, "from_at"),
    ],
)
def test_bad_input_names_the_field(dealer: Shop, car: str, change: dict[str, Any], field: str) -> None:
    assert list(refused(dealer, {**values(dealer, car), **change})) == [field]


def test_host_and_plates_are_held_too(dealer: Shop, car: str) -> None:
    me = str(dealer.owner.member_id)
    with dealer.work() as session:
        other = str(DemoCarService(session).create({"name": "Polo"}).id)
        plates = str(DemoCarService(session).create({"name": "RED 1", "kind": "plates"}).id)
    booked(dealer, car, owner_id=me, plates_id=plates)
    assert list(refused(dealer, values(dealer, other, owner_id=me))) == ["owner_id"]
    assert list(refused(dealer, values(dealer, other, plates_id=plates))) == ["plates_id"]
    assert list(refused(dealer, values(dealer, other, plates_id=other))) == ["plates_id"]
    booked(dealer, other)


def test_a_vehicle_takes_the_mileage_and_once_sold_is_not_driven(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        vehicle = VehicleService(session).create({"make": "VW", "model": "Golf", "status": "demo"})
        DemoCarService(session).update(car, {"vehicle_id": str(vehicle.id)})
        drive = DriveService(session).book(values(dealer, car, "14:00")).id
        DriveService(session).hand_out(drive, GATES)
        DriveService(session).take_back(drive, {"back_km": "1230"})
    with dealer.work() as session:
        assert VehicleService(session).get(vehicle.id).odometer == 1230
        VehicleService(session).update(vehicle.id, {"status": "sold"})
    assert "sold" in refused(dealer, values(dealer, car))["demo_car_id"][0]
    assert "Golf, blue" not in dealer.client().get(f"{BASE}/book", headers=HTMX).text


def test_the_insurance_is_looked_at_again_before_the_keys(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car)
    with dealer.work() as session:
        yesterday = clock.today(dealer.tenant.tz) - dt.timedelta(days=1)
        DemoCarService(session).update(car, {"insured_until": yesterday.isoformat()})
    with dealer.work() as session:
        with pytest.raises(InvalidInput) as error:
            DriveService(session).hand_out(drive, GATES)
        session.rollback()
        assert "insurance" in error.value.fields["car"][0]
        assert DriveService(session).hand_out(drive, {**GATES, "override_reason": "renewed by phone"})
    text = dealer.client().get(f"{BASE}/book", headers=HTMX).text
    assert "Golf, blue" in text


def test_many_cars_cost_no_more_statements(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        for number in range(8):
            vehicle = VehicleService(session).create(
                {"make": "VW", "model": "Polo", "vin": f"WVWZZZ1KZAW00000{number}"}
            )
            if number == 0:
                VehicleService(session).update(vehicle.id, {"status": "sold"})
            given = {"name": f"Polo {number}", "vehicle_id": str(vehicle.id)}
            DemoCarService(session).create(given)
    with count_queries() as statements:
        text = dealer.client().get(f"{BASE}/book", headers=HTMX).text
    assert len(statements) <= 11, "\n".join(statements.texts)
    assert "Polo 1" in text
    assert "Polo 0" not in text


def test_two_in_the_same_second(dealer: Shop, car: str) -> None:
    barrier, found = threading.Barrier(2), []

    def send() -> None:
        try:
            with dealer.work() as session:
                barrier.wait(5)
                DriveService(session).book(values(dealer, car))
            found.append("booked")
        except InvalidInput as error:
            found.append(error.fields["demo_car_id"][0])

    threads = [threading.Thread(target=send) for _number in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert sorted(text[:7] for text in found) == ["booked", "“Golf, "]


def test_the_gates(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car)
    client = dealer.client()
    answer = client.post(f"{BASE}/{drive}/out", data={"licence_class": "A", "out_km": "x"}, headers=HTMX)
    assert answer.status_code == 422
    for part in (
        "Look at the driving licence",
        "Class B is needed",
        "must be signed",
        "is no number",
        'value="A"',
    ):
        assert part in answer.text
    assert drive_of(dealer, drive).state == "booked"
    member = dealer.member("member")
    with dealer.work(member) as session, pytest.raises(Forbidden):
        DriveService(session).hand_out(drive, {"out_km": "5", "override_reason": "In a hurry"})
    with dealer.work() as session:
        DriveService(session).hand_out(drive, {"out_km": "5", "override_reason": "Known for years"})
    found = drive_of(dealer, drive)
    assert (found.state, found.override_reason, found.override_by) == (
        "out",
        "Known for years",
        dealer.owner.member_id,
    )
    assert found.licence_seen_at is None
    with dealer.work() as session, pytest.raises(Conflict):
        DriveService(session).hand_out(drive, GATES)


def test_out_and_back(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        stages = service_for("stages", session)
        stages.create({"name": "Test drive"})
        deal = service_for("deals", session).create({"name": "Golf"}).id
    drive = booked(dealer, car, deal_id=str(deal))
    client = dealer.client()
    assert client.post(f"{BASE}/{drive}/out", data=GATES, headers=HTMX).status_code == 204
    assert drive_of(dealer, drive).licence_seen_by == dealer.owner.member_id
    answer = client.post(f"{BASE}/{drive}/back", data={"back_km": "1100", "feedback": "Quiet"}, headers=HTMX)
    assert answer.status_code == 422
    assert "It went out with 1,200 km" in answer.text
    assert "Quiet" in answer.text
    form = {"back_km": "1231", "rated_drive": "5", "rated_price": "3", "next_step": "Send the offer"}
    assert client.post(f"{BASE}/{drive}/back", data=form, headers=HTMX).status_code == 204
    found = drive_of(dealer, drive)
    assert (found.state, found.back_km, found.rated_drive) == ("back", 1231, 5)
    with dealer.work() as session:
        step = session.execute(select(Activity).where(Activity.id == found.follow_up_id)).scalar_one()
        assert (step.subject, step.deal_id) == ("Send the offer", deal)
        row: Any = service_for("deals", session).get(deal)
        assert service_for("stages", session).get(row.stage_id).name == "Test drive"
    with dealer.work() as session, pytest.raises(InvalidInput):
        again = DriveService(session).book(values(dealer, car, "14:00")).id
        DriveService(session).hand_out(again, {**GATES, "out_km": "1230"})
    text = client.get(f"{BASE}/results").text
    assert "No drive began in this time" in text  # It begins next week, and results look back.
    assert client.get(f"{BASE}/results?days=x").status_code == 200


def test_the_stage_of_the_modules_own_pipeline_is_known_by_itself(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        stage = starter_id(session, "automotive", "sale.test_drive")
        first = starter_id(session, "automotive", "sale.lead")
        service_for("stages", session).update(stage, {"name": "On the road"})
        deal = service_for("deals", session).create({"name": "Golf", "stage_id": str(first)}).id
    drive = booked(dealer, car, deal_id=str(deal))
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
        DriveService(session).take_back(drive, {"back_km": "1240"})
        row: Any = service_for("deals", session).get(deal)
        assert row.stage_id == stage


def test_results_count_by_host_and_model(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car, owner_id=str(dealer.owner.member_id))
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
        DriveService(session).take_back(drive, {"back_km": "1200", "rated_drive": "4"})
        row = session.execute(select(TestDrive).where(TestDrive.id == drive)).scalar_one()
        row.from_at = clock.now() - dt.timedelta(days=3)
    client = dealer.client()
    with count_queries() as statements:
        text = client.get(f"{BASE}/results").text
    assert len(statements) <= 7, "\n".join(statements.texts)
    for part in ("Mira Sol", "VW Golf", "4.0"):
        assert part in text


def test_undo_of_a_step_takes_back_booking_and_drive(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car)
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
        batch = batch_id(session)
    with dealer.work() as session:
        undo_batch(session, batch)
    found = drive_of(dealer, drive)
    assert (found.state, found.out_km) == ("booked", None)
    with dealer.work() as session:
        assert session.execute(select(Booking.state)).scalar_one() == "booked"


def test_the_board_leaves_the_keys_to_the_drive(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car)
    booking = drive_of(dealer, drive).booking_id
    client = dealer.client()
    day = start(dealer)[:10]
    assert f"{BASE}/of/{booking}" in client.get(f"/bookings/board?day={day}").text
    assert client.post(f"/bookings/{booking}/step/out", headers=HTMX).status_code == 409
    assert client.get(f"{BASE}/of/{booking}").status_code == 303
    assert client.get(f"{BASE}/of/{new_id()}").status_code == 404
    with dealer.work() as session:
        BookingService(session).step(booking, "cancelled")
        moved = service_for("bookings", session).get(booking)
        DriveService(session).follow(moved)
    assert drive_of(dealer, drive).state == "cancelled"
    with dealer.work() as session, pytest.raises(InvalidInput):
        DriveService(session).update(drive, {"state": "back"})


def test_the_board_throws_away_no_car_that_is_out(dealer: Shop, car: str) -> None:
    drive = booked(dealer, car)
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
    with dealer.work() as session, pytest.raises(Conflict, match="handed out"):
        service_for("bookings", session).trash(drive_of(dealer, drive).booking_id)


def test_the_trash_frees_the_car_and_gives_the_time_back(dealer: Shop, car: str) -> None:
    drive, client = booked(dealer, car), dealer.client()
    with dealer.work() as session:
        DriveService(session).trash(drive)
        gone = batch_id(session)
    other = booked(dealer, car, driver="Bo Ek")
    with dealer.work() as session:
        with pytest.raises((Conflict, InvalidInput)):
            DriveService(session).restore(drive)
        session.rollback()
    with dealer.work() as session:
        DriveService(session).trash(other)
    assert client.get(f"/bookings/{drive_of(dealer, drive).booking_id}").status_code == 404
    with dealer.work() as session:
        assert undo_batch(session, gone).kept == []
    with dealer.work() as session:
        booking = service_for("bookings", session).get(drive_of(dealer, drive).booking_id)
        assert booking.state == "booked"
    with dealer.work() as session:
        DriveService(session).hand_out(drive, GATES)
        with pytest.raises(Conflict, match="keys of"):
            DriveService(session).trash(drive)


def test_another_host_is_busy_in_place_of_the_first(dealer: Shop, car: str) -> None:
    first, other = (dealer.member("member", name) for name in ("First Host", "Other Host"))
    with dealer.work() as session:
        spare = str(DemoCarService(session).create({"name": "Polo", "model": "VW Polo"}).id)
    drive = booked(dealer, car, owner_id=str(first.member_id))
    with dealer.work() as session:
        DriveService(session).update(drive, {"owner_id": str(other.member_id), "driver": "Bo Ek"})
    with dealer.work() as session:
        booking = service_for("bookings", session).get(drive_of(dealer, drive).booking_id)
        assert (booking.member_id, booking.name) == (other.member_id, "Test drive: Bo Ek")
    assert "owner_id" in refused(dealer, values(dealer, spare, owner_id=str(other.member_id)))
    second = booked(dealer, spare, owner_id=str(first.member_id))
    with dealer.work() as session:
        with pytest.raises(InvalidInput) as error:
            DriveService(session).update(second, {"owner_id": str(other.member_id)})
        session.rollback()
        assert "owner_id" in error.value.fields


def test_rights_and_foreign_firms(dealer: Shop, other_shop: Shop, car: str) -> None:
    drive = booked(dealer, car)
    viewer = dealer.client(dealer.member("viewer"))
    assert "Anna Lind" in viewer.get(BASE).text
    assert viewer.post(f"{BASE}/book", data=values(dealer, car)).status_code == 403
    assert viewer.post(f"{BASE}/{drive}/out", data=GATES).status_code == 403
    stranger = other_shop.client()
    for path in (BASE, f"{BASE}/results", f"/x/automotive/test_drives/{drive}"):
        assert stranger.get(path).status_code == 404


def test_the_agreement_is_printed_by_who_may_see_the_drive(dealer: Shop, other_shop: Shop, car: str) -> None:
    drive = booked(dealer, car, owner_id=str(dealer.owner.member_id))
    client = dealer.client()
    path = f"{BASE}/{drive}/agreement.pdf"
    assert path in client.get(f"/x/automotive/test_drives/{drive}").text
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert client.get(f"{BASE}/{new_id()}/agreement.pdf").status_code == 404
    assert other_shop.client().get(path).status_code == 404


def test_a_demo_car_and_its_resource_go_together(dealer: Shop) -> None:
    def resource() -> Any:
        with dealer.work() as session:
            return session.execute(select(Resource)).scalar_one()

    with dealer.work() as session:
        car = DemoCarService(session).create({"name": "Golf"}).id
    with dealer.work() as session:
        DemoCarService(session).update(car, {"name": "Golf, blue", "branch": "North"})
        changed = batch_id(session)
    assert (resource().name, resource().branch, resource().before_minutes) == ("Golf, blue", "North", 10)
    with dealer.work() as session:
        undo_batch(session, changed)
    assert (resource().name, resource().branch) == ("Golf", None)
    with dealer.work() as session:
        DemoCarService(session).trash(car)
        gone = batch_id(session)
    assert resource().deleted_at is not None
    with dealer.work() as session:
        undo_batch(session, gone)
    assert resource().deleted_at is None
    with dealer.work() as session:
        DemoCarService(session).create({"name": "Polo"})
        made = batch_id(session)
    with dealer.work() as session:
        undo_batch(session, made)
        assert session.execute(select(Resource.deleted_at).where(Resource.name == "Polo")).scalar_one()


def test_a_drive_follows_its_contact_into_another_and_back(dealer: Shop, car: str) -> None:
    with dealer.work() as session:
        contacts = service_for("contacts", session)
        keep, drop = (contacts.create({"name": name}).id for name in ("Anna Lind", "A. Lind"))
    drive = booked(dealer, car, contact_id=str(drop))
    with dealer.work() as session:
        merge = MergeService(session, "contacts").merge(keep, drop).id
    assert drive_of(dealer, drive).contact_id == keep
    with dealer.work() as session:
        MergeService(session, "contacts").undo(merge)
    assert drive_of(dealer, drive).contact_id == drop


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        # Saturday; Monday within opening hours; Friday near their end. London is on UTC in November.
        ("2026-11-28T15:20", "2026-11-30T09:00"),
        ("2026-11-30T10:20", "2026-11-30T11:00"),
        ("2026-11-27T17:20", "2026-11-30T09:00"),
    ],
)
@pytest.mark.usefixtures("car")
def test_the_form_begins_when_the_firm_is_open(
    dealer: Shop, monkeypatch: pytest.MonkeyPatch, now: str, asked: str
) -> None:
    client = dealer.client()
    monkeypatch.setattr(clock, "now", lambda: dt.datetime.fromisoformat(f"{now}+00:00"))
    assert f'value="{asked}"' in client.get(f"{BASE}/book", headers=HTMX).text
