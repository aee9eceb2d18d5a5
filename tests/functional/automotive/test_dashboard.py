"""The dealer's numbers: each counts what its list shows, within what the reader may see, in few statements."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from kehu.addons.starter_rows import starter_id
from kehu.core import clock
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable

PAGE = "/x/automotive/dashboard"


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """A firm with a deal in each of two stages, visits, ends and an appraisal."""
    enable(shop, "automotive")
    with shop.work() as session:

        def make(kind: str, /, **values: object) -> str:
            return str(service_for(kind, session).create(values).id)

        anna = make("customers", name="Anna Berg", kind="person")
        deal = ""
        for key, times in (("lead", 2), ("offer", 1), ("lost", 1)):
            stage = str(starter_id(session, "automotive", f"sale.{key}"))
            for _time in range(times):
                more = {"lost_reason": "Price"} if key == "lost" else {}
                deal = make("deals", name="Golf", customer_id=anna, stage_id=stage, **more)
        make("automotive.visits", phone="+44 20 7946 4410")
        make("automotive.appraisals", deal_id=deal, odometer=48_000)
        make("automotive.accessories", deal_id=deal, name="Tow bar", state="ordered")
        item = make("owned_items", name="Golf", customer_id=anna)
        today = clock.today(shop.tenant.tz)
        for kind, days in (("warranty", 30), ("extended_warranty", 80), ("insurance", 10), ("warranty", 200)):
            make(
                "owned_item_terms",
                item_id=item,
                kind=kind,
                starts_on=(today - dt.timedelta(days=300)).isoformat(),
                ends_on=(today + dt.timedelta(days=days)).isoformat(),
            )
    return shop


def numbers(page: str) -> dict[str, tuple[str, int]]:
    """Return label -> address and count."""
    found = re.findall(r'<dt><a href="([^"]+)">([^<]+)</a></dt><dd[^>]*>\D*?(\d+)', page)
    return {label: (url.replace("&amp;", "&"), int(count)) for url, label, count in found}


def test_each_number_is_that_of_its_list(dealer: Shop) -> None:
    client = dealer.client()
    client.get(PAGE)
    with count_queries() as found:
        page = client.get(PAGE).get_data(as_text=True)
    assert len(found) <= 17
    shown = numbers(page)
    counts = {label: count for label, (_url, count) in shown.items()}
    assert counts["Lead"] == 2
    assert counts["Offer"] == counts["Visits today"] == counts["Cars to appraise"] == 1
    assert counts["Warranties that end"] == 2
    assert counts["Insurances that end"] == counts["Accessories to be fitted"] == 1
    assert "Lost" not in counts
    for label, (url, count) in shown.items():
        answer = client.get(url)
        assert answer.status_code == 200, label
        base = re.escape(url.partition("?")[0])
        rows = len(set(re.findall(rf"{base}/([0-9a-f-]{{36}})", answer.get_data(as_text=True))))
        if not url.startswith(("/x/automotive/showroom", "/x/automotive/second-car")):
            assert rows == count, (label, url, rows)


def test_the_card_leaves_out_what_is_nothing(dealer: Shop, other_shop: Shop) -> None:
    panel = dealer.client().get(f"{PAGE}/panel").get_data(as_text=True)
    assert "Lead" in panel
    assert "Inspections that are due" not in panel
    enable(other_shop, "automotive")
    assert "Nothing waits just now" in other_shop.client().get(f"{PAGE}/panel").get_data(as_text=True)


def test_nobody_counts_what_he_may_not_see(dealer: Shop) -> None:
    with dealer.work() as session:
        from sqlalchemy import select

        from kehu.members.models import Role

        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {"automotive.dashboard:read": "all", "deals:read": "own"}
    page = dealer.client(dealer.member("viewer")).get(PAGE).get_data(as_text=True)
    counts = {label: count for label, (_url, count) in numbers(page).items()}
    assert counts["Lead"] == 0
    assert "Visits today" not in counts
