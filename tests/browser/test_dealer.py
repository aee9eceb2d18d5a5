"""The dealer's showroom: a visitor is noted with one thumb, a collision is decided, every page is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from kehu.testkit.window import Window, serve
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.showroom.services import VisitService

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
PHONE = "+44 20 7946 4410"


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the dealer is."""
    enable(shop, "automotive")
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def test_a_visitor_is_noted_with_one_thumb(open_window: Open, shop: Shop, address: str) -> None:
    window = signed_in(open_window("phone"), shop, address)
    page = window.page
    window.go(f"{address}/x/automotive/showroom")
    page.get_by_label("Phone").fill("12")
    page.get_by_role("button", name="With me").click()
    page.get_by_text("too few digits").wait_for()
    assert page.get_by_label("Phone").input_value() == "12"
    page.get_by_label("Phone").fill("020 7946 4410")
    page.get_by_role("button", name="With me").click()
    page.get_by_text("is with you").wait_for()
    page.get_by_role("button", name="A", exact=True).click()
    page.get_by_text("has left").wait_for()
    with shop.work() as session:
        call = service_for("activities", session).type.model
        assert session.query(call).one().subject == f"Call after the visit: {PHONE}"
    window.check()


def test_a_collision_is_decided(open_window: Open, shop: Shop, address: str) -> None:
    ben = shop.member("member", "Ben Host")
    with shop.work() as session:
        taxis = service_for("customers", session).create({"name": "Harbour Taxis", "phones": [PHONE]}).id
        for who in (shop.owner.member_id, ben.member_id):
            ProtectionService(session).renew(taxis, who, "contact", clock.now())  # type: ignore[arg-type]
    with shop.work(shop.member("manager", "Carl Third")) as session:
        VisitService(session).create({"phone": PHONE})
    window = signed_in(open_window("desk"), shop, address)
    page = window.page
    window.go(f"{address}/x/automotive/collisions")
    page.get_by_role("link", name="Harbour Taxis").click()
    page.get_by_label("Share of Ben Host").fill("100")
    page.get_by_label("Reason").fill("He made the offer.")
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("Those concerned can object").wait_for()
    page.get_by_text("He made the offer.").wait_for()
    window.go(f"{address}/customers/{taxis}")
    page.get_by_text("Ben Host is protected until").wait_for()
    window.check()
    for path in ("showroom", "collisions", "visits", "warranty", "leads", "lead-addresses"):
        window.go(f"{address}/x/automotive/{path}")
        window.check()
