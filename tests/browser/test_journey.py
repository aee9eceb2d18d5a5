"""The main job from end to end, against a real web server, worker and mail catcher.

A person signs up, brings files in, works deals on the board, answers a ticket, logs a call and takes one step
back. Set KEHU_SHOTS to a folder to keep the pictures.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kehu.dev import settings
from kehu.dev.processes import Child, stop_all
from kehu.dev.run import COMMAND, ask_ready
from kehu.testkit.database import TestServer
from kehu.testkit.window import Window

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Open = Callable[..., Window]
MAVEN = Path(__file__).parents[3] / "shared" / "data" / "crm-opportunities-maven"
PASSWORD = "many small boats at noon"
START_SECONDS, JOB_SECONDS, MAIL_SECONDS = 60, 120, 40
SMALL = {
    "products.csv": "product,series,sales_price\nPlane S,Plane,550\nPlane XL,Plane,4821\n",
    "accounts.csv": "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n"
    "Alder Joinery,retail,1996,110.04,28,United States,\nBirch & Sons,medical,1999,25.41,49,Kenya,Alder Joinery\n",
    "sales_pipeline.csv": "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
    "A1,Ida Holm,Plane S,Alder Joinery,Won,2016-10-20,2017-03-01,1054\n"
    "A2,Ida Holm,PlaneXL,Birch & Sons,Lost,2016-10-25,2017-03-11,0\n"
    "A3,Jon Park,Plane XL,Birch & Sons,Engaging,2016-11-01,,\n"
    "A4,Jon Park,Plane S,,Prospecting,,,\n"
    "A5,Jon Park,Plane S,Alder Joinery,Engaging,2016-11-02,,\n",
}


@dataclass(frozen=True)
class Site:
    """A running installation."""

    url: str
    mails: Path


@dataclass(frozen=True)
class Files:
    """What is brought in, and what has to be there afterwards."""

    folder: Path
    products: int
    accounts: int
    deals: int
    stages: dict[str, int]


@pytest.fixture(scope="module")
def site(database_server: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Start web, worker and mail catcher on a database of their own."""
    urls, var = database_server.make(), tmp_path_factory.mktemp("journey")
    port, mail_port = settings.free_port(), settings.free_port()
    given = {name: value for name, value in os.environ.items() if not name.startswith("KEHU_")}
    environment = settings.child_environment(urls, var, port, mail_port, given)
    mails = var / "mail"
    gunicorn = ("-m", "gunicorn", "--config", "python:kehu.gunicorn_conf", "--chdir", str(settings.root()))
    commands = {
        "mail": ("-m", "kehu.dev.mailcatcher", "--port", str(mail_port), "--folder", str(mails)),
        "web": (*gunicorn, "--bind", f"127.0.0.1:{port}", "wsgi:app"),
        "worker": ("-c", COMMAND, "worker"),
    }
    children = [
        Child(name, [sys.executable, *command], environment, var / "log" / f"{name}.log")
        for name, command in commands.items()
    ]
    try:
        for child in children:
            child.start()
        _wait_ready(port, children[1])
        yield Site(f"http://localhost:{port}", mails)
    finally:
        stop_all(children, 20)
        database_server.drop(urls)


def _wait_ready(port: int, web: Child) -> None:
    until = time.monotonic() + START_SECONDS
    while ask_ready(port)[0] != 200:
        assert web.alive, web.log_tail()
        assert time.monotonic() < until, f"not ready: {ask_ready(port)} {web.log_tail()}"
        time.sleep(0.2)


@pytest.fixture(params=["small", "maven"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """Three files of a seller: a handful of made-up rows, and the 8,800 deals of the shared folder."""
    if request.param == "maven":
        if not MAVEN.is_dir():
            pytest.skip("the folder ../shared/data/crm-opportunities-maven is not on this machine")
        stages = {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
        return Files(MAVEN, 7, 85, 8800, stages)
    for name, text in SMALL.items():
        (tmp_path / name).write_text(text)
    return Files(tmp_path, 2, 2, 5, {"Won": 1, "Lost": 1, "Engaging": 2, "Prospecting": 1})


class Traveller:
    """The person of the journey, with a browser."""

    def __init__(self, window: Window, site: Site, shots: Path) -> None:
        self.window, self.site, self.shots = window, site, shots
        self.page: Page = window.page
        self.count = 0
        shots.mkdir(parents=True, exist_ok=True)

    def look(self, name: str) -> None:
        """Take a picture and fail on anything that the browser complained about."""
        self.count += 1
        file = self.shots / f"{self.count:02}-{name}.png"
        self.page.screenshot(path=file)
        kept = os.environ.get("KEHU_SHOTS")
        if kept:
            Path(kept).mkdir(parents=True, exist_ok=True)
            shutil.copy(file, Path(kept) / f"{self.shots.name}-{file.name}")
        assert not self.window.problems, f"{name}: {self.window.problems}"

    def go(self, path: str) -> None:
        """Open a page of the site."""
        self.window.go(self.site.url + path)

    def mail(self, to: str, *words: str) -> EmailMessage:
        """Wait for a mail to somebody with some words in it."""
        until = time.monotonic() + MAIL_SECONDS
        while time.monotonic() < until:
            for file in self.site.mails.glob("*.eml"):
                message = message_from_bytes(file.read_bytes(), policy=default)
                if to in str(message["To"]) and all(word in body(message) for word in words):
                    return message
            time.sleep(0.2)
        raise AssertionError(f"no mail to {to} with {words}")

    # --- the steps ------------------------------------------------------------------------------------------

    def sign_up(self, name: str) -> None:
        """Found a firm, type the code of the mail and say what one sells."""
        page, email = self.page, f"{name}@example.com"
        self.go("/")
        self.look("landing")
        self.go("/signup")
        page.get_by_label("Your name").fill("Nadia Petrova")
        page.get_by_label("Firm").fill(f"Petrova {name}")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        self.look("sign-up")
        page.get_by_role("button", name="Create the firm").click()
        page.get_by_role("heading", name="Look into your mail").wait_for()
        code = re.search(r"\b\d{6}\b", body(self.mail(email)))
        assert code is not None
        page.get_by_label("Code").fill(code[0])
        page.get_by_role("button", name="Continue").click()
        page.get_by_text("What is your trade?").wait_for()
        assert page.locator(".k-checklist li[data-done]").count() == 0
        self.look("trade")
        page.locator("button[name=trade]").first.click()
        page.get_by_text("What is your trade?").wait_for(state="detached")
        expect(page.locator(".k-checklist li")).not_to_have_count(0)
        self.look("checklist")

    def switch_on(self) -> None:
        """Switch on what is suggested for the trade: from now on a module listens to what the worker does."""
        self.page.get_by_role("button", name="Switch on", exact=True).click()
        self.page.get_by_text("Car dealer is on.").wait_for()
        self.look("module")

    def bring_in(self, kind: str, file: Path, rows: int) -> None:
        """Import a file: upload, check, start, wait."""
        page = self.page
        self.go(f"/imports/new?type={kind}")
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Upload").click()
        page.locator("#import-plan").wait_for()
        self.look(f"import-{kind}-mapping")
        page.get_by_role("button", name="Check the file").first.click()
        button = page.get_by_role("button", name=re.compile(rf"^Import {rows:,} rows?$"))
        button.wait_for(timeout=JOB_SECONDS * 1000)
        self.look(f"import-{kind}-checked")
        button.click()
        page.get_by_role("button", name="Undo this import").wait_for(timeout=JOB_SECONDS * 1000)
        self.look(f"import-{kind}-done")

    def see_deals(self, files: Files) -> None:
        """Count what is in the list and on the board."""
        page = self.page
        self.go("/deals?view=all")
        # A short list needs no total: its range says it.
        total = re.compile(rf"\b{files.deals:,}\b")
        expect(page.locator(".k-pager")).to_contain_text(total)
        self.look("deals")
        self.go("/deals/board")
        for stage, count in files.stages.items():
            if stage not in ("Won", "Lost"):
                shown = self.column(stage).locator("[data-stage-count]").inner_text()
                assert re.sub(r"\D", "", shown) == str(count), (stage, shown)
        self.look("board")

    def column(self, stage: str) -> Any:
        """Return a column of the board."""
        heading = self.page.get_by_role("heading", name=stage, exact=True)
        return self.page.locator("[data-stage]").filter(has=heading)

    def counted(self, stage: str) -> int:
        """Return how many deals a column says it has."""
        return int(re.sub(r"\D", "", self.column(stage).locator("[data-stage-count]").inner_text()))

    def move_cards(self) -> None:
        """Drag one card, move it back by keys, take that back."""
        page, before = self.page, self.counted("Engaging")
        card, target = self.column("Engaging").locator("[data-card]").first, self.column("Prospecting")
        title, card_id = card.locator("[data-row-link]").inner_text(), card.get_attribute("id")
        target.scroll_into_view_if_needed()
        card.scroll_into_view_if_needed()
        start, end = card.bounding_box(), target.bounding_box()
        page.mouse.move(start["x"] + 60, start["y"] + 40)
        page.mouse.down()
        page.mouse.move(start["x"] + 80, start["y"] + 50, steps=4)
        page.mouse.move(end["x"] + 60, end["y"] + 90, steps=12)
        page.mouse.up()
        page.get_by_text(f"Moved “{title}” to Prospecting.").wait_for()
        assert self.counted("Engaging") == before - 1
        self.look("dragged")
        page.locator(f"#{card_id} [data-row-link]").focus()
        page.keyboard.press("s")
        page.get_by_role("menuitem", name="Engaging").click()
        page.get_by_text(f"Moved “{title}” to Engaging.").wait_for()
        assert self.counted("Engaging") == before
        self.look("moved-by-keys")
        page.keyboard.press("Control+z")
        page.locator("#toasts").get_by_text("Took back").wait_for()
        expect(self.column("Engaging").locator("[data-stage-count]")).to_have_text(f"{before - 1:,}")
        self.look("taken-back")

    def answer_ticket(self, email: str) -> None:
        """Write down a question and answer it by mail."""
        page = self.page
        self.go("/tickets/new")
        page.get_by_label("Subject").fill("Where is my order?")
        page.get_by_label("Requester's e-mail").fill(email)
        page.get_by_role("button", name="Create ticket").click()
        page.locator("#composer-text").wait_for()
        page.fill("#composer-text", "It left this morning.")
        self.look("ticket-answer")
        page.keyboard.press("Control+Enter")
        page.locator(".k-msg-ours").get_by_text("It left this morning.").wait_for()
        mail = self.mail(email, "It left this morning.")
        assert "Where is my order?" in mail["Subject"]
        page.locator(".k-msg-ours").get_by_text("Sent").wait_for()
        self.look("ticket-sent")

    def log_call(self) -> None:
        """Write down a call with the first customer."""
        page = self.page
        self.go("/customers?view=all")
        page.locator("[data-row-link]").first.click()
        page.locator("#composer-text").wait_for()
        page.locator("#composer").get_by_text("Call", exact=True).click()
        page.fill("#composer-text", "Wants an offer by Friday.")
        page.get_by_label("Outcome").fill("Reached")
        page.keyboard.press("Control+Enter")
        page.locator("#line").get_by_text("Wants an offer by Friday.").wait_for()
        self.look("call-logged")


def body(message: EmailMessage) -> str:
    """Return the plain text of a mail."""
    part = message.get_body(("plain",))
    return str(part.get_content()) if part is not None else ""


def test_from_sign_up_to_a_logged_call(open_window: Open, site: Site, files: Files, tmp_path: Path) -> None:
    name = "maven" if files.folder == MAVEN else "small"
    person = Traveller(open_window("desk"), site, tmp_path / name)
    person.sign_up(name)
    if name == "small":
        person.switch_on()
    person.bring_in("products", files.folder / "products.csv", files.products)
    person.bring_in("customers", files.folder / "accounts.csv", files.accounts)
    person.bring_in("deals", files.folder / "sales_pipeline.csv", files.deals)
    person.see_deals(files)
    person.move_cards()
    person.answer_ticket(f"anna.{name}@example.com")
    person.log_call()
    person.go("/start")
    assert person.page.locator(".k-checklist li[data-done]").count() >= 1
    person.look("end")
    # What fails in the background is tried again and shows nowhere on a page.
    assert "job_failed" not in (site.mails.parent / "log" / "worker.log").read_text()
