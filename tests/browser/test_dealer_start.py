"""A dealer begins: the plan, the switch, sample data, a car in payment, the data of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
PLUGIN = "/settings/plugins/automotive"


def test_from_the_switch_to_a_trade_in(open_window: Callable[..., Window], shop: Shop) -> None:
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        window = open_window("desk")
        client: Any = shop.client()
        cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
        window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page = window.page
        window.go(f"{address}{PLUGIN}")
        page.get_by_text("From the first lead to the delivery.").wait_for()
        page.get_by_role("button", name="Switch on Car dealer").click()
        page.get_by_role("button", name="Fill with sample cars and customers").click()
        page.get_by_text("sample records were made").first.wait_for()
        window.check("plugin")
        window.go(f"{address}/x/automotive/dashboard")
        page.get_by_role("link", name="Offer", exact=True).click()
        page.get_by_role("link", name="Toyota Yaris").first.click()
        page.get_by_role("button", name="Appraise a car").click()
        form = page.locator("#dialog")
        form.get_by_label("Mileage (km)").fill("48000")
        form.get_by_label("Price at retail").fill("16500")
        form.get_by_label("Plate").fill("AB12 CDE")
        form.get_by_role("button", name="Create").click()
        page.get_by_text("Worth to us").first.wait_for()
        page.get_by_role("button", name="Offer", exact=True).click()
        page.get_by_text("Write what you give for the car.").wait_for()
        window.check("appraisal")
        with shop.work() as session:
            customer = session.query(service_for("customers", session).type.model).first()
        window.go(f"{address}/privacy/customers/{customer.id}")
        page.get_by_label("Name").fill("Somebody else")
        page.get_by_role("button", name="Erase for good").click()
        page.get_by_text("to have all of this erased").wait_for()
        window.check("privacy")
