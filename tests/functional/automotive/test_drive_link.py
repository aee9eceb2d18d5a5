"""Booking a test drive by who has no account: free times and nothing else, at an address that can be taken away."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import select

from kehu.activities.models import Activity
from kehu.core import clock
from kehu.core.audit import AuditEntry
from kehu.core.records.service import service_for
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import Shop
from plugins_builtin.automotive.drives import link
from plugins_builtin.automotive.drives.cars import DemoCarService
from plugins_builtin.automotive.drives.models import TestDrive
from plugins_builtin.automotive.drives.services import DriveService


@pytest.fixture
def car(dealer: Shop) -> str:
    with dealer.work() as session:
        DemoCarService(session).create({"name": "Secret prototype", "public": "0"})
        return str(DemoCarService(session).create({"name": "Golf, blue", "model": "VW Golf"}).id)


@pytest.fixture
def path(dealer: Shop, car: str) -> str:
    with dealer.work() as session:
        link.renew(session)
        return f"/x/automotive/drive/{link.secret(session)}"


def visitor(shop: Shop) -> Any:
    return browser(shop.app, f"{shop.tenant.address}.localhost")


def monday(shop: Shop) -> dt.date:
    today = clock.today(shop.tenant.tz)
    return today + dt.timedelta(days=7 - today.weekday())


def free(text: str) -> list[str]:
    return re.findall(r'name="at" value="([^"]+)"', text)


def drives(shop: Shop) -> list[Any]:
    with shop.work() as session:
        return list(session.execute(select(TestDrive)).scalars())


def test_a_visitor_books_a_free_time(dealer: Shop, car: str, path: str) -> None:
    with dealer.work() as session:
        known = (
            service_for("customers", session).create({"name": "Anna Lind", "phones": ["+442079464410"]}).id
        )
        start = dt.datetime.combine(monday(dealer), dt.time(10), dealer.tenant.tz)
        values = {"demo_car_id": car, "from_at": start, "minutes": "30", "driver": "Secret Person"}
        DriveService(session).book(values)
    client = visitor(dealer)
    text = client.get(f"{path}?car={car}&day={monday(dealer)}").text
    times = free(text)
    assert [one[11:16] for one in times[:3]] == ["09:00", "11:00", "11:30"]
    for hidden in ("Secret", "Anna", "prototype", "Mira"):
        assert hidden not in text
    form = {"car": car, "at": times[0], "name": "Anna L", "phone": "020 7946 4410"}
    answer = client.post(path, data=form)
    assert answer.status_code == 303
    assert "is booked" in client.get(answer.headers["Location"]).text
    found = next(one for one in drives(dealer) if one.source == "link")
    assert (found.driver, found.phone, found.customer_id, found.owner_id) == (
        "Anna L",
        "+442079464410",
        known,
        None,
    )
    with dealer.work() as session:
        call = session.execute(select(Activity)).scalar_one()
        assert call.customer_id == known
    again = client.post(path, data={**form, "name": "Bo Ek"})
    assert again.status_code == 422
    for part in ("has just been taken", 'value="Bo Ek"'):
        assert part in again.text
    assert times[0] not in free(again.text)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"name": " "}, "Write your name"),
        ({"phone": ""}, "so that we can reach you"),
        ({"phone": "12"}, "digits"),
        ({"email": "anna"}, "no e-mail address"),
        ({"at": "soon"}, "Choose a time"),
        ({"at": "2020-01-01T10:00:00+00:00"}, "has just been taken"),
        ({"at": "9999-12-31T23:59:00-23:00"}, "Choose a time"),
        ({"car": "x"}, "Choose one from the list"),
    ],
)
def test_bad_input_is_kept(dealer: Shop, car: str, path: str, change: dict[str, str], part: str) -> None:
    client = visitor(dealer)
    times = free(client.get(f"{path}?car={car}&day={monday(dealer)}").text)
    form = {"car": car, "at": times[0], "day": str(monday(dealer)), "name": "Anna", "phone": "020 7946 4410"}
    answer = client.post(path, data={**form, **change})
    assert answer.status_code == 422
    assert part in answer.text
    assert not drives(dealer)


def test_no_time_is_shown_on_which_the_car_may_not_be_driven(dealer: Shop, car: str, path: str) -> None:
    day = monday(dealer)
    with dealer.work() as session:
        DemoCarService(session).update(car, {"inspected_until": (day - dt.timedelta(days=1)).isoformat()})
    assert free(visitor(dealer).get(f"{path}?car={car}&day={day}").text) == []


def test_the_address_can_be_taken_away(dealer: Shop, other_shop: Shop, path: str) -> None:
    assert visitor(dealer).get(path).status_code == 200
    assert visitor(dealer).get(f"{path}x").status_code == 404
    assert visitor(other_shop).get(path).status_code == 404
    member = dealer.client(dealer.member("viewer"))
    assert path not in member.get("/x/automotive/drives").text
    assert member.post("/x/automotive/drives/link").status_code == 403
    owner = dealer.client()
    assert path in owner.get("/x/automotive/drives").text
    assert owner.post("/x/automotive/drives/link").status_code == 303
    assert visitor(dealer).get(path).status_code == 404
    assert owner.post("/x/automotive/drives/link/remove").status_code == 303
    with dealer.work() as session:
        assert link.secret(session) is None
        trail = select(AuditEntry.action, AuditEntry.member_id).where(
            AuditEntry.object == "automotive.drive_link"
        )
        entries = session.execute(trail.order_by(AuditEntry.id)).all()
    assert [one.action for one in entries] == ["created", "updated", "deleted"]
    assert {one.member_id for one in entries} == {dealer.owner.member_id}


def test_robots_book_nothing(dealer: Shop, car: str, path: str) -> None:
    times = free(visitor(dealer).get(f"{path}?car={car}&day={monday(dealer)}").text)
    form = {"car": car, "at": times[0], "name": "X", "phone": "020 7946 4410", "website": "https://x.example"}
    assert visitor(dealer).post(path, data=form).status_code == 303
    assert not drives(dealer)
