"""Every address of the module for dealers: asked by other firms, by members who see their own alone, with rubbish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kehu.core.ids import new_id
from kehu.core.records.types import registered
from kehu.members.models import Role
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from kehu.testkit.rest import Caller
from kehu.web import limits
from kehu.web.security import PROVEN
from plugins.blueprint import VISITOR, access_of
from tests.functional.attacks.dealer_world import PHONE, PLATE, SECRET, dealer_arguments, fill_dealer
from tests.functional.attacks.test_every_address import UNSAFE

OPEN = ("demo_cars", "vehicle_models", "warranty_plans", "lead-", "collisions", "lead_", "number", "plate")
"""What nobody owns: seen by its own right, however narrow the others are."""
ODD = {
    "version": "x",
    "ids": "x",
    "owner_id": "x",
    "minutes": "00005" + "9" * 60,
    "year": "9" * 5000,
    "shown": "²",
    "from_at": "9999-12-31T23:59",
    "to_at": "0001-01-01",
    "customer_id": "x",
    "record_id": "x",
    "read_on": "-1",
    "out_km": "9" * 30,
    "back_km": "1e9",
    "result": "follow_up-b",
    "people": "²",
    "field": "year",
    "away_until": "9999-99-99",
    "drivers": "9" * 40,
    "days": "9" * 5000,
    "after": "²." + "0" * 32,
    "at": "9999-12-31T23:59:59+14:00",
    "day": "2026-02-30",
    "phone": "²" * 30,
    "email": "@",
    "kind": "x",
    "reached": "1",
    "name": "\ud800".encode("utf-8", "surrogatepass"),
    "handed_over_km": "²",
    "state": "x",
    "months": "9" * 40,
    "km": "9" * 40,
    "shares": "²",
}


@pytest.fixture(autouse=True)
def unhurried() -> Iterator[None]:
    limits.limiter.reset()
    yield
    limits.limiter.reset()


def rules(app: Flask, ids: dict[str, str]) -> Iterator[tuple[str, str, str, Any]]:
    """Return method, address, what it asks for and its rule, of the pages of the module."""
    urls = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if not rule.rule.startswith("/x/automotive/") or rule.endpoint.endswith(".static"):
            continue
        access = access_of(app.view_functions[rule.endpoint])
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            url = urls.build(rule.endpoint, dealer_arguments(rule, ids), method=method)
            yield method, url, access, rule


def ask(client: Browser, method: str, url: str, **more: Any) -> tuple[int, str]:
    """Return status and text of an answer; what breaks counts as 500."""
    try:
        answer = client.open(url, method=method, buffered=True, **more)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
        return 500, f"{type(error).__name__}: {error}"
    return answer.status_code, answer.get_data().decode("utf-8", "replace")


def narrow(shop: Shop, *kinds: str) -> Any:
    """Return a member whose rights on records of some kinds, or of all, reach only his own."""
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "manager")).scalar_one()
        role.permissions = {
            code: "own" if not kinds or code.split(":")[0] in kinds else scope
            for code, scope in role.permissions.items()
        }
    return shop.member("manager", "Narrow Eyes")


def told(text: str) -> bool:
    """Tell whether a text tells of what the reader may not see."""
    return any(word in text for word in (SECRET, PLATE, PHONE[3:], "20 7946 0123", "zanzibar@"))


def states(shop: Shop, ids: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with shop.work() as session:
        for kind, one in registered().items():
            if kind in ids:
                model: Any = one.model
                row = session.execute(select(model).where(model.id == ids[kind])).scalar_one()
                found[kind] = (row.version, row.deleted_at, getattr(row, one.owner) if one.owner else None)
    return found


def test_another_firm_finds_nothing(app: Flask, shop: Shop, other_shop: Shop) -> None:
    theirs, mine = fill_dealer(other_shop), fill_dealer(shop)
    before, client, faults = states(other_shop, theirs), shop.client(), []
    urls = app.url_map.bind("localhost")
    for method, url, access, rule in rules(app, theirs):
        named = [name for name in rule.arguments if name.endswith("_id")] or "secret" in rule.arguments
        if not named:
            continue
        foreign = ask(client, method, url)
        if foreign[0] == 404 and PLATE not in foreign[1]:
            continue
        nothing = urls.build(
            rule.endpoint, dealer_arguments(rule, dict.fromkeys(theirs, str(new_id()))), method=method
        )
        none = ask(client, method, nothing)
        if (
            foreign[0] != none[0]
            or (foreign[0] < 400 and access != VISITOR)
            or foreign[0] >= 500
            or PLATE in foreign[1]
        ):
            faults.append((method, url, foreign[0], none[0], foreign[1][:300] if foreign[0] >= 500 else ""))
    given = {key: theirs[key] for key in ("customers", "deals")}
    for path, words in (
        (
            "drives/book",
            {"demo_car_id": theirs["automotive.demo_cars"], "driver": "X", "from_at": "2030-01-07T10:00"},
        ),
        ("lead-rules", {"source": "x", "member_id": theirs["member_id"]}),
        (f"lead-turns/{theirs['member_id']}", {"takes": "1"}),
        (
            f"vehicles/{mine['automotive.vehicles']}/people",
            {"role": "driver", "customer_id": given["customers"]},
        ),
        ("accessories/new", {"name": "X", "deal_id": given["deals"]}),
        ("demo_cars/new", {"kind": "car", "vehicle_id": theirs["automotive.vehicles"], "full": "1"}),
    ):
        status, _text = ask(client, "POST", f"/x/automotive/{path}", data=words)
        if status not in (404, 422):
            faults.append((path, status))
    call = Caller(shop)
    for kind in (one for one in theirs if one.startswith("automotive.")):
        path = f"x/{kind.replace('.', '/')}"
        for method, at in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
            answer = call(
                method,
                f"{path}/{theirs[kind]}{at}",
                {} if method in ("PATCH", "POST") else None,
                If_Match="*",
            )
            if answer.status_code != 404:
                faults.append((method, path, answer.status_code))
    assert states(other_shop, theirs) == before
    assert not faults, "\n".join(map(str, faults))


def test_who_sees_his_own_sees_nothing_of_others(app: Flask, shop: Shop) -> None:
    ids = fill_dealer(shop)
    actor, faults = narrow(shop), []
    before, client, call = states(shop, ids), shop.client(actor), Caller(shop, actor=actor)
    customer, deal = ids["customers"], ids["deals"]
    more = [
        "/", "/x/automotive/dashboard", "/search?q=zanzibar", "/palette?q=zanzibar", "/trash",
        f"/x/automotive/plate?plate={PLATE}", "/x/automotive/number?vin=1M8GDM9AXKP042788",
        *(f"/x/automotive/{path}?customer_id={customer}" for path in ("panel", "protection/panel", "second-car/panel")),
        *(f"/x/automotive/{path}?deal_id={deal}" for path in ("appraisals/panel", "accessories/panel", "drives/book")),
        *(f"/lookup/{kind}?q=zanzibar" for kind in ids if kind.startswith("automotive.")),
        *(f"/x/{kind.replace('.', '/')}?view=all" for kind in ids if kind.startswith("automotive.")),
        *(f"/x/{kind.replace('.', '/')}/export.csv?view=all" for kind in ids if kind.startswith("automotive.")),
        "/reports",
    ]  # fmt: skip
    pages = [(method, url) for method, url, access, _rule in rules(app, ids) if access != VISITOR]
    for method, url in [*pages, *(("GET", url) for url in more)]:
        if method == "GET" and not any(f"/{word}" in url for word in OPEN[:6]):
            status, text = ask(client, method, url)
            if status >= 500 or told(text.replace(f'value="{PLATE}"', "")):
                faults.append((method, url, status, text[:300] if status >= 500 else "told"))
    for method, url in pages:
        if method in UNSAFE and not any(f"/{word}" in url for word in OPEN):
            status, text = ask(
                client, method, url, data={"name": "Taken", "version": "1", "outcome": "called"}
            )
            if status >= 500 or (told(text) and status != 422):
                faults.append((method, url, status, text[:300] if status >= 500 else "told"))
    for kind in (one for one in ids if one.startswith("automotive.") and registered_owner(shop, one)):
        path = f"x/{kind.replace('.', '/')}"
        read = (path, f"{path}?q=zanzibar", f"{path}/{ids[kind]}")
        faults += [("GET", at) for at in read if SECRET in call("GET", at).get_data(as_text=True)]
        if call("PATCH", f"{path}/{ids[kind]}", {}, If_Match="*").status_code not in (403, 404):
            faults.append(("PATCH", path))
    assert states(shop, ids) == before
    assert not faults, "\n".join(map(str, faults))


def test_no_record_names_what_lies_out_of_sight(app: Flask, shop: Shop) -> None:
    ids = fill_dealer(shop, "Plain")
    actor = narrow(shop, "customers", "contacts", "deals", "owned_items", "automotive.vehicles")
    client, faults = shop.client(actor), []
    pages = [url for method, url, access, _rule in rules(app, ids) if method == "GET" and access != VISITOR]
    pages += [
        f"/bookings/{ids['booking_id']}",
        "/bookings/board",
        "/x/automotive/dashboard",
        "/activities?view=all",
        "/",
    ]
    pages += [
        f"/x/{one.replace('.', '/')}?q=zanzibar&view=all" for one in ids if one.startswith("automotive.")
    ]
    for url in pages:
        status, text = ask(client, "GET", url)
        text = text.replace("q=zanzibar", "")
        if status >= 500 or SECRET in text or PLATE in text:
            faults.append((url, status))
    assert not faults, "\n".join(map(str, faults))


def registered_owner(shop: Shop, kind: str) -> str:
    with shop.work():
        return registered()[kind].owner


def test_a_form_of_another_site_changes_nothing(app: Flask, shop: Shop) -> None:
    ids = fill_dealer(shop)
    client, before, asked, faults = shop.client(), states(shop, ids), 0, []
    for method, url, _access, rule in rules(app, ids):
        if method in UNSAFE and not getattr(app.view_functions[rule.endpoint], PROVEN, False):
            asked += 1
            if (status := client.open(url, method=method, forged=True).status_code) != 409:
                faults.append((method, url, status))
    assert asked > 100
    assert states(shop, ids) == before
    assert not faults, "\n".join(map(str, faults))


def test_rubbish_breaks_no_page(app: Flask, shop: Shop) -> None:
    ids, client, faults = fill_dealer(shop), shop.client(), []
    good = {
        "demo_car_id": ids["automotive.demo_cars"],
        "car": ids["automotive.demo_cars"],
        "driver": "X",
        "name": "X",
    }
    good.update(
        {
            "reason": "x",
            "make": "x",
            "phone": "020 7946 0111",
            "email": "a@b.de",
            "customer_id": ids["customers"],
        }
    )
    for method, url, _access, rule in rules(app, ids):
        # The pages of records are those of the platform, see test_texts.
        if rule.endpoint.startswith("x_") or "drives/link" in url:
            continue
        for sent in (ODD, {**ODD, **good}):
            key = "data" if method in UNSAFE else "query_string"
            status, text = ask(client, method, url, **{key: sent})
            if status >= 500:
                faults.append((method, rule.rule, text[:300]))
    assert not faults, "\n".join(map(str, faults))
