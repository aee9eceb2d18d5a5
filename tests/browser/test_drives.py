"""A test drive is booked from a deal; the same time is refused with what was typed kept; keys go out and come back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from kehu.testkit.window import Window, serve
from plugins_builtin.automotive.drives.cars import DemoCarService

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the dealer is."""
    enable(shop, "automotive")
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def test_a_drive_from_the_deal_to_the_keys_back(open_window: Open, shop: Shop, address: str) -> None:
    with shop.work() as session:
        for name in ("Golf, blue", "Polo, red"):
            DemoCarService(session).create({"name": name, "branch": "North"})
        anna = service_for("customers", session).create({"name": "Anna Lind"}).id
        deal = service_for("deals", session).create({"name": "Golf for Anna", "customer_id": str(anna)}).id
    today = clock.today(shop.tenant.tz)
    start = f"{today + dt.timedelta(days=14 - today.weekday())}T10:00"
    window = signed_in(open_window("desk"), shop, address)
    page, dialog = window.page, window.page.locator("#dialog")
    for driver in ("", "Bo Ek"):
        window.go(f"{address}/deals/{deal}")
        page.get_by_role("button", name="Test drive").click()
        dialog.get_by_label("Car").select_option(label="Golf, blue (North)")
        dialog.get_by_label("From").fill(start)
        dialog.get_by_label("Host").select_option(label="Nobody")
        if driver:
            dialog.get_by_label("Driver").fill(driver)
        dialog.get_by_role("button", name="Book").click()
        if driver:
            dialog.get_by_text("it is free from 11:00").first.wait_for()
            assert dialog.get_by_label("Driver").input_value() == driver
            window.check()
            dialog.get_by_role("button", name="Cancel").click()
        else:
            page.get_by_role("heading", name="Anna Lind, Golf, blue").first.wait_for()
    window.go(f"{address}/bookings/board?day={start[:10]}")
    page.get_by_role("link", name="Test drive: Anna Lind").click()
    page.get_by_role("button", name="Hand out").click()
    dialog.get_by_label("Mileage (km)").fill("1200")
    dialog.get_by_role("button", name="Hand out").click()
    dialog.get_by_text("Look at the driving licence first").first.wait_for()
    dialog.get_by_label("I have seen the driving licence").check()
    dialog.get_by_label("Licence valid until").fill("2040-01-01")
    dialog.get_by_label("Date of birth").fill("1980-05-01")
    dialog.get_by_label("The agreement is signed").check()
    dialog.get_by_role("button", name="Hand out").click()
    page.get_by_role("button", name="Take back").click()
    dialog.get_by_label("Mileage (km)").fill("1231")
    dialog.get_by_label("Comfort").select_option("5")
    dialog.get_by_role("button", name="Take back").click()
    page.get_by_text("Back: Anna Lind").wait_for()
    window.check()
    window.go(f"{address}/x/automotive/drives")
    window.check()
