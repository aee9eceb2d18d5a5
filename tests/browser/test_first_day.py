"""What an owner meets on the first day: the phone's menu, lines of his own, Undo when the toast is gone."""

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
def home(shop: Shop) -> Iterator[str]:
    """Where a shop with a customer is."""
    with shop.work() as session:
        service_for("customers", session).create({"name": "Northwind Joinery"})
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def _enter(window: Window, shop: Shop, home: str) -> Any:
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": home}])
    return window.page


def test_lines_pages_and_undo(open_window: Open, shop: Shop, home: str) -> None:
    window = open_window()
    page = _enter(window, shop, home)
    window.go(f"{home}/reports")
    # A line is hidden and comes back by one click.
    page.click("[data-menu=menu-member]")
    page.click("#menu-member >> text=Lines of the side bar")
    page.uncheck("#dialog input[value=surveys]")
    page.click("#dialog [type=submit]")
    page.wait_for_selector("details.k-nav-more [data-nav-key=surveys]", state="attached")
    page.click("[data-toast] [data-undo]")
    page.wait_for_selector("details.k-nav-more", state="detached")
    # The palette knows the pages of the settings.
    page.keyboard.press("Control+k")
    page.keyboard.type("members")
    page.wait_for_selector("#palette-results a[href='/settings/members']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/members")
    window.go(f"{home}/reports")
    # What was done stands on a page of its own, with Undo.
    page.keyboard.press("Control+z")
    page.wait_for_selector("[data-toast] a[href='/acts']")
    window.go(f"{home}/acts")
    page.click("tr:has-text('Northwind Joinery') [data-undo]")
    page.wait_for_selector("tr:has-text('Moved to the trash')")


def test_the_phone_has_a_menu(open_window: Open, shop: Shop, home: str) -> None:
    window = open_window("phone")
    page = _enter(window, shop, home)
    window.go(f"{home}/reports")
    page.click(".k-phonebar a[href='/menu']")
    page.wait_for_selector("#dialog form[action='/logout']")
    page.click("#dialog a[href^='/tickets']")
    page.wait_for_selector("#main[data-nav=tickets]")
    assert not page.query_selector("#dialog[open]")
