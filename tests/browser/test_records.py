"""Lists and records are worked on by keyboard alone: filtered, edited in place, changed in bulk, taken back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core.context import Actor
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
KIB = 1024


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop is."""
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


@pytest.fixture
def ids(shop: Shop) -> list[uuid.UUID]:
    """Sixty customers, every third a partner."""
    rows = [
        {
            "name": f"Firm {n:03}",
            "emails": f"firm{n}@example.com",
            "type_class": "partner" if n % 3 == 0 else "prospect",
            "industry": "Joinery",
            "tags": "VIP, Wholesale",
        }
        for n in range(60)
    ]
    with shop.work() as session:
        found = [one.record for one in service_for("customers", session).create_many(rows)]
        return [one.id for one in found if one is not None]


def signed_in(window: Window, shop: Shop, address: str, actor: Actor | None = None) -> Window:
    """Give the browser the cookie of a member, the owner by default."""
    client: Any = shop.client(actor)
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def value(shop: Shop, record_id: uuid.UUID, key: str) -> Any:
    """Return a value as it is in the database."""
    with shop.work() as session:
        return getattr(service_for("customers", session).get(record_id), key)


@pytest.mark.parametrize("size", ["desk", "phone"])
def test_pages_menus_and_dialogs_are_accessible(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID], size: str
) -> None:
    window = signed_in(open_window(size, dark=size == "phone"), shop, address)
    page = window.page
    for path in (
        f"/customers/{ids[0]}",
        "/customers/new?full=1",
        "/trash",
        "/customers?q=nobody",
        "/customers",
    ):
        window.go(address + path)
        window.check(f"{path} {size}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    page.click("[data-chip=type_class]")
    page.wait_for_selector("#chip-type_class input[type=checkbox]")
    window.check("filter menu")
    page.keyboard.press("Escape")
    page.click("[data-menu=menu-add-filter]")
    page.click("[data-add-filter=updated_at]")
    page.wait_for_selector("#chip-updated_at input[type=date]")
    window.check("range menu")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    page.wait_for_selector("dialog[open] [name=name]")
    window.check("create dialog")


def test_list_is_filtered_while_one_types(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers")
    assert window.weight() <= 160 * KIB
    page.keyboard.press("/")
    page.keyboard.type("firm 01", delay=20)
    page.wait_for_selector(".k-pager >> text=10 records")
    assert page.url == f"{address}/customers?q=firm+01"
    window.rest()
    window.weight()
    page.click("[data-chip=type_class]")
    page.locator("#chip-type_class input[value=partner]").check()
    page.wait_for_selector("[data-chip=type_class][data-on] >> text=Partner")
    page.wait_for_selector(".k-pager >> text=3 records")
    assert "type_class=partner" in page.url
    assert window.weight() <= 15 * KIB
    page.keyboard.press("Escape")
    page.reload()
    window.rest()
    assert page.locator("[data-row]").count() == 3
    page.click("text=Clear")
    page.wait_for_selector(".k-pager >> text=of 60")
    assert page.input_value("#list-q") == ""
    assert not window.problems


def test_a_cell_is_edited_and_taken_back_by_keys(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers?columns=industry,tags")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.wait_for_selector("[data-inline] [name=industry]")
    window.check("editor")
    page.fill("[data-inline] [name=industry]", "Timber")
    page.keyboard.press("Tab")
    page.wait_for_selector("[data-inline] [name=tags]")
    assert value(shop, ids[0], "industry") == "Timber"
    page.keyboard.press("Escape")
    page.keyboard.press("Control+z")
    page.wait_for_selector("#toasts >> text=Took back 1 change")
    page.wait_for_selector("tbody tr:first-child >> text=Joinery")
    assert value(shop, ids[0], "industry") == "Joinery"
    assert not window.problems


def test_stale_value_asks_which_one_counts(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers/{ids[0]}")
    page.click("#fact-industry button")
    page.wait_for_selector("#fact-industry [name=industry]")
    with shop.work(shop.member("manager", name="Kai Jensen")) as session:
        service_for("customers", session).update(ids[0], {"industry": "Boats"})
    page.fill("#fact-industry [name=industry]", "Timber")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open] >> text=Kai Jensen")
    window.check("conflict")
    assert "Boats" in page.inner_text("#fact-industry")
    page.click("dialog[open] >> text=Use mine")
    page.wait_for_selector("#fact-industry >> text=Timber")
    page.wait_for_selector("dialog[open]", state="hidden")
    assert value(shop, ids[0], "industry") == "Timber"
    assert not window.problems


def test_all_that_match_are_changed_at_once(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers?sort=name")
    page.check("[data-pick-all]")
    page.click("[data-bulk-all]")
    assert page.inner_text("[data-bulk-count]") == "60 selected"
    page.click("[data-bulk] >> text=Move to trash")
    page.wait_for_selector("dialog[open] >> text=Move 60 customers to the trash")
    window.check("confirmation")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog[open]", state="hidden")
    assert page.inner_text("[data-bulk-count]") == "60 selected"
    page.click("[data-bulk] >> text=Tag")
    page.wait_for_selector("dialog[open] [name=add]")
    page.keyboard.type("Fair")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#toasts >> text=Tagged 60 customers")
    assert "Fair" in value(shop, ids[59], "tags")
    page.click("#toasts >> text=Undo")
    page.wait_for_selector("#toasts >> text=Took back 60 changes")
    assert "Fair" not in value(shop, ids[59], "tags")
    assert not window.problems


def test_view_is_saved_found_again_and_deleted(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers?type_class=partner&sort=-name")
    page.click("text=Save as a view")
    page.wait_for_selector("dialog[open] [name=name]")
    page.keyboard.type("Our partners")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".k-tabs [aria-current] >> text=Our partners")
    window.go(f"{address}/customers")
    assert "type_class=partner" in page.url
    assert page.locator("[data-row]").count() == 20
    page.click("[data-menu=menu-view]")
    page.click("text=Delete the view")
    page.wait_for_selector("#toasts >> text=Deleted the view")
    assert page.url.endswith("/customers?view=all")
    assert not window.problems


def test_from_a_list_into_its_records_and_on(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/customers?type_class=partner&sort=name")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector("#record-position >> text=2 of 20")
    page.keyboard.press("]")
    page.wait_for_selector("#record-position >> text=3 of 20")
    assert str(ids[6]) in page.url
    page.keyboard.press("h")
    page.wait_for_selector("dialog[open] >> text=created it")
    window.check("history")
    page.keyboard.press("Escape")
    page.click(".k-crumbs a")
    window.rest()
    assert "type_class=partner" in page.url
    assert not window.problems


def test_a_filter_is_built_by_keyboard(
    open_window: Open, shop: Shop, address: str, ids: list[uuid.UUID]
) -> None:
    with shop.work() as session:
        service_for("deals", session).create({"name": "Fit-out", "amount": "5000", "customer_id": ids[7]})
    tab = signed_in(open_window(), shop, address)
    page = tab.page
    page.goto(f"{address}/customers")
    page.locator("[data-menu=menu-add-filter]").press("Enter")
    page.get_by_role("menuitem", name="Groups and related records").press("Enter")
    page.locator("#where").wait_for()
    page.locator("#g0").select_option("deals")
    page.locator("[id='g0.t0'] option[value=amount]").wait_for(state="attached")
    page.locator("[id='g0.t0']").select_option("amount")
    page.locator("[id='g0.t0-op'] option[value=gte]").wait_for(state="attached")
    page.locator("[id='g0.t0-op']").select_option("gte")
    page.locator("[id='g0.add']").press("Enter")
    page.locator("[id='g0.t1']").wait_for()
    page.locator("[id='g0.t1']:focus").wait_for()
    page.get_by_role("button", name="Take the question away").last.press("Enter")
    page.locator("[id='g0.t1']").wait_for(state="detached")
    page.locator("[id='g0.add']:focus").wait_for()
    page.locator("[id='g0.t0-v']").fill("1000")
    page.locator("[id='g0.t0-v']").press("Enter")
    page.locator("[data-row]").first.wait_for()
    page.locator("[data-where]").wait_for()
    assert page.locator("[data-row]").count() == 1
    assert "where=deals(amount.gte:1000)" in page.url
    assert "has: Deals" in page.locator("[data-where]").inner_text()
    page.locator("[data-where]").press("Enter")
    page.locator("#where").wait_for()
    tab.check()
