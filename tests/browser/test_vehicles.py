"""A car is entered with a mistyped VIN, repaired, gets an owner and a reading, and is found by the end of its VIN."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser

MEANT, TYPED = "1M8GDM9AXKP042788", "1m8gdm9axkpO42788"


def test_a_car_from_a_mistyped_number_to_its_owner(shop: Shop, open_window: Callable[..., Window]) -> None:
    enable(shop, "automotive")
    with shop.work() as session:
        service_for("customers", session).create({"name": "Anna Berg"})
    cookie: Any = shop.client(shop.member("admin")).get_cookie(
        "kehu_session", domain=f"{shop.tenant.address}.localhost"
    )
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        desk = open_window("desk")
        desk.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page = desk.page
        desk.go(f"{address}/x/automotive/vehicles")
        page.get_by_role("button", name="New", exact=True).click()
        form = page.get_by_role("dialog")
        form.get_by_label("VIN", exact=False).first.fill(TYPED)
        form.get_by_label("Make").fill("MCI")
        form.get_by_label("Model", exact=True).fill("MC-9")
        form.get_by_role("button", name="Create vehicle").click()
        form.get_by_text("A VIN has no O").first.wait_for()
        assert desk.axe() == []
        form.get_by_role("button", name=f"Is it {MEANT}?").click()
        form.get_by_role("button", name="Take over the year 1989").click()
        assert form.get_by_label("Model year").input_value() == "1989"
        form.get_by_role("button", name="Create vehicle").click()
        page.get_by_role("heading", name="MCI MC-9").first.wait_for()
        page.get_by_role("button", name="Add an owner, driver or payer").click()
        form.get_by_role("combobox", name="Customer").fill("Anna")
        form.get_by_role("option", name="Anna Berg").click()
        form.get_by_role("button", name="Keep").click()
        page.locator("#vehicle-people").get_by_role("link", name="Anna Berg").wait_for()
        page.get_by_role("button", name="Add a reading").click()
        form.get_by_label("The clock shows").fill("48200")
        form.get_by_role("button", name="Keep").click()
        page.locator("#vehicle-readings").get_by_text("48,200").first.wait_for()
        assert desk.axe() == []
        desk.go(f"{address}/search?q=042788")
        page.get_by_role("link", name="MCI MC-9").first.wait_for()
        page.set_viewport_size({"width": 390, "height": 844})
        desk.go(f"{address}/x/automotive/vehicles?view=all")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("link", name="MCI MC-9").first.click()
        page.locator("#vehicle-people").wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert desk.axe() == []
        assert desk.problems == []
