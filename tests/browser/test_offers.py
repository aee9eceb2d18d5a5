"""A warranty ends: the list says why, one tap makes a deal, one key takes it back; the rule shows what it brings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core import clock, context
from kehu.core.records.service import service_for
from kehu.offers.tasks import sweep_now
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop is, with warranties that end and a rule for them."""
    today = clock.today(shop.tenant.tz)
    with shop.work() as session:
        for at, name in enumerate(("Northwind Joinery", "上海明德贸易", "Самара Логистик")):
            customer = service_for("customers", session).create({"name": name}).id
            item = service_for("owned_items", session).create(
                {"name": "Heat pump", "customer_id": str(customer)}
            )
            ends = today + dt.timedelta(days=25 + 20 * at)
            values = {"item_id": str(item.id), "kind": "warranty", "ends_on": ends.isoformat()}
            start = today - dt.timedelta(days=700)
            service_for("owned_item_terms", session).create({**values, "starts_on": start.isoformat()})
        values = {"name": "Warranty ends", "source": "term.warranty", "holdout": "0"}
        rule = service_for("offer_rules", session).create(values).id
    with shop.app.app_context(), context.use(tenant=shop.tenant, actor=context.SYSTEM, source="job"):
        sweep_now(rule)
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    """Give the browser the owner's cookie."""
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def test_a_row_becomes_a_deal(open_window: Open, shop: Shop, address: str) -> None:
    window = signed_in(open_window(), shop, address)
    page = window.page
    window.go(f"{address}/offers")
    window.check("offers")
    row = page.locator("[data-row]", has_text="Northwind Joinery")
    assert "Warranty ends in 25 days." in row.inner_text()
    row.get_by_role("button", name="Make a deal").click()
    page.wait_for_url("**/deals/*")
    assert "Heat pump" in page.locator("h1, h2").first.inner_text()
    page.get_by_role("button", name="Undo").click()
    window.rest()
    window.go(f"{address}/offers?view=all")
    row = page.locator("[data-row]", has_text="上海明德贸易")
    row.get_by_role("button", name="Declined").click()
    page.wait_for_selector("[data-row]:has-text('上海明德贸易') :text('Declined')")
    assert (
        page.locator("[data-row]", has_text="Northwind")
        .get_by_role("button", name="Make a deal")
        .is_visible()
    )
    page.locator("[data-row-link]").first.click()
    window.rest()
    window.check("an offer")
    window.go(f"{address}/offer_rules")
    page.locator("[data-row-link]").first.click()
    page.wait_for_selector("text=What came of it")
    window.rest()
    window.check("a rule")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/offers?view=all", page.url.removeprefix(address)):
        window.go(address + path)
        window.check(f"{path} on a phone")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
