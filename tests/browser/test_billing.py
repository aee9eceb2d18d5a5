"""A firm tries, chooses, pays, grows, falls behind, comes back, leaves and starts again, in the demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billing import modes
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve
from plugins.results import BillingMode

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """The firm's own address, in the mode demo."""
    with modes.use(BillingMode.DEMO), serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def signed_in(window: Window, shop: Shop, address: str) -> None:
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def press(page: Any, name: str) -> None:
    """Press a button that answers with a page."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def choose(page: Any, plan: str, seats: int) -> None:
    """Choose a plan on its card and order it once its price is shown."""
    page.fill(f"#seats-{plan.lower()}", str(seats))
    press(page, f"Choose {plan}")
    page.wait_for_selector(":text('Next bill on')")
    press(page, "Order now")


def sees(page: Any, text: str) -> None:
    page.wait_for_selector(f"main :text('{text}')")


def test_case_58_and_59_from_trial_to_end_and_back(open_window: Open, shop: Shop, address: str) -> None:
    window = open_window()
    page = window.page
    signed_in(window, shop, address)
    home = f"{address}/settings/billing"
    window.go(home)
    sees(page, "Demo: no money moves")
    window.check("plan and seats")
    press(page, "To the end of the trial")
    sees(page, "The trial is over")
    choose(page, "Team", 1)
    sees(page, "First payment open")
    press(page, "Pay")
    sees(page, "1 of 1 taken")

    page.goto(f"{address}/settings/members")
    page.get_by_role("button", name="Invite", exact=True).click()
    page.fill("#f-name", "Ada Byron")
    page.fill("#f-email", "ada@example.com")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#dialog :text('One more costs')")
    page.click("#dialog :text('Add a seat')")
    page.wait_for_selector(":text('1 more seat for the rest of the period')")
    press(page, "Order now")
    # What was typed before the seats ran out is still there.
    assert page.input_value("#f-email") == "ada@example.com"
    page.get_by_role("button", name="Send the invitation").click()
    page.wait_for_selector("[data-toast] :text('An invitation is on its way')")

    window.go(home)
    sees(page, "2 of 2 taken")
    press(page, "Let the payment fail")
    press(page, "To the end of the period")
    sees(page, "All goes on until")
    press(page, "Pay")
    press(page, "Cancel the subscription")
    sees(page, "The subscription is cancelled and ends on")
    page.locator("main").get_by_role("button", name="Let it go on").click()
    sees(page, "Next bill on")
    press(page, "Cancel the subscription")
    press(page, "To the end of the period")
    sees(page, "The subscription has ended")
    choose(page, "Business", 3)
    press(page, "Pay")
    sees(page, "2 of 3 taken")
    window.check("after the journey")


@pytest.mark.parametrize("locale", ["ru", "zh-CN"])
def test_the_pages_fit_a_phone(open_window: Open, shop: Shop, address: str, locale: str) -> None:
    window = open_window("phone", locale=locale)
    signed_in(window, shop, address)
    for path in ("", "/plan?plan=team&interval=month&seats=3"):
        window.go(f"{address}/settings/billing{path}")
        window.check(f"{path} in {locale}")
        assert window.page.evaluate("document.documentElement.scrollWidth") <= 390
