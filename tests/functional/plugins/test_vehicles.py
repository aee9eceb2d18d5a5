"""Vehicles as records: numbers, owners and their history, mileage, the platform's record, pages, import and undo."""

from __future__ import annotations

import datetime as dt
import re
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import insert, select

from kehu.core import clock
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.ids import new_id, parse_id
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.items.models import OwnedItem
from kehu.merging.services import MergeService
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable, run_job_now
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle, VehicleParty
from tests.functional.imports.conftest import Importer

LIST = "/x/automotive/vehicles"
AMERICAN = "1M8GDM9AXKP042788"
GERMAN = "WVWZZZ1KZ6W612305"
CHINESE = "LSVAA4182E2184847"
GOLF = {"make": "Volkswagen", "model": "Golf"}


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """A firm with the plugin switched on."""
    enable(shop, "automotive")
    return shop


def customer(shop: Shop, name: str = "Anna Berg") -> str:
    with shop.work() as session:
        return str(service_for("customers", session).create({"name": name}).id)


def make(shop: Shop, **values: Any) -> str:
    with shop.work() as session:
        return str(service_for("automotive.vehicles", session).create({**GOLF, **values}).id)


def change(shop: Shop, vehicle: str, **values: Any) -> None:
    with shop.work() as session:
        service_for("automotive.vehicles", session).update(vehicle, values)


def refused(shop: Shop, **values: Any) -> dict[str, list[str]]:
    with shop.work() as session, pytest.raises(InvalidInput) as caught:
        service_for("automotive.vehicles", session).create({**GOLF, **values})
    return caught.value.fields


def kept(shop: Shop, model: Any, **where: Any) -> list[Any]:
    with shop.work() as session:
        statement = select(model).where(model.deleted_at.is_(None)).order_by(model.id)
        found = list(session.execute(statement.filter_by(**where)).scalars())
        session.expunge_all()
        return found


def undo_last(shop: Shop, kind: str = "automotive.vehicles") -> Any:
    from kehu.core.audit import AuditEntry

    with shop.work() as session:
        statement = select(AuditEntry.batch_id).where(AuditEntry.object == kind)
        batch = session.execute(statement.order_by(AuditEntry.id.desc()).limit(1)).scalar_one()
        report = undo_batch(session, batch)
    assert not report.kept, report.kept
    return report


@pytest.mark.parametrize(
    ("values", "vin"),
    [
        ({"vin": " 1m8gdm9axkp-042788 "}, AMERICAN),
        ({"vin": " " * 17}, None),
        ({"vin": "wvwzzz1kz6w612305"}, GERMAN),  # Its check digit does not fit, and need not.
        ({"vin": "1M8GDM9A1KP042788", "vin_reason": "Stands so in the papers"}, "1M8GDM9A1KP042788"),
        ({"vin": "118 5345 678", "year": 1971}, "1185345678"),
    ],
)
def test_numbers_are_kept(dealer: Shop, values: dict[str, Any], vin: str | None) -> None:
    make(dealer, **values)
    (vehicle,) = kept(dealer, Vehicle)
    assert vehicle.vin == vin
    assert vehicle.year == values.get("year")


@pytest.mark.parametrize(
    ("vin", "words"),
    [
        ("1M8GDM9AXKP04278O", "Is it 1M8GDM9AXKP042780?"),
        ("1M8GDM9AXKPO42788", f"Is it {AMERICAN}?"),
        ("1M8GDM9A1KP042788", "check digit"),
        ("LSVAA4183E2184847", "check digit"),
        ("1M8GDM9AXKP04278", "this has 16"),
        ("1185345678", "before 1981"),
    ],
)
def test_numbers_that_can_not_be_are_refused_with_what_was_meant(dealer: Shop, vin: str, words: str) -> None:
    assert words in refused(dealer, vin=vin)["vin"][0]


def test_a_number_stands_in_spite_of_its_check_digit_for_a_reason(dealer: Shop) -> None:
    client, page = dealer.client(), f"{LIST}/new"
    wrong = {**GOLF, "vin": "1M8GDM9A1KP042788"}
    answer = client.post(page, data=wrong)
    assert answer.status_code == 422
    assert 'name="vin_reason"' in answer.text
    assert 'hx-get="/x/automotive/number"' in answer.text
    assert client.post(page, data={**wrong, "vin_reason": "Stands so in the papers"}).status_code == 303
    head = {"Authorization": f"Bearer {dealer.token()}"}
    sent = dealer.app.test_client().post(
        "/api/v1/x/automotive/vehicles", json={**wrong, "vin": "1"}, headers=head
    )
    assert "vin" in sent.json["errors"]


def test_a_number_stands_once_and_leads_to_its_vehicle(dealer: Shop) -> None:
    vehicle = make(dealer, vin=GERMAN, plate="ab 12-cde")
    assert "Golf · AB12CDE" in refused(dealer, vin=GERMAN.lower())["vin"][0]
    assert "Golf · AB12CDE" in refused(dealer, plate="AB12CDE")["plate"][0]
    client = dealer.client()
    for page in (f"number?vin={GERMAN}", "plate?plate=ab12cde"):
        assert f"{LIST}/{vehicle}" in client.get(f"/x/automotive/{page}").text
    with dealer.work() as session:
        service_for("automotive.vehicles", session).trash(vehicle)
    make(dealer, vin=GERMAN)
    with dealer.work() as session, pytest.raises(Conflict):
        service_for("automotive.vehicles", session).restore(vehicle)


def test_what_a_number_says_is_shown_and_taken_over_on_wish_alone(dealer: Shop) -> None:
    client = dealer.client()
    hint = client.get("/x/automotive/number?vin=1M8GDM9AXKPO42788").text
    assert f'data-fill="vin" data-value="{AMERICAN}"' in hint
    hint = client.get(f"/x/automotive/number?vin={GERMAN}&year=2001&make=Opel").text
    assert 'data-fill="year" data-value="2006"' in hint
    assert "the model year is 2006" in hint
    assert "the maker is" in hint
    vehicle = make(dealer, vin=GERMAN, year=2001)
    assert kept(dealer, Vehicle)[0].year == 2001
    assert "Take over the year 2006" in client.get(f"{LIST}/{vehicle}").text
    assert client.post(f"{LIST}/{vehicle}/take-over", data={"field": "year"}).status_code == 303
    assert kept(dealer, Vehicle)[0].year == 2006
    assert client.post(f"{LIST}/{vehicle}/take-over", data={"field": "nonsense"}).status_code == 422


def test_a_sale_ends_the_time_of_the_owner_before(dealer: Shop) -> None:
    anna, boris = customer(dealer), customer(dealer, "Boris Sidorow")
    vehicle = make(dealer, vin=GERMAN, customer_id=anna, in_service_on="2006-03-01")
    (item,) = kept(dealer, OwnedItem)
    assert (str(item.customer_id), item.serial, item.status) == (anna, GERMAN, "in_use")
    change(dealer, vehicle, customer_id=boris)
    today = clock.today(dealer.tenant.tz)
    first, second = kept(dealer, VehicleParty)
    assert (str(first.customer_id), first.to_on, str(second.customer_id)) == (anna, today, boris)
    assert (second.from_on, second.to_on) == (today, None)
    (item,) = kept(dealer, OwnedItem)
    assert (str(item.customer_id), item.in_service_on) == (boris, dt.date(2006, 3, 1))
    undo_last(dealer, "automotive.vehicle_parties")
    (only,) = kept(dealer, VehicleParty)
    assert (str(only.customer_id), only.to_on) == (anna, None)
    assert str(kept(dealer, Vehicle)[0].customer_id) == anna
    assert str(kept(dealer, OwnedItem)[0].customer_id) == anna
    change(dealer, vehicle, customer_id=None)
    assert kept(dealer, Vehicle)[0].customer_id is None
    assert kept(dealer, OwnedItem)[0].status == "sold"


def test_a_car_of_the_dealers_own_goes_into_use_with_its_buyer(dealer: Shop) -> None:
    vehicle = make(dealer, vin=GERMAN, status="stock")
    assert not kept(dealer, OwnedItem)
    change(dealer, vehicle, customer_id=customer(dealer))
    (sold,) = kept(dealer, Vehicle)
    today = clock.today(dealer.tenant.tz)
    assert (sold.status, sold.sold_by, sold.in_service_on, sold.in_service_kind) == (
        "in_use",
        "us",
        today,
        "sale",
    )
    assert kept(dealer, OwnedItem)[0].sold_by == "us"
    undo_last(dealer, "automotive.vehicle_parties")
    (back,) = kept(dealer, Vehicle)
    assert (back.status, back.in_service_on, back.customer_id) == ("stock", None, None)


def test_two_owners_at_a_time_are_refused_and_drivers_are_not(dealer: Shop) -> None:
    anna, boris = customer(dealer), customer(dealer, "Boris Sidorow")
    vehicle = make(dealer, customer_id=anna)
    with dealer.work() as session:
        parties = service_for("automotive.vehicle_parties", session)
        with pytest.raises(InvalidInput) as caught:
            parties.create({"vehicle_id": vehicle, "customer_id": boris, "from_on": "2024-01-01"})
        assert "another owner" in caught.value.fields["from_on"][0]
        driver = parties.begin({"vehicle_id": vehicle, "customer_id": boris, "role": "driver"})
        assert parties.begin({"vehicle_id": vehicle, "customer_id": boris, "role": "driver"}).id == driver.id
    client = dealer.client()
    for whose, role in ((anna, "Vehicle owner"), (boris, "Driver")):
        panel = client.get(f"/x/automotive/panel?customer_id={whose}").text
        assert "Volkswagen Golf" in panel
        assert role in panel
    day = clock.today(dealer.tenant.tz) + dt.timedelta(days=3)
    sold = client.post(
        f"{LIST}/{vehicle}/people", data={"role": "owner", "customer_id": boris, "from_on": day.isoformat()}
    )
    assert sold.status_code == 303
    assert str(kept(dealer, Vehicle)[0].customer_id) == anna
    run_job_now(dealer, "automotive.vehicle_owners")
    assert str(kept(dealer, Vehicle)[0].customer_id) == anna
    run_job_now(dealer, "automotive.vehicle_owners", today=day)
    assert str(kept(dealer, Vehicle)[0].customer_id) == boris
    assert str(kept(dealer, OwnedItem)[0].customer_id) == boris


def test_readings_never_go_back_silently(dealer: Shop) -> None:
    vehicle = make(dealer, odometer=48200, odometer_on="2026-03-01")
    client, page = dealer.client(), f"{LIST}/{vehicle}/readings"
    answer = client.post(page, data={"shown": "30,000", "unit": "km", "read_on": "2026-06-01"})
    assert answer.status_code == 422
    assert "lower than 48,200 km of Mar 1, 2026" in answer.text
    assert 'value="30,000"' in answer.text
    assert set(re.findall(r'name="answer" value="(\w+)"', answer.text)) == {"replaced", "mistyped", "suspect"}
    with dealer.work() as session, pytest.raises(InvalidInput) as caught:
        service_for("automotive.vehicles", session).update(vehicle, {"odometer": 5})
    assert "odometer" in caught.value.fields
    values = {"shown": "30,000", "unit": "mi", "read_on": "2026-06-01", "answer": "suspect"}
    assert client.post(page, data={**values, "shown": "20,000"}).status_code == 303
    assert kept(dealer, Vehicle)[0].odometer == 48200
    assert client.post(page, data={**values, "shown": "31,000", "answer": ""}).status_code == 303
    assert kept(dealer, Vehicle)[0].odometer == 49890
    new = {**values, "shown": "100", "answer": "replaced", "read_on": "2026-07-01"}
    assert client.post(page, data=new).status_code == 303
    # 49,890 km on the clock before, and 100 miles on the new one.
    assert kept(dealer, Vehicle)[0].odometer == 50051
    assert "50,051" in client.get(f"{LIST}/{vehicle}").text


def test_a_mistyped_reading_is_corrected_in_its_place(dealer: Shop) -> None:
    vehicle = make(dealer, odometer=482000, odometer_on="2026-03-01")
    (reading,) = kept(dealer, OdometerReading)
    with dealer.work() as session:
        service_for("automotive.odometer_readings", session).update(reading.id, {"shown": 48200})
    (reading,) = kept(dealer, OdometerReading)
    assert (reading.km, reading.status) == (48200, "corrected")
    assert kept(dealer, Vehicle)[0].odometer == 48200
    client = dealer.client()
    client.post(
        f"{LIST}/{vehicle}/readings",
        data={"shown": "47000", "unit": "km", "read_on": "2026-06-01", "answer": "mistyped"},
    )
    assert {one.shown: one.status for one in kept(dealer, OdometerReading)} == {
        48200: "suspect",
        47000: "valid",
    }
    assert kept(dealer, Vehicle)[0].odometer == 47000
    with dealer.work() as session:
        service_for("automotive.odometer_readings", session).trash(kept(dealer, OdometerReading)[-1].id)
    assert kept(dealer, Vehicle)[0].odometer is None


def test_made_and_undone_nothing_is_left_and_restored_it_is_whole(dealer: Shop) -> None:
    anna = customer(dealer)
    vehicle = make(dealer, vin=GERMAN, plate="AB12CDE", customer_id=anna, odometer=100, status="demo")
    (kept_one,) = kept(dealer, Vehicle)
    assert kept_one.in_service_kind == "demo"
    assert kept_one.in_service_on == clock.today(dealer.tenant.tz)
    undo_last(dealer)
    for model in (Vehicle, VehicleParty, OdometerReading, OwnedItem):
        assert not kept(dealer, model), model
    with dealer.work() as session:
        service_for("automotive.vehicles", session).restore(vehicle)
    for model in (Vehicle, VehicleParty, OdometerReading, OwnedItem):
        assert len(kept(dealer, model)) == 1, model
    # With the customer it goes into the trash and comes back.
    with dealer.work() as session:
        service_for("customers", session).trash(anna)
    assert not kept(dealer, Vehicle)
    assert not kept(dealer, VehicleParty)
    with dealer.work() as session:
        service_for("customers", session).restore(anna)
    for model in (Vehicle, VehicleParty, OdometerReading, OwnedItem):
        assert len(kept(dealer, model)) == 1, model


def test_models_are_found_or_added_and_renamed_for_all(dealer: Shop) -> None:
    make(dealer, plate="A1")
    make(dealer, plate="A2", make="VOLKSWAGEN", model="golf")
    with dealer.work() as session:
        models = service_for("automotive.vehicle_models", session)
        (model,) = session.execute(select(models.type.model)).scalars()
        with pytest.raises(Conflict):
            models.trash(model.id)
    with dealer.work() as session:
        service_for("automotive.vehicle_models", session).update(model.id, {"model": "Golf VIII"})
    assert {one.name for one in kept(dealer, Vehicle)} == {
        "Volkswagen Golf VIII · A1",
        "Volkswagen Golf VIII · A2",
    }


@pytest.mark.parametrize("query", ["612305", "6w612305", "golf", "ab12", "2CDE", GERMAN])
def test_it_is_found_by_plate_end_of_vin_and_model(dealer: Shop, query: str) -> None:
    vehicle = make(dealer, vin=GERMAN, plate="AB12CDE")
    make(dealer, make="Kia", model="Rio")
    client = dealer.client()
    assert f"{LIST}/{vehicle}" in client.get(f"/search?q={query}").text
    listed = client.get(f"{LIST}?q={query}&view=all").text
    assert vehicle in listed
    assert "Kia Rio" not in listed


def test_a_file_brings_vehicles_with_owners_and_mileage_and_is_taken_back(dealer: Shop) -> None:
    customer(dealer)
    importer = Importer(dealer)
    rows = [
        "VIN,Plate,Make,Model,Year,Mileage (km),Vehicle owner",
        f"{GERMAN.lower()},ab 12 cde,Volkswagen,Golf,2006,120000,Anna Berg",
        "1M8GDM9A1KP042788,XY 1,MCI,Bus,1989,,Anna Berg",
    ]
    with dealer.app.app_context():
        job = importer.take("automotive.vehicles", "\n".join(rows))
        assert importer.run(job).state == "done"
        assert "check digit" in " ".join(str(one.errors) for one in importer.refused(job))
        (vehicle,) = kept(dealer, Vehicle)
        assert (vehicle.vin, vehicle.plate, vehicle.odometer) == (GERMAN, "AB12CDE", 120000)
        assert len(kept(dealer, VehicleParty)) == len(kept(dealer, OwnedItem)) == 1
        # Once more, the same file finds its vehicle by the VIN.
        again = importer.take("automotive.vehicles", "\n".join(rows[:2]))
        assert importer.run(again).state == "done"
        assert len(kept(dealer, Vehicle)) == len(kept(dealer, OdometerReading)) == 1
        lines = f"Vehicle,Read on,The clock shows,Unit\n{GERMAN},2026-05-01,110000,km\n"
        lines += "AB12CDE,2026-06-01,60000,miles\n"
        clocks = importer.take("automotive.odometer_readings", lines)
        assert importer.run(clocks).state == "done"
        assert "lower than" in " ".join(str(one.errors) for one in importer.refused(clocks))
        importer.undo(clocks)
        importer.undo(job)
    for model in (Vehicle, VehicleParty, OdometerReading, OwnedItem):
        assert not kept(dealer, model), model


def test_one_of_an_earlier_release_gets_what_new_ones_have(dealer: Shop) -> None:
    anna = customer(dealer)
    row = {"id": new_id(), "tenant_id": dealer.tenant.id, "version": 1, "customer_id": anna, "vin": GERMAN}
    with dealer.work() as session:
        session.execute(
            insert(Vehicle).values(**row, **GOLF, name="Volkswagen Golf", name_norm="volkswagen golf")
        )
    for _again in range(2):
        run_job_now(dealer, "automotive.vehicle_owners")
    (item,), (vehicle,) = kept(dealer, OwnedItem), kept(dealer, Vehicle)
    assert (vehicle.owned_item_id, item.serial, vehicle.model_id is None) == (item.id, GERMAN, False)
    assert f"{LIST}/{vehicle.id}" in dealer.client().get("/search?q=612305").text


def test_a_merge_of_customers_takes_their_vehicles_along_and_gives_them_back(dealer: Shop) -> None:
    anna, twin = customer(dealer), customer(dealer, "Anna  Berg")
    make(dealer, plate="A1", customer_id=anna)
    bought = make(dealer, plate="A2", customer_id=twin, odometer=10)
    change(dealer, make(dealer, plate="A3", customer_id=twin), customer_id=customer(dealer, "Boris Sidorow"))

    def rows_of(whose: str) -> list[int]:
        return [len(kept(dealer, one, customer_id=whose)) for one in (Vehicle, VehicleParty, OwnedItem)]

    assert (rows_of(anna), rows_of(twin)) == ([1, 1, 1], [1, 2, 1])
    with dealer.work() as session:
        merge = MergeService(session, "customers").merge(parse_id(anna), parse_id(twin)).id
    assert (rows_of(anna), rows_of(twin)) == ([2, 3, 2], [0, 0, 0])
    assert f"{LIST}/{bought}" in dealer.client().get(f"/x/automotive/panel?customer_id={anna}").text
    with dealer.work() as session:
        MergeService(session, "customers").undo(merge)
    assert (rows_of(anna), rows_of(twin)) == ([1, 1, 1], [1, 2, 1])


def test_who_is_erased_takes_what_is_his_and_leaves_what_is_now_another_ones(dealer: Shop) -> None:
    anna, boris = customer(dealer), customer(dealer, "Boris Sidorow")
    sold = make(dealer, plate="A1", customer_id=anna, odometer=10)
    change(dealer, sold, customer_id=boris)
    make(dealer, plate="A2", customer_id=anna, odometer=20)
    client = dealer.client()

    def erase(whose: str, name: str) -> None:
        version = re.search(r'name="version" value="(\d+)"', client.get(f"/privacy/customers/{whose}").text)
        assert version is not None
        sent = client.post(f"/privacy/customers/{whose}/erase", data={"name": name, "version": version[1]})
        assert sent.status_code == 303

    erase(anna, "Anna Berg")
    assert sorted(one.plate or "" for one in kept(dealer, Vehicle)) == ["", "A1"]
    assert [str(one.customer_id) for one in kept(dealer, VehicleParty)] == [boris]
    assert client.get(f"{LIST}/{sold}").status_code == 200
    erase(boris, "Boris Sidorow")
    assert [(one.plate, one.customer_id) for one in kept(dealer, Vehicle)] == [(None, None)] * 2
    assert len(kept(dealer, OdometerReading)) == 2
    for model in (VehicleParty, OwnedItem):
        assert not kept(dealer, model), model


def test_two_at_once(dealer: Shop) -> None:
    """Real connections at the same moment: one car, one owner."""
    anna, boris = customer(dealer), customer(dealer, "Boris Sidorow")
    clients, gate, answers = [dealer.client(), dealer.client(dealer.member("manager"))], Barrier(2), []

    def send(client: Any, path: str, data: dict[str, str]) -> None:
        gate.wait()
        answers.append(client.post(path, data=data).status_code)

    def both(calls: list[tuple[str, dict[str, str]]]) -> list[int]:
        answers.clear()
        threads = [Thread(target=send, args=(one, *call)) for one, call in zip(clients, calls, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(answers)

    assert both([(f"{LIST}/new", {**GOLF, "vin": GERMAN})] * 2) == [303, 422]
    (vehicle,) = kept(dealer, Vehicle)
    people = f"{LIST}/{vehicle.id}/people"
    both([(people, {"role": "owner", "customer_id": one}) for one in (anna, boris)])
    today = clock.today(dealer.tenant.tz)
    (owner,) = [one for one in kept(dealer, VehicleParty) if one.to_on is None or one.to_on > today]
    assert owner.customer_id == kept(dealer, Vehicle)[0].customer_id


def test_the_list_asks_little(dealer: Shop) -> None:
    anna, client = customer(dealer), dealer.client()

    def asked() -> int:
        client.get(f"{LIST}?view=all")
        with count_queries() as counter:
            assert client.get(f"{LIST}?view=all").status_code == 200
        return len(counter)

    make(dealer, plate="A0", customer_id=anna)
    few = asked()
    for number in range(1, 6):
        make(dealer, plate=f"A{number}", customer_id=customer(dealer, f"Customer {number}"))
    assert asked() == few <= 12
