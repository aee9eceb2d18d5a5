"""A session that ends while somebody writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where a customer of the shop is."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind Joinery"})
        path = f"/customers/{customer.id}"
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}{path}"


def test_text_survives_and_is_sent_after_signing_in_again(
    open_window: Open, shop: Shop, address: str
) -> None:
    window = open_window()
    page = window.page
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    window.go(address)
    signed_in = page.context.cookies()
    page.context.clear_cookies()
    page.fill("textarea[name=text]", "Typed before it ended")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-toast] a[href='/login']")
    assert page.input_value("textarea[name=text]") == "Typed before it ended"
    page.context.add_cookies(signed_in)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.wait_for_selector("[data-toast][data-stay]", state="detached")
    page.focus("textarea[name=text]")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#line :text('Typed before it ended')")
    assert page.input_value("textarea[name=text]") == ""
