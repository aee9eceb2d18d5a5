"""A double is found on the list, compared, merged and parted again; on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    """Give the browser the owner's cookie."""
    cookie: Any = shop.client().get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def test_merge_and_undo(shop: Shop, open_window: Callable[..., Window]) -> None:
    with shop.work() as session:
        for name, trade in (("Anna Lindqvist", "Pottery"), ("Lindqvist, Anna", "Ceramics")):
            values = {
                "name": name,
                "kind": "person",
                "industry": trade,
                "phones": [{"number": "+442079464410"}],
            }
            last = service_for("customers", session).create(
                {**values, "emails": f"{trade.lower()}@x.example"}
            )
        service_for("deals", session).create({"name": "A kiln", "customer_id": str(last.id)})
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        desk = signed_in(open_window("desk"), shop, address)
        desk.go(f"{address}/customers")
        desk.page.get_by_role("link", name="Likely doubles").click()
        desk.page.get_by_text("Almost certain").wait_for()
        assert desk.axe() == []
        desk.page.get_by_role("link", name="Compare and merge").click()
        desk.page.get_by_text("Deals: 1").wait_for()
        assert desk.axe() == []
        desk.page.get_by_role("radio", name="Ceramics", exact=True).check()
        desk.page.get_by_role("button", name="Merge", exact=True).click()
        desk.page.get_by_role("link", name="A kiln").first.wait_for()
        desk.page.get_by_text("Ceramics", exact=True).first.wait_for()
        phone = signed_in(open_window("phone"), shop, address)
        phone.go(desk.page.url + "/doubles")
        phone.page.get_by_role("button", name="Part Lindqvist, Anna again").wait_for()
        assert phone.axe() == []
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        phone.page.get_by_role("button", name="Part Lindqvist, Anna again").click()
        phone.page.get_by_role("heading", name="Lindqvist, Anna").first.wait_for()
        phone.go(f"{address}/customers/doubles")
        phone.page.get_by_role("link", name="Compare and merge").click()
        phone.page.get_by_text("Where they differ").wait_for()
        assert phone.axe() == []
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert desk.problems == phone.problems == []
