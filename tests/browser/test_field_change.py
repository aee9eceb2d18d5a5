"""What a field holds is changed in dialogs: choice, options, trial, change, and back; on a desk and a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kehu.core import context
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve
from tests.browser.test_merging import signed_in

pytestmark = pytest.mark.browser


def test_change_and_back(shop: Shop, open_window: Callable[..., Window]) -> None:
    with shop.work() as session:
        service_for("custom_fields", session).create({"object": "customers", "label": "Wood", "kind": "text"})
        shop.tenant = context.tenant()
    with shop.work() as session:
        for name, wood in (("Harbour Ltd", "Oak"), ("Mill & Sons", "oak"), ("Quay Ltd", "Beech or so")):
            service_for("customers", session).create({"name": name, "c_wood": wood})
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        for size in ("desk", "phone"):
            window = signed_in(open_window(size), shop, address)
            page = window.page
            window.go(f"{address}/settings/fields?of=customers")
            page.get_by_role("button", name="Change what it holds: Wood").click()
            page.get_by_role("button", name="One of a list", exact=True).click()
            page.get_by_role("textbox", name="Option 2").fill("Elm")
            assert window.axe() == []
            page.get_by_role("button", name="Try it").click()
            page.get_by_text("Of 3 values 2 convert, 1 do not.").wait_for()
            page.get_by_role("link", name="Quay Ltd").wait_for()
            assert window.axe() == []
            if size == "phone":
                assert page.evaluate("document.documentElement.scrollWidth") <= 390
            page.get_by_role("button", name="Change", exact=True).click()
            page.get_by_role("cell", name="One of a list").wait_for()
            page.get_by_role("button", name="Change what it holds: Wood").click()
            page.get_by_role("button", name="Back to: Text, one line").click()
            page.get_by_text("3 records get their old values back").wait_for()
            assert window.axe() == []
            page.get_by_role("button", name="Go back").click()
            page.get_by_role("cell", name="Text, one line").wait_for()
            window.check()
