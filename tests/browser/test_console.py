"""An operator at the console and inside a firm, in a real browser on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billing import modes
from billing.accounts import AccountService
from kehu.core import context
from kehu.testkit.fixtures import Shop, operator_client
from kehu.testkit.window import Window, serve
from plugins.results import BillingMode
from tenants.support.services import SupportService

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the installation is, with a firm that lets support in."""
    with modes.use(BillingMode.DEMO), serve(shop.app) as port:
        with shop.work(context.SYSTEM) as session:
            AccountService(session).lock()
        with shop.work() as session:
            SupportService(session).grant("4", writes=False)
        yield f"http://localhost:{port}"


def wide(window: Window) -> int:
    return int(window.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def test_a_firm_is_found_held_with_a_reason_and_entered(open_window: Open, shop: Shop, address: str) -> None:
    window = open_window("phone")
    page = window.page
    client: Any = operator_client(shop.app)
    cookie = client.get_cookie("kehu_session")
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    window.go(f"{address}/operator/tenants")
    page.fill("[name=q]", str(shop.tenant.id))
    page.click("main button[type=submit]")
    page.wait_for_selector(f"text={shop.tenant.address}")
    assert wide(window) <= 0
    page.click("main table a")
    page.click("summary:text-is('Put on hold')")
    page.fill("#a-hold-reason", "dispute 12")
    window.check("firm")
    assert wide(window) <= 0
    page.click("details[open] button[type=submit]")
    page.wait_for_selector("[data-toast]:has-text('on hold')")
    page.wait_for_selector("#standing :text('dispute 12')")
    page.goto(f"{address}/operator/health")
    page.wait_for_selector("h1:text-is('Health')")
    assert wide(window) <= 0
    page.go_back()
    page.click("summary:text-is('Take the hold back')")
    page.fill("#a-release-reason", "settled")
    page.click("details[open] button[type=submit]")
    page.wait_for_selector("[data-toast]:has-text('taken back')")
    page.fill("#f-support-reason", "ticket 4711")
    page.click("#support button[type=submit]")
    page.wait_for_selector(".k-banner:has-text('to look only')")
    window.check("inside")
    assert wide(window) <= 0
    page.click(".k-banner a")
    page.wait_for_selector("#support :text('ticket 4711')")
    assert page.url.endswith(f"/operator/tenants/{shop.tenant.id}")
