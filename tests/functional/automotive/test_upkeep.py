"""Services of a car: reckoned from its readings, done, offered by the firm's rules, gone with the car."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kehu.addons.calls import Event, call
from kehu.core import clock
from kehu.core.errors import InvalidInput
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable, run_job_now
from plugins_builtin.automotive.upkeep import reckoning, source
from plugins_builtin.automotive.upkeep.services import ItemService

NAME, READINGS = "automotive.service_items", "automotive.odometer_readings"


@pytest.fixture
def today(shop: Shop) -> dt.date:
    """The day in the firm's zone."""
    return clock.today(shop.tenant.tz)


def test_work_that_lies_ahead_is_refused(shop: Shop, car: str) -> None:
    with shop.work() as session:
        item = service_for(NAME, session).create({"name": "Oil", "vehicle_id": car, "months": 12})
        session.flush()
        with pytest.raises(InvalidInput) as refused:
            service_for(NAME, session).update(item.id, {"done_on": "9999-12-31"})
        session.rollback()
    assert list(refused.value.fields) == ["done_on"]


@pytest.fixture
def car(shop: Shop, today: dt.date) -> str:
    """A car that goes 40 km a day, in a firm with the module."""
    enable(shop, "automotive")
    with shop.work() as session:
        anna = service_for("customers", session).create({"name": "Anna Berg", "kind": "person"})
        made = service_for("automotive.vehicles", session).create(
            {
                "make": "VW",
                "model": "Golf",
                "customer_id": str(anna.id),
                "odometer": 40_000,
                "odometer_on": (today - dt.timedelta(days=300)).isoformat(),
                "in_service_on": (today - dt.timedelta(days=1000)).isoformat(),
            }
        )
        return str(made.id)


def add(shop: Shop, car: str, **values: Any) -> Any:
    with shop.work() as session:
        return service_for(NAME, session).create({"vehicle_id": car, "name": "Oil", **values})


def test_a_reading_moves_the_day(shop: Shop, car: str, today: dt.date) -> None:
    done_on = today - dt.timedelta(days=300)
    item = add(shop, car, months=24, km=15_000, done_on=done_on.isoformat(), done_km=40_000)
    assert (item.due_by, item.due_on > today) == ("distance", True)
    with shop.work() as session:
        reading = service_for(READINGS, session).create(
            {"vehicle_id": car, "shown": 55_500, "unit": "km", "read_on": today.isoformat()}
        )
        event = Event(name="automotive.odometer_reading.created", payload={"record_id": str(reading.id)})
    with shop.work() as session:
        reckoning.after_change(call("automotive"), event)
    with shop.work() as session:
        fresh = service_for(NAME, session).get(item.id)
        assert (fresh.due_on, fresh.due_by, fresh.version) == (today, "distance", item.version)
        assert "15,000" not in fresh.basis
        assert "55,000 km have been run" in fresh.basis
    run_job_now(shop, "automotive.services_due")
    with shop.work() as session:
        assert service_for(NAME, session).get(item.id).due_on == today


def test_done_begins_it_anew_and_ends_the_offer(shop: Shop, car: str, today: dt.date) -> None:
    item = add(shop, car, months=12, done_on=(today - dt.timedelta(days=355)).isoformat())
    with shop.work():
        (thing,) = source.due(call("automotive"), today, today + dt.timedelta(days=30))
        assert thing.name.startswith("Oil – VW Golf")
        assert "12 months after" in thing.basis
    client = shop.client()
    with count_queries() as found:
        card = client.get(f"/x/automotive/services/card?vehicle_id={car}").get_data(as_text=True)
    assert len(found) <= 12
    assert "Oil" in card
    assert client.post(f"/x/automotive/services/{item.id}/done").status_code == 303
    with shop.work() as session:
        assert service_for(NAME, session).get(item.id).done_on == today
        assert source.due(call("automotive"), today, today + dt.timedelta(days=30)) == []
        assert source.fates(call("automotive"), [thing.key]) == {thing.key: "bought"}
        service_for("automotive.vehicles", session).update(car, {"status": "sold"})
        session.flush()
        assert source.fates(call("automotive"), [thing.key]) == {thing.key: "sold"}


def test_the_pace_that_the_firm_says_counts(
    shop: Shop, car: str, today: dt.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"km": 50_000, "done_on": (today - dt.timedelta(days=300)).isoformat(), "done_km": 40_000}
    usual = add(shop, car, **values).due_on
    monkeypatch.setattr(reckoning, "plugin_settings", lambda *_given: {"warranty_km_per_day": 200})
    assert add(shop, car, **values).due_on < usual


def test_the_usual_services_of_the_firm(shop: Shop, car: str) -> None:
    client = shop.client()
    assert client.post("/x/automotive/services/usual", data={"vehicle_id": car}).status_code == 303
    card = client.get(f"/x/automotive/services/card?vehicle_id={car}").get_data(as_text=True)
    assert "Brake fluid" in card
    again = client.post("/x/automotive/services/usual", data={"vehicle_id": car})
    assert again.status_code == 409, "a second tap adds nothing"
    with shop.work() as session:
        model: Any = service_for(NAME, session).type.model
        items = session.query(model).all()
        # What nobody knows is not called overdue.
        assert all(one.due_on > clock.today(shop.tenant.tz) for one in items)
    with shop.work() as session:
        service_for("automotive.vehicles", session).trash(car)
        model: Any = service_for(NAME, session).type.model
        assert not session.query(model).filter(model.deleted_at.is_(None)).all()


def test_the_mileage_of_the_work_is_a_reading(shop: Shop, car: str, today: dt.date) -> None:
    item = add(shop, car, km=15_000, done_on=(today - dt.timedelta(days=300)).isoformat(), done_km=40_000)
    answer = shop.client().post(f"/x/automotive/services/{item.id}/done", data={"done_km": "52100"})
    assert answer.status_code == 303
    with shop.work() as session:
        vehicle = service_for("automotive.vehicles", session).get(car)
        assert (vehicle.odometer, vehicle.odometer_on) == (52_100, today)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "months"),
        ({"months": 12, "done_on": "2999-01-01"}, "done_on"),
        ({"km": 15_000, "done_on": "2020-01-01"}, "done_km"),
    ],
)
def test_what_is_missing_is_named(shop: Shop, car: str, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(shop, car, **values)
    assert field in refused.value.fields
    with shop.work() as session:
        assert not session.query(ItemService(session).type.model).all()
