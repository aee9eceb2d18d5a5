"""Consent: recorded and taken back on a person's page; a recipient stops messages on a phone, without an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kehu.consent import links
from kehu.consent.services import ConsentService
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser


def signed_in(window: Window, shop: Shop, address: str) -> Window:
    """Give the browser the owner's cookie."""
    cookie: Any = shop.client().get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
    return window


def states(shop: Shop, record_id: Any) -> list[str]:
    """Return the history of a person's consents."""
    with shop.work() as session:
        service = ConsentService(session)
        return [one.state for one in service.history(service.person("contacts", record_id))]


def test_consent_on_the_record_and_on_a_phone(shop: Shop, open_window: Callable[..., Window]) -> None:
    with shop.work() as session:
        values = {"name": "Anna Lindqvist", "emails": "anna@example.com", "language": "en"}
        anna = service_for("contacts", session).create(values)
        url, record_id = (
            links.token(type("T", (), {"customer_id": None, "contact_id": anna.id}), "mail", "marketing"),
            anna.id,
        )
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        desk = signed_in(open_window("desk"), shop, address)
        desk.go(f"{address}/contacts/{record_id}")
        desk.page.get_by_role("button", name="Record a consent").click()
        desk.page.get_by_label("Where that can be seen").fill("Form 17")
        assert desk.axe() == []
        desk.page.get_by_role("dialog").get_by_role("button", name="Record").click()
        desk.page.get_by_text("Recorded what Anna Lindqvist said").wait_for()
        desk.page.locator("#consent-card").get_by_text("Given").first.wait_for()
        assert states(shop, record_id) == ["given"]
        assert desk.axe() == []
        assert desk.problems == []
        phone = open_window("phone")
        phone.go(f"{address}/o/{url}")
        assert phone.axe() == []
        phone.page.get_by_role("button", name="Send me no more of this").click()
        phone.page.get_by_text("You get no more of this.").wait_for()
        assert states(shop, record_id) == ["withdrawn", "given"]
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert phone.problems == []
