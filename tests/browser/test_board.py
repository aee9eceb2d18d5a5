"""The board in a real browser: dragged, moved by keys and menu, asked why, taken back; the deal's page and home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kehu.activities.services import ActivityService
from kehu.core import clock
from kehu.customers.services import CustomerService
from kehu.deals.services import DealService
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop is."""
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


@pytest.fixture
def deal_ids(shop: Shop) -> list[str]:
    """Three deals in the first column, of a customer with a Chinese name."""
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "上海明德贸易"}).id
        rows = [{"name": f"Deal {n}", "customer_id": customer, "amount": 1000 * n} for n in (1, 2, 3)]
        made = [outcome.record for outcome in DealService(session).create_many(rows)]
        return [str(record.id) for record in made if record is not None]


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    """Give the browser the cookie of the shop's owner."""
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def column(page: Page, name: str) -> Any:
    """Return a column by its stage."""
    return page.locator("[data-stage]").filter(has=page.get_by_role("heading", name=name, exact=True))


def titles(page: Page, name: str) -> list[str]:
    """Return what stands in a column, from top to bottom."""
    found: list[str] = column(page, name).locator("[data-row-link]").all_inner_texts()
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_pages_are_accessible(
    open_window: Open, shop: Shop, address: str, deal_ids: list[str], size: str, dark: bool
) -> None:
    window = signed_in(open_window(size, dark=dark), shop, address)
    for path in ("/", "/deals/board", "/deals", f"/deals/{deal_ids[0]}", "/settings/pipelines"):
        window.go(address + path)
        window.check(f"{path} {size}")
        wide = window.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{path} scrolls sideways by {wide}"


def test_a_card_is_dragged_and_taken_back(
    open_window: Open, shop: Shop, address: str, deal_ids: list[str]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/deals/board")
    drag(page, page.locator(f"#deal-{deal_ids[1]}"), column(page, "Proposal sent"))
    page.get_by_text("Moved “Deal 2” to Proposal sent.").wait_for()
    assert titles(page, "Proposal sent") == ["Deal 2"]
    expect(column(page, "Proposal sent").locator("[data-stage-total]")).to_have_text("£2,000")
    page.locator("[data-undo]").first.click()
    expect(column(page, "New").locator("[data-row-link]")).to_have_text(["Deal 1", "Deal 2", "Deal 3"])
    window.check("board")


def test_a_card_goes_by_keys_alone(open_window: Open, shop: Shop, address: str, deal_ids: list[str]) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/deals/board")
    page.locator(f"#deal-{deal_ids[0]} [data-row-link]").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("Moved “Deal 2” to Qualified.").wait_for()
    assert titles(page, "Qualified") == ["Deal 2"]
    page.keyboard.press("s")
    page.get_by_role("menuitem", name="Negotiation").wait_for()
    window.check("stage menu")
    page.get_by_role("menuitem", name="Negotiation").click()
    page.get_by_text("Moved “Deal 2” to Negotiation.").wait_for()
    assert titles(page, "Negotiation") == ["Deal 2"]


def test_lost_asks_why(open_window: Open, shop: Shop, address: str, deal_ids: list[str]) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/deals/board")
    page.locator(f"#deal-{deal_ids[0]} [data-stage-menu]").click()
    page.get_by_role("menuitem", name="Lost").click()
    page.get_by_role("heading", name="Why was “Deal 1” lost?").wait_for()
    window.check("why lost")
    page.get_by_role("button", name="Cancel").click()
    expect(column(page, "New").locator("[data-row-link]")).to_have_text(["Deal 1", "Deal 2", "Deal 3"])
    page.locator(f"#deal-{deal_ids[0]} [data-stage-menu]").click()
    page.get_by_role("menuitem", name="Lost").click()
    page.get_by_label("Reason").select_option("Price too high")
    page.get_by_role("button", name="Mark as lost").click()
    page.get_by_text("“Deal 1” is marked as lost.").wait_for()
    expect(column(page, "Lost").locator("[data-row-link]")).to_have_text(["Deal 1"])
    with shop.work() as session:
        assert DealService(session).get(deal_ids[0]).lost_reason == "Price too high"


def drag(page: Page, card: Any, target: Any) -> None:
    """Carry a card to a column with the mouse."""
    start, end = card.bounding_box(), target.bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 60, start["y"] + 40)
    page.mouse.down()
    page.mouse.move(start["x"] + 90, start["y"] + 50, steps=3)
    page.mouse.move(end["x"] + 60, end["y"] + 90, steps=10)
    page.mouse.up()


def test_a_drag_to_lost_asks_why_and_can_be_called_off(
    open_window: Open, shop: Shop, address: str, deal_ids: list[str]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    page.set_viewport_size({"width": 2200, "height": 900})  # All columns at once.
    window.go(f"{address}/deals/board")
    card = page.locator(f"#deal-{deal_ids[1]}")
    drag(page, card, column(page, "Lost"))
    page.get_by_role("heading", name="Why was “Deal 2” lost?").wait_for()
    window.check("why lost, dragged")
    page.get_by_role("button", name="Cancel").click()
    expect(column(page, "New").locator("[data-row-link]")).to_have_text(["Deal 1", "Deal 2", "Deal 3"])
    drag(page, card, column(page, "Lost"))
    page.get_by_label("Reason").select_option("Price too high")
    page.get_by_role("button", name="Mark as lost").click()
    page.get_by_text("“Deal 2” is marked as lost.").wait_for()
    expect(column(page, "Lost").locator("[data-row-link]")).to_have_text(["Deal 2"])
    page.locator("[data-undo]").first.click()
    expect(column(page, "New").locator("[data-row-link]")).to_have_text(["Deal 1", "Deal 2", "Deal 3"])
    window.check("lost, dragged and taken back")


def test_somebody_else_was_first(open_window: Open, shop: Shop, address: str, deal_ids: list[str]) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/deals/board")
    with shop.work() as session:
        service = DealService(session)
        negotiation = next(stage for stage in service.stages().values() if stage.name == "Negotiation")
        service.move(deal_ids[0], negotiation.id)
    page.locator(f"#deal-{deal_ids[0]} [data-row-link]").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_text("moved “Deal 1” to Negotiation").wait_for()
    assert titles(page, "Negotiation") == ["Deal 1"]
    assert titles(page, "Qualified") == []


def test_the_day_is_worked_off_by_keys(open_window: Open, shop: Shop, address: str) -> None:
    with shop.work() as session:
        for subject in ("Call Anna", "Send the offer"):
            ActivityService(session).create({"kind": "call", "subject": subject, "due_at": clock.now()})
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(address)
    page.keyboard.press("j")
    page.keyboard.press("h")
    page.get_by_role("menuitem", name="In a week").wait_for()
    window.check("put off")
    page.get_by_role("menuitem", name="In a week").click()
    page.get_by_text("Put off: Call Anna").wait_for()
    expect(page.locator("#today [data-row]")).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("d")
    page.get_by_role("heading", name="And next?").wait_for()
    page.keyboard.press("Escape")
    page.get_by_text("Nothing is due today.").wait_for()


def test_a_deal_is_won_by_its_key(open_window: Open, shop: Shop, address: str, deal_ids: list[str]) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/deals/{deal_ids[0]}")
    page.keyboard.press("s")
    page.get_by_role("menuitem", name="Qualified").click()
    page.get_by_text("Moved “Deal 1” to Qualified.").wait_for()
    page.keyboard.press("w")
    page.get_by_text("“Deal 1” is won.").wait_for()
    expect(page.locator("[data-won]")).to_have_text("Won")
    window.check("won deal")
