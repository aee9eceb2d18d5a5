"""A lead that could not be taken in is completed, counted down and answered with one press."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.core.context import SYSTEM
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from kehu.testkit.window import Window, serve
from plugins_builtin.automotive.leads import intake, reading
from plugins_builtin.automotive.leads.intake import Incoming
from tests.browser.test_dealer import signed_in
from tests.unit.automotive.adf_dialects import CONTACT, GOLF, OLD, POLO, document

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
NOBODY = '<customer><contact><name part="full">Ann Lee</name></contact></customer>'


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the dealer is, who has three leads."""
    enable(shop, "automotive")
    with shop.work(SYSTEM) as session:
        for raw in (document(OLD, GOLF, NOBODY), document(GOLF, CONTACT), document(POLO, CONTACT)):
            kept = intake.keep(session, Incoming(raw=raw.encode(), channel="https", source="Website"))
            reading.read_message(session, kept)
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def test_a_lead_is_completed_and_answered(open_window: Open, shop: Shop, address: str) -> None:
    window = signed_in(open_window("desk"), shop, address)
    page: Any = window.page
    window.go(f"{address}/x/automotive/leads?state=quarantine")
    page.get_by_role("link", name="Ann Lee").first.click()
    page.get_by_text("This lead waits for you.").wait_for()
    page.get_by_role("button", name="Complete").click()
    page.get_by_label("Phone").fill("020 7946 0958")
    page.get_by_role("button", name="Take in").click()
    page.get_by_text("The lead is taken in.").wait_for()
    page.get_by_text("2009 Ford Focus").first.wait_for()
    page.get_by_role("button", name="Spoken to").click()
    page.get_by_text("Answered:").wait_for()
    window.check()
    for path in ("leads", "lead-turns", "lead-addresses"):
        window.go(f"{address}/x/automotive/{path}")
        window.check()
