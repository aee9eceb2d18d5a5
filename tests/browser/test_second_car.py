"""Second cars: from the work list over the reasons to a deal; what was learnt on the phone is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable, run_job_now
from kehu.testkit.window import Window, serve
from plugins_builtin.automotive.vehicles.models import Vehicle

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where a dealer with two households is, the morning after the scores were made."""
    enable(shop, "automotive")
    with shop.work() as session:
        for name in ("Anna Lind", "Cleo Moe"):
            one = service_for("customers", session).create({"name": name, "kind": "person"})
            session.flush()
            car = {"make": "VW", "model": "Golf", "name": "VW Golf", "name_norm": "vw golf", "version": 1}
            session.add(Vehicle(id=new_id(), tenant_id=shop.tenant.id, customer_id=one.id, **car))
    run_job_now(shop, "automotive.second_car")
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def test_from_the_list_to_a_deal(open_window: Open, shop: Shop, address: str) -> None:
    window = signed_in(open_window("phone"), shop, address)
    page = window.page
    window.go(f"{address}/x/automotive/second-car")
    anna = page.locator("section.k-card", has_text="Anna Lind")
    anna.get_by_text("What we do not know").click()
    anna.get_by_text("How many have a driving licence?").wait_for()
    window.check()
    anna.get_by_role("button", name="What we know").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Drivers").fill("3")
    dialog.get_by_label("People", exact=True).fill("2")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("There can't be more drivers than people.").first.wait_for()
    window.check("dialog")
    dialog.get_by_label("People", exact=True).fill("4")
    dialog.get_by_role("button", name="Save").click()
    anna.get_by_text("Three or more drivers").wait_for()
    page.locator("section.k-card", has_text="Cleo Moe").get_by_role("button", name="Not now").click()
    page.get_by_text("Cleo Moe: Not now").wait_for()
    assert page.locator("section.k-card").count() == 1
    anna.get_by_role("button", name="Interested: make it a deal").click()
    page.wait_for_url("**/deals/*")
    page.get_by_text("Second car for Anna Lind").first.wait_for()
    window.go(f"{address}/x/automotive/second-car")
    page.get_by_text("2 asked, 1 interested").wait_for()
    window.go(f"{address}/x/automotive/second_cars")
    window.check("records")
    page.get_by_role("link", name="Anna Lind").first.click()
    page.wait_for_url("**/second_cars/*")
    page.get_by_text("Related", exact=True).click()
    page.get_by_text("VW Golf").wait_for()
    window.check("household")
    window.go(f"{address}/x/automotive/second-car/scores")
    page.get_by_role("button", name="Fit to our outcomes").click()
    page.get_by_text("A fit needs 200 outcomes").wait_for()
    window.check("scores")
