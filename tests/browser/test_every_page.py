"""Every page that a member can open by its address alone, and one record of each kind, in a real browser."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from kehu.accounts.models import User
from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.window import Window, serve

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
KIB = 1024
#: Data and files for programs, answers to scripts, pages that lead elsewhere.
NO_PAGES = (
    "/api/",
    "/dev/",
    "/domain-served",
    "/healthz",
    "/language",
    "/metrics",
    "/operator",
    "/palette",
    "/readyz",
    "/static/",
    "/sw.js",
    "/x/",
)
NO_PAGE_ENDS = (
    "lookup",
    "/billing/back",
    "/billing/plan",
    "/columns",
    "/count",
    "/counts",
    "/criteria",
    "/lost",
    "/new",
    "/numbers/preview",
    "/proposal",
    ".csv",
    ".json",
    ".jsonl",
    ".webmanifest",
    ".xlsx",
)


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where the shop is, with a little of everything in it."""
    fill(shop)
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def fill(shop: Shop) -> None:
    """Add records with names of three scripts."""
    with shop.work() as session:
        customers = [
            service_for("customers", session).create({"name": name, "tags": ["VIP"]})
            for name in ("Northwind Joinery", "上海明德贸易", "Самара Логистик")
        ]
        first = customers[0].id
        service_for("contacts", session).create({"name": "张伟", "customer_id": first})
        service_for("products", session).create({"name": "Oak desk"})
        for at, name in enumerate(("Shop fit-out", "Bulk order")):
            service_for("deals", session).create(
                {"name": name, "customer_id": first, "amount": 145000 * (at + 1)}
            )
        service_for("tickets", session).create({"subject": "Scratch on panel", "customer_id": first})
        due = clock.now() - dt.timedelta(days=1)
        service_for("activities", session).create(
            {"kind": "call", "subject": "Call back", "customer_id": first, "due_at": due}
        )


def pages(app: Flask) -> list[str]:
    """Return the addresses of pages that need nothing but the address."""
    found = {
        rule.rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
    }
    return sorted(rule for rule in found if not rule.startswith(NO_PAGES) and not rule.endswith(NO_PAGE_ENDS))


def sign_in(window: Window, shop: Shop, address: str, locale: str) -> None:
    """Give the browser the cookie of the owner, who reads a language."""
    with shop.work() as session:
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        user.locale = locale
    client: Any = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    window.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])


def shown(window: Window, url: str, rest: int = 0) -> list[str]:
    """Return what is wrong with a page.

    :param rest: milliseconds after it is loaded; nought waits until nothing more comes.
    """
    answer = window.page.goto(url)
    window.page.wait_for_timeout(rest) if rest else window.rest()
    wrong = [] if answer is not None and answer.status == 200 else [f"answers {answer and answer.status}"]
    wide = window.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    wrong += [f"scrolls sideways by {wide}"] if wide > 0 else []
    wrong += window.axe() + window.problems
    window.problems.clear()
    return wrong


def records(window: Window, address: str) -> list[str]:
    """Return the address of the first record of each list."""
    found = []
    for name in ("customers", "contacts", "deals", "tickets", "activities", "products"):
        window.go(f"{address}/{name}?view=all")
        link = window.page.locator("[data-row-link]").first
        found.append(str(link.get_attribute("href")))
    return found


@pytest.mark.parametrize(
    ("size", "dark", "locale"),
    [("desk", False, "en"), ("phone", True, "ru"), ("desk", True, "zh_Hans")],
    ids=["desk-light-en", "phone-dark-ru", "desk-dark-zh"],
)
def test_every_page_is_sound(
    open_window: Open, shop: Shop, address: str, size: str, dark: bool, locale: str
) -> None:
    window = open_window(size, dark=dark)
    sign_in(window, shop, address, locale)
    paths = [*pages(shop.app), *records(window, address)]
    wrong = {path: found for path in paths if (found := shown(window, address + path))}
    assert not wrong


def test_later_pages_are_light(open_window: Open, shop: Shop, address: str) -> None:
    window = open_window()
    sign_in(window, shop, address, "en")
    window.go(f"{address}/")
    assert window.weight() <= 160 * KIB
    for key in ("customers", "deals", "tickets"):
        window.page.click(f".k-side [data-nav-key={key}]")
        window.rest()
        loaded = [size for url, size in window.sent if "/static/" not in url]
        assert sum(loaded) <= 15 * KIB, (key, window.sent)
        window.sent.clear()
