"""The dealer's journey: the module is switched on, cars and a lead come in, drives clash, two lists become deals."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from kehu.api import add_months
from kehu.core import clock, schedule
from kehu.testkit.fixtures import Shop
from kehu.testkit.queue import work_off
from kehu.testkit.window import Window, serve
from tests.browser.test_dealer import signed_in
from tests.unit.automotive.adf_dialects import CONTACT, GOLF, OLD, document
from tests.unit.cli.conftest import Run, run

__all__ = ["run"]
pytestmark = pytest.mark.browser
OWNERS = ("Anna Berg", "Bo Ek", "Cleo Moe", "Dan Roe", "Eve Sand")
VINS = (
    "WVWZZZ1KZ6W612305",
    "WVWZZZ1KZ7W000001",
    "WVWZZZ1KZ7W000002",
    "WVWZZZ1KZ7W000003",
    "WVWZZZ1KZ7W000004",
)


class Dealer:
    """The admin of a new firm, with a browser and the files of the old program."""

    def __init__(self, window: Window, shop: Shop, address: str, folder: Path) -> None:
        self.window, self.shop, self.address, self.folder = window, shop, address, folder
        self.page: Any = window.page
        self.dialog = self.page.locator("#dialog")

    def go(self, path: str) -> None:
        """Open a page; what was complained about before fails here."""
        self.window.go(self.address + path)
        assert not self.window.problems

    def switch_on(self) -> None:
        """Look at what the module brings and switch it on; then let new deals start in its pipeline."""
        self.go("/settings/plugins")
        self.page.get_by_role("link", name="What it brings").click()
        self.page.get_by_text("From the first lead to the delivery.").wait_for()
        self.page.get_by_text("It takes no seats.").wait_for()
        self.window.check("plan")
        self.page.get_by_role("button", name="Switch on Car dealer").click()
        self.page.get_by_text("Car dealer is on.").wait_for()
        self.window.rest()
        self.page.get_by_role("button", name="Let new deals start in “Car sale”").click()
        self.page.get_by_text("New deals start in “Car sale” now.").wait_for()

    def bring_in(self, kind: str, text: str, rows: int) -> None:
        """Import a file as it is, by what is proposed."""
        file = self.folder / f"{kind}.csv"
        file.write_text(text)
        self.go(f"/imports/new?type={kind}")
        self.page.get_by_label("File", exact=True).set_input_files(file)
        self.page.get_by_role("button", name="Upload").click()
        self.page.get_by_role("button", name="Check the file").first.click()
        self.page.locator("#import-plan").wait_for(state="detached")
        work_off(self.shop)
        self.page.get_by_role("button", name=re.compile(rf"^Import {rows} rows?$")).click()
        self.page.get_by_role("button", name=re.compile("^Import")).wait_for(state="detached")
        work_off(self.shop)
        self.page.get_by_role("button", name="Undo this import").wait_for()

    def cover_cars(self) -> None:
        """Say what comes with a make, and cover the cars that were brought in."""
        self.go("/x/automotive/warranty_plans")
        self.page.get_by_role("button", name="New", exact=True).click()
        for label, value in (("Name", "Factory warranty"), ("Make", "Volkswagen"), ("Months", "36")):
            self.dialog.get_by_label(label).fill(value)
        self.dialog.get_by_role("button", name="Create warranty plan").click()
        self.page.get_by_role("heading", name="Factory warranty").first.wait_for()
        self.go("/x/automotive/warranty")
        self.page.get_by_role("button", name=f"Cover {len(OWNERS)} cars").click()
        self.page.get_by_text(f"“Factory warranty” covers {len(OWNERS)} cars more").wait_for()

    def book(self, driver: str, start: str) -> None:
        """Book a test drive from the page of the lead."""
        self.page.get_by_role("button", name="Test drive").click()
        self.dialog.get_by_label("Car").select_option(label="Golf, blue")
        self.dialog.get_by_label("From").fill(start)
        self.dialog.get_by_label("Driver").fill(driver)
        self.dialog.get_by_label("Host").select_option(label="Nobody")
        self.dialog.get_by_role("button", name="Book", exact=True).click()


@pytest.fixture
def dealer(open_window: Callable[..., Window], shop: Shop, tmp_path: Path) -> Iterator[Dealer]:
    """A new firm, whose admin has signed in."""
    with serve(shop.app) as port:
        address = f"http://{shop.tenant.address}.localhost:{port}"
        yield Dealer(signed_in(open_window("desk"), shop, address), shop, address, tmp_path)


def cars(today: dt.date) -> str:
    """Return cars whose 36 months end in 40 days and later."""
    rows = ["Keeper,VIN,Make,Model,Year,Mileage,In service"]
    for number, (owner, vin) in enumerate(zip(OWNERS, VINS, strict=True)):
        since = add_months(today + dt.timedelta(days=40 + 10 * number), -36)
        rows.append(f"{owner},{vin},Volkswagen,Golf,{since.year},{30_000 + number},{since}")
    return "\n".join(rows)


def test_from_the_switch_to_the_deals(dealer: Dealer, run: Run) -> None:
    page, dialog, shop = dealer.page, dealer.dialog, dealer.shop
    today = clock.today(shop.tenant.tz)
    dealer.switch_on()
    people = "\n".join(f"{name},person,{name.split()[0].lower()}@mail.example" for name in OWNERS)
    dealer.bring_in("customers", f"Name,Kind,E-mail\n{people}", len(OWNERS))
    dealer.bring_in("automotive.vehicles", cars(today), len(OWNERS))
    dealer.cover_cars()

    mail = EmailMessage()
    mail["From"], mail["Message-ID"] = "leads@portal.example", "<1@portal.example>"
    mail.set_content(document(OLD, GOLF, CONTACT))
    (dealer.folder / "mail").write_bytes(mail.as_bytes())
    box = f"leads@{shop.tenant.address}.localhost"
    assert "Taken in by automotive." in run("mail", "take-in", box, str(dealer.folder / "mail")).output
    work_off(shop)
    dealer.go("/x/automotive/leads")
    page.get_by_role("link", name="Ann Lee").first.click()
    page.get_by_text("2009 Ford Focus").first.wait_for()
    dealer.window.check("lead")
    lead = page.url.removeprefix(dealer.address)

    dealer.go("/x/automotive/demo_cars")
    page.get_by_role("button", name="New", exact=True).click()
    dialog.get_by_label("Name").fill("Golf, blue")
    dialog.get_by_role("button", name="Create demo car").click()
    page.get_by_role("heading", name="Golf, blue").first.wait_for()
    start = f"{today + dt.timedelta(days=14 - today.weekday())}T10:00"
    dealer.go(lead)
    dealer.book("Ann Lee", start)
    page.get_by_role("heading", name="Ann Lee, Golf, blue").first.wait_for()
    dealer.go(lead)
    dealer.book("Bo Ek", start)
    dialog.get_by_text("“Golf, blue” is taken").first.wait_for()
    assert dialog.get_by_label("Driver").input_value() == "Bo Ek"
    assert dialog.get_by_label("From").input_value() == start
    dealer.window.check("clash")

    schedule.enqueue_due(only=shop.tenant.id)
    work_off(shop)
    dealer.go("/x/automotive/warranty")
    assert page.locator("tbody tr").count() == len(OWNERS)
    dealer.window.check("warranties")
    page.get_by_role("button", name="Make a deal").first.click()
    page.wait_for_url("**/deals/*")
    dealer.go("/x/automotive/second-car")
    dealer.window.check("second cars")
    page.get_by_role("button", name="Interested: make it a deal").first.click()
    page.wait_for_url("**/deals/*")
    page.get_by_text("Second car for").first.wait_for()
    dealer.go("/deals/board")
    page.get_by_role("heading", name="Car sale").first.wait_for()
    assert page.locator("[data-card]").count() == 3
    dealer.window.check("board")
