"""Every page of the dealer module that its address alone opens, and one record of each kind: phone and desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kehu.addons.samples import SampleService
from kehu.core.records.types import registered
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable, run_job_now
from kehu.testkit.window import Window, serve
from tests.browser.test_every_page import NO_PAGE_ENDS, shown, sign_in

pytestmark = pytest.mark.browser
Open = Callable[..., Window]
BASE = "/x/automotive/"


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """Where a dealer is, the morning after the module was filled with its samples."""
    enable(shop, "automotive")
    with shop.work() as session:
        SampleService(session).fill("automotive")
    run_job_now(shop, "automotive.second_car")
    with serve(shop.app) as port:
        yield f"http://{shop.tenant.address}.localhost:{port}"


def whole_pages(shop: Shop) -> list[str]:
    """Return the addresses under the module that answer with a whole page and need nothing else."""
    client = shop.client()
    rules = [
        rule.rule
        for rule in shop.app.url_map.iter_rules()
        if rule.rule.startswith(BASE) and "GET" in (rule.methods or ()) and not rule.arguments
    ]
    found = []
    for rule in sorted(rule for rule in rules if not rule.endswith(NO_PAGE_ENDS)):
        answer = client.get(rule)
        # Cards and panels are about a record, which is not named here.
        assert answer.status_code in (200, 404), rule
        if answer.status_code == 200 and "</html>" in answer.text:
            found.append(rule)
    return found


def record_pages(shop: Shop) -> list[str]:
    """Return the page of one record of each kind that there is one of."""
    found = []
    with shop.work() as session:
        for kind in registered().values():
            model: Any = kind.model
            if kind.name.startswith("automotive."):
                one = session.query(model.id).filter(model.deleted_at.is_(None)).order_by(model.id).first()
                found += [kind.url(one.id)] if one is not None else []
    return found


@pytest.mark.parametrize(
    ("size", "dark", "locale"),
    [("phone", True, "ru"), ("desk", False, "en")],
    ids=["phone-dark-ru", "desk-light-en"],
)
def test_every_page_of_a_dealer_is_sound(
    open_window: Open, shop: Shop, address: str, size: str, dark: bool, locale: str
) -> None:
    pages = whole_pages(shop)
    assert len(pages) > 20
    if size == "desk":
        # Lists of records look like those of the core, which are looked at in this size elsewhere.
        with shop.work():
            lists = {f"{BASE}{name.partition('.')[2]}" for name in registered()}
        pages = [page for page in pages if page not in lists]
    else:
        pages += record_pages(shop)
    window = open_window(size, dark=dark)
    sign_in(window, shop, address, locale)
    wrong = {path: found for path in pages if (found := shown(window, address + path, rest=150))}
    assert not wrong
