"""A dentist's and a timber merchant's owner shape the product to their trade without a developer (issue 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]


class Owner:
    """An owner at the screen."""

    def __init__(self, window: Window, home: str) -> None:
        self.window, self.home = window, home
        self.page: Page = window.page

    def go(self, path: str) -> None:
        self.window.go(self.home + path)

    def save(self) -> None:
        self.page.click("#dialog [type=submit]")
        expect(self.page.locator("#dialog[open]")).to_have_count(0)
        self.window.rest()

    def add_field(self, object_name: str, kind: str, label: str, *options: str, **more: Any) -> None:
        """Make a field; `more` are ids of inputs to fill in, or True for boxes to tick."""
        page = self.page
        self.go(f"/settings/fields?of={object_name}")
        page.get_by_role("button", name="New field").click()
        page.locator("#dialog").get_by_role("button", name=kind, exact=True).click()
        page.fill("#dialog [name=label]", label)
        for at, option in enumerate(options):
            if at >= page.locator("#dialog [name='option.label']").count():
                page.click("#dialog [data-add-row]")
            page.locator("#dialog [name='option.label']").nth(at).fill(option)
        for name, value in more.items():
            if value is True:
                page.check(f"#dialog [name={name}]")
            else:
                page.fill(f"#dialog [name={name}]", value)
        self.save()
        expect(page.locator("#main")).to_contain_text(label)

    def add_rule(self, kind: str, name: str, only_for: str, must: str, message: str) -> None:
        """Make a rule, see what breaks it, switch it on."""
        page = self.page
        self.go("/settings/record-rules")
        page.get_by_role("button", name="New rule").click()
        page.fill("#dialog [name=name]", name)
        page.select_option("#dialog [name=object]", label=kind)
        page.fill("#dialog [name=only_for]", only_for)
        page.fill("#dialog [name=must]", must)
        page.fill("#dialog [name=message]", message)
        self.save()
        page.get_by_role("button", name=f"Try the rule {name}").click()
        expect(page.locator("#dialog")).to_contain_text("No present record breaks this rule.")
        page.get_by_role("button", name="Switch on").click()
        expect(page.locator("#dialog[open]")).to_have_count(0)


@pytest.fixture
def owner(open_window: Open, shop: Shop) -> Iterator[Owner]:
    with serve(shop.app) as port:
        home = f"http://{shop.tenant.address}.localhost:{port}"
        window = open_window()
        client: Any = shop.client()
        cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
        window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": home}])
        yield Owner(window, home)


def test_a_dentist_shapes_it(owner: Owner) -> None:
    page = owner.page
    owner.add_field("contacts", "Date", "Last check-up", at_create=True)
    owner.add_field("contacts", "One of a list", "Insurance", "Public", "Private", "None", at_create=True)
    owner.add_rule(
        "Contacts",
        "Insured patients have a check-up",
        "c_insurance=private",
        "c_last_check_up.empty=false",
        "Say when a private patient was last seen.",
    )
    owner.go("/contacts")
    page.get_by_role("button", name="New contact").click()
    page.fill("#dialog [name=name]", "Ada Lovelace")
    page.select_option("#dialog [name=c_insurance]", label="Private")
    page.click("#dialog [type=submit]")
    expect(page.locator("#dialog")).to_contain_text("Say when a private patient was last seen.")
    expect(page.locator("#dialog [name=name]")).to_have_value("Ada Lovelace")
    page.fill("#dialog [name=c_last_check_up]", "2026-05-04")
    owner.save()
    owner.go("/contacts?c_insurance=private&sort=c_last_check_up")
    expect(page.locator("#main tbody tr")).to_have_count(1)
    expect(page.locator("#main tbody tr")).to_contain_text("Private")
    owner.window.check("contacts of a dentist")
    owner.go("/contacts?c_insurance=public")
    expect(page.locator("#main tbody tr:has-text('Ada')")).to_have_count(0)


def test_a_timber_merchant_shapes_it(owner: Owner) -> None:
    page = owner.page
    owner.add_field("deals", "Number with decimals", "Cubic metres", at_create=True)
    owner.add_field("deals", "Several of a list", "Species", "Oak", "Larch", "Spruce", at_create=True)
    owner.go("/settings/numbers")
    page.get_by_role("button", name="Set a rule for the codes of deals").click()
    page.fill("#dialog [name=pattern]", "TIMBER-{YYYY}-{N}")
    expect(page.locator("#number-preview")).to_contain_text("TIMBER-20")
    owner.save()
    owner.go("/deals")
    page.get_by_role("button", name="New deal").first.click()
    page.fill("#dialog [name=name]", "Beams for the town hall")
    page.fill("#dialog [name=c_cubic_metres]", "12,5 m")
    page.locator("#dialog").get_by_label("Oak").check()
    page.locator("#dialog").get_by_label("Larch").check()
    page.click("#dialog [type=submit]")
    # What can't be read is said beside the field, and nothing typed is lost.
    expect(page.locator("#dialog .k-error").first).to_be_visible()
    expect(page.locator("#dialog [name=c_cubic_metres]")).to_have_value("12,5 m")
    page.fill("#dialog [name=c_cubic_metres]", "12.5")
    owner.save()
    owner.go("/deals?view=all&c_species=oak&c_cubic_metres.gte=12")
    expect(page.locator("#main tbody tr")).to_have_count(1)
    for text in ("Beams for the town hall", "12.5", "Oak"):
        expect(page.locator("#main tbody tr")).to_contain_text(text)
    page.get_by_role("link", name="Beams for the town hall").first.click()
    owner.window.rest()
    expect(page.locator("#main")).to_contain_text(re.compile(r"TIMBER-\d{4}-00001"))
    owner.window.check("deal of a timber merchant")
