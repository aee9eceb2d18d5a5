"""The frame and every component in a real browser: accessible, within its policy and its weight, by keys alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kehu.testkit.frame import make_frame
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
PAGES = ["", "list", "board", "record", "ticket", "home", "auth", "public"]
KIB = 1024


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the style pages are."""
    with serve(make_frame()) as port:
        yield f"http://127.0.0.1:{port}/style/"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_every_page_is_accessible(open_window: Open, address: str, size: str, dark: bool) -> None:
    window = open_window(size, dark=dark)
    for page in PAGES:
        window.go(address + page)
        window.check(f"{page} {size}")
        wide = window.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{page} scrolls sideways by {wide}"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_layer_is_accessible(open_window: Open, address: str, dark: bool) -> None:
    window = open_window(dark=dark)
    page = window.page
    window.go(address)
    for opener in (
        "[data-open=help]",
        "[data-open=palette]",
        "[data-key=n]",
        "[data-menu=menu-tenant]",
        "[data-menu=menu-member]",
    ):
        page.click(opener)
        window.rest()
        window.check(opener)
        page.keyboard.press("Escape")
    page.click("text=Say something")
    window.rest()
    window.check("toast")
    page.click("text=Delete 14 contacts")
    window.rest()
    window.check("question")


def test_weights_are_within_budget(open_window: Open, address: str) -> None:
    window = open_window()
    window.go(address + "list")
    assert len(window.sent) <= 12
    assert window.weight() <= 160 * KIB
    assert window.page.locator("*").count() <= 1500
    assert window.shift() <= 0.02
    window.page.click("[data-nav-key=deals]")
    window.rest()
    own = [size for url, size in window.sent if url.endswith("/board")]
    assert len(own) == 1


def test_links_fill_main_and_back_returns(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "list")
    page.keyboard.press("g")
    page.keyboard.press("d")
    window.rest(250)
    assert page.url.endswith("/style/board")
    assert page.title() == "Deals · Kehu"
    assert page.get_attribute("[data-nav-key=deals]", "aria-current") == "page"
    assert page.evaluate("document.activeElement.id") == "main"
    page.go_back()
    window.rest(250)
    assert page.locator("[data-list]").count() == 1
    assert page.get_attribute("[data-nav-key=contacts]", "aria-current") == "page"
    assert not window.problems


def test_a_list_is_worked_by_keys(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "list")
    for key in ("j", "j", "x", "j", "j", "Shift+X"):
        page.keyboard.press(key)
    assert page.inner_text("[data-bulk-count]") == "3 selected"
    page.reload()
    window.rest()
    assert page.inner_text("[data-bulk-count]") == "3 selected"
    window.check("bulk bar")
    with page.expect_request(lambda request: "/style/toast" in request.url) as sent:
        page.click("[data-bulk] >> text=Delete")
    assert sent.value.post_data == "ids=2%2C3%2C4&count=3"
    window.rest()
    assert not page.is_visible("[data-bulk]")
    page.keyboard.press("Control+z")
    window.rest()
    assert "Taken back" in page.inner_text("#toasts")
    page.keyboard.press("/")
    with page.expect_response(lambda answer: "q=ab" in answer.url) as answer:
        page.keyboard.type("ab", delay=15)
    assert answer.value.request.headers["hx-target"] == "div#list"


def test_cards_move_by_mouse_and_by_keys(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "board")
    page.wait_for_selector("[data-sortable]")
    source = page.locator("[data-stage=new] [data-card]").nth(2).bounding_box()
    target = page.locator("[data-stage=proposal] [data-card]").nth(1).bounding_box()
    page.mouse.move(source["x"] + 60, source["y"] + 60)
    page.mouse.down()
    page.mouse.move(source["x"] + 90, source["y"] + 70, steps=4)
    page.mouse.move(target["x"] + 80, target["y"] + 20, steps=12)
    page.wait_for_timeout(150)
    with page.expect_request(lambda request: "/move" in request.url) as sent:
        page.mouse.up()
    assert sent.value.post_data == "stage=proposal&after=proposal-0&version=1"
    page.focus("#deal-new-0 a")
    page.keyboard.press("ArrowDown")
    with page.expect_request(lambda request: "/move" in request.url):
        page.keyboard.press("Shift+ArrowRight")
    assert page.evaluate("document.activeElement.closest('[data-stage]').dataset.stage") == "qualified"
    page.keyboard.press("s")
    window.rest()
    window.check("stage menu")
    page.click("#stage-menu >> text=Won")
    window.rest(250)
    assert page.locator("[data-stage=qualified] #deal-new-1").count() == 1
    assert "Fill in its value first" in page.inner_text("#toasts")
    assert not window.problems


def test_a_dialog_says_what_is_wrong_and_closes_when_done(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address)
    page.keyboard.press("n")
    page.wait_for_selector("#dialog[open]")
    page.fill("#dialog [name=name]", " ")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#dialog .k-error")
    page.fill("#dialog [name=name]", "Fit-out")
    page.click("#dialog [role=combobox]")
    page.keyboard.type("paper")
    page.wait_for_selector("#dialog [role=option][data-text^=Paper]")
    window.rest()
    page.keyboard.press("Enter")
    assert page.input_value("#dialog [role=combobox]") == "Paper Crane Studio"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#dialog:not([open])", state="attached")
    window.rest()
    assert "Created Fit-out" in page.inner_text("#toasts")
    assert not window.problems


def test_typed_text_is_not_thrown_away(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address)
    page.keyboard.press("n")
    page.wait_for_selector("#dialog[open]")
    page.keyboard.type("Something")
    page.keyboard.press("Escape")
    page.wait_for_selector("#confirm[open]")
    page.keyboard.press("Escape")
    assert page.input_value("#dialog [name=name]") == "Something"


def test_a_fact_is_edited_where_it_stands(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    page.click("#fact-phone")
    page.wait_for_selector("#fact-phone [name=phone]")
    page.keyboard.press("Escape")
    assert page.is_visible("#fact-phone button")
    page.click("#fact-phone")
    page.wait_for_selector("#fact-phone [name=phone]")
    page.keyboard.press("Control+a")
    page.keyboard.type("12345")
    page.keyboard.press("Enter")
    page.wait_for_selector("#fact-phone button")
    assert page.inner_text("#fact-phone") == "12345"
    assert page.locator("#fact-phone").count() == 1
    assert not window.problems


def test_a_draft_is_kept_and_the_composer_empties(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    page.keyboard.press("p")
    assert page.inner_text("[data-submit-label]") == "Log call"
    assert page.is_visible("[data-mode]")
    with page.expect_request(lambda request: "/drafts/" in request.url) as sent:
        page.keyboard.type("Called back")
    assert (sent.value.method, sent.value.post_data) == ("PUT", "text=Called+back")
    page.keyboard.press("Control+Enter")
    window.rest(250)
    assert page.input_value("#composer-text") == ""


def test_a_draft_is_kept_when_the_page_is_left_at_once(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    page.click("#composer-text")
    with page.expect_request(lambda request: "/drafts/" in request.url, timeout=2500) as sent:
        page.keyboard.type("Called")
        # What the browser says before it leaves; a request of a page that is gone can't be seen from here.
        page.evaluate("dispatchEvent(new Event('beforeunload'))")
    assert sent.value.post_data == "text=Called"


def test_the_palette_finds_and_opens(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "home")
    page.keyboard.press("Control+k")
    page.keyboard.type("tide")
    page.wait_for_selector("#palette-list a:has-text('Tidewater')")
    window.rest()
    page.keyboard.press("Enter")
    page.wait_for_url("**/style/record?id=7")
    assert not window.problems


def test_single_keys_rest_in_fields_and_when_switched_off(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address)
    page.click("#f-about")
    page.keyboard.type("new deal in november")
    assert page.locator("#dialog[open]").count() == 0
    page.click("h1")
    page.keyboard.press("?")
    page.uncheck("[data-single-keys]")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_timeout(150)
    assert page.locator("#dialog[open]").count() == 0


def test_the_theme_is_switched_and_remembered(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "home")
    page.keyboard.press("Shift+T")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"


def test_a_lost_session_keeps_the_text(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    page.route("**/style/toast", lambda route: route.fulfill(status=401, body=""))
    page.fill("#composer-text", "Do not lose me")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-toast] a[href='/login']")
    assert page.input_value("#composer-text") == "Do not lose me"


def test_a_dead_server_keeps_the_text(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    page.route("**/style/toast", lambda route: route.abort())
    page.fill("#composer-text", "Do not lose me")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("[data-toast]")
    assert page.input_value("#composer-text") == "Do not lose me"
    assert page.is_enabled("#composer [type=submit]")


def test_a_record_is_read_without_a_connection(open_window: Open, address: str) -> None:
    window = open_window()
    page = window.page
    window.go(address + "record")
    assert page.evaluate("navigator.serviceWorker.ready.then(found => found.active.scriptURL)").endswith(
        "/sw.js"
    )
