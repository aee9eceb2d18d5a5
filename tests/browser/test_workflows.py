"""A workflow is made, rehearsed and switched on, on a desk; its page is read on a phone."""

from __future__ import annotations

import os
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


def picture(window: Window, name: str) -> None:
    """Keep a picture where somebody asks for one."""
    if folder := os.environ.get("KEHU_TEST_PICTURES"):
        window.page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_made_rehearsed_and_switched_on(shop: Shop, open_window: Callable[..., Window]) -> None:
    with shop.work() as session:
        for name in ("A kiln", "A wheel"):
            service_for("deals", session).create({"name": name, "amount": "900"})
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        desk = signed_in(open_window("desk"), shop, address)
        desk.go(f"{address}/settings/workflows")
        assert desk.axe() == []
        desk.page.get_by_role("button", name="New workflow").click()
        desk.page.get_by_label("Name").fill("Follow up")
        desk.page.get_by_label("Starts when").select_option("date")
        desk.page.get_by_label("Before or after").wait_for()
        picture(desk, "form")
        desk.page.get_by_label("Starts when").select_option("created")
        desk.page.get_by_label("Before or after").wait_for(state="detached")
        desk.page.get_by_label("Only where").fill("/deals?amount.gte=500")
        assert desk.axe() == []
        desk.page.get_by_role("button", name="Save").click()
        desk.page.get_by_role("heading", name="Follow up").first.wait_for()
        desk.page.get_by_role("button", name="Set a field").click()
        desk.page.locator("select[name=field]").select_option("owner_id")
        desk.page.locator("select[name=value]").wait_for()
        desk.page.locator("select[name=field]").select_option("source")
        desk.page.locator("input[name=value]").fill("Fair")
        assert desk.axe() == []
        picture(desk, "step")
        desk.page.get_by_role("button", name="Save").click()
        desk.page.get_by_text("to Fair").wait_for()
        desk.page.get_by_role("button", name="Rehearse").click()
        desk.page.get_by_text("in the last 90 days: 2").wait_for()
        assert desk.axe() == []
        picture(desk, "rehearsal")
        desk.page.locator("dialog").get_by_role("button", name="Switch on").click()
        desk.page.get_by_role("button", name="Switch off").wait_for()
        picture(desk, "show")
        assert desk.axe() == []
        phone = signed_in(open_window("phone"), shop, address)
        phone.go(desk.page.url)
        assert phone.axe() == []
        picture(phone, "phone")
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert desk.problems == phone.problems == []
