"""Every address of the product, asked by those who must not: strangers, other firms, roles without the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from billing import modes
from billing.accounts import AccountService
from billing.stripe.operations import OperationService
from kehu.core.ids import new_id
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import Shop
from kehu.web.access import PUBLIC, SIGNED_IN, USER
from kehu.web.security import PROVEN
from plugins.results import BillingMode
from tests.functional.attacks.world import SECRET, arguments, fill

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ROLES = ("owner", "admin", "manager", "member", "viewer")
ENDS = {"accounts.logout"}
"""Would end the session that goes on asking."""

STRIPE = "billing_orders."
"""Pages that are there with Stripe alone."""


@pytest.fixture(autouse=True)
def _billed() -> Iterator[None]:
    """Have the pages of the rent, which are not there while nothing is billed."""
    with modes.use(BillingMode.DEMO):
        yield


def addresses(app: Flask, ids: dict[str, str]) -> Iterator[tuple[str, str, str, Any]]:
    """Return method, address, what it asks for and its rule, of everything but the API and plugins."""
    urls = app.url_map.bind("localhost")
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if rule.rule.startswith(("/api/", "/x/", "/static")) or rule.endpoint in ENDS:
            continue
        if rule.endpoint.startswith(STRIPE) is not (modes.mode() is BillingMode.STRIPE):
            continue
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            url = urls.build(rule.endpoint, arguments(rule, ids), method=method)
            yield method, url, str(getattr(view, "kehu_access", "")), rule


def test_ids_of_another_firm_are_as_good_as_none(app: Flask, shop: Shop, other_shop: Shop) -> None:
    theirs, client, faults = fill(other_shop), shop.client(), []
    fill(shop)
    nothing = {key: str(new_id()) for key in theirs}
    invented = {rule[3].endpoint + rule[0]: rule[1] for rule in addresses(app, nothing)}
    for method, url, _access, rule in addresses(app, theirs):
        if not any(one.endswith("_id") and one != "job_id" for one in rule.arguments):
            continue
        foreign = client.open(url, method=method, buffered=True)
        none = client.open(invented[rule.endpoint + method], method=method, buffered=True)
        if foreign.status_code != none.status_code or foreign.status_code < 400:
            faults.append((method, url, foreign.status_code, none.status_code))
        if foreign.status_code >= 500 or SECRET in foreign.get_data(as_text=True):
            faults.append((method, url, foreign.status_code, "leak"))
    assert not faults, "\n".join(map(str, faults))


def test_strangers_are_led_to_the_door(app: Flask, shop: Shop) -> None:
    ids, faults = fill(shop), []
    client = browser(app, f"{shop.tenant.address}.localhost")
    for method, url, access, _rule in addresses(app, ids):
        if access == PUBLIC:
            continue
        answer = client.open(url, method=method, buffered=True)
        if answer.status_code != (303 if method == "GET" else 401) or (
            method == "GET" and not answer.location.startswith("/login")
        ):
            faults.append((method, url, answer.status_code, answer.location))
        assert SECRET not in answer.get_data(as_text=True)
    assert not faults, "\n".join(map(str, faults))


def test_members_of_other_firms_are_strangers_here(app: Flask, shop: Shop, other_shop: Shop) -> None:
    ids, faults = fill(other_shop), []
    client = shop.client()
    cookie = client.get_cookie("kehu_session", domain=f"{shop.tenant.address}.localhost")
    assert cookie is not None
    host = f"{other_shop.tenant.address}.localhost"
    guest = browser(app, host)
    guest.set_cookie("kehu_session", cookie.value, domain=host)
    for method, url, access, _rule in addresses(app, ids):
        if access in (PUBLIC, USER):
            continue
        answer = guest.open(url, method=method, buffered=True)
        if answer.status_code not in (303, 401, 403, 404) or SECRET in answer.get_data(as_text=True):
            faults.append((method, url, answer.status_code))
        if answer.status_code == 303 and "/login" not in answer.location and "/firms" not in answer.location:
            faults.append((method, url, answer.location))
    assert not faults, "\n".join(map(str, faults))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_may_and_nothing_else(app: Flask, shop: Shop, role: str) -> None:
    ids, faults = fill(shop), []
    actor = shop.owner if role == "owner" else shop.member(role)
    client = shop.client(actor)
    for method, url, access, _rule in addresses(app, ids):
        if access in (PUBLIC, USER):
            continue
        if access != SIGNED_IN and not actor.may(access):
            answer = client.open(url, method=method, buffered=True)
            if answer.status_code != 403:
                faults.append((method, url, access, answer.status_code))
        elif method == "GET":
            answer = client.open(url, buffered=True)
            # Records of others and actions on many may need more than the page itself.
            whole = access != SIGNED_IN and actor.scope(access) == "all" and "/bulk/" not in url
            if answer.status_code == 403 and whole:
                faults.append((method, url, access, answer.status_code))
            if answer.status_code >= 500:
                faults.append((method, url, access, answer.status_code))
    assert not faults, "\n".join(map(str, faults))


def test_a_form_of_another_site_changes_nothing(app: Flask, shop: Shop) -> None:
    ids, client, faults = fill(shop), shop.client(), []
    for method, url, _access, rule in addresses(app, ids):
        if method not in UNSAFE or getattr(app.view_functions[rule.endpoint], PROVEN, False):
            continue
        for headers in ({}, {"X-CSRF-Token": "forged"}):
            answer = client.open(url, method=method, forged=True, headers=headers)
            if answer.status_code != 409:
                faults.append((method, url, answer.status_code))
    assert not faults, "\n".join(map(str, faults))


def test_empty_forms_break_nothing(app: Flask, shop: Shop) -> None:
    ids, client, faults = fill(shop), shop.client(), []
    odd = {"version": "x", "ids": "x", "owner_id": "x", "name": "\ud800".encode("utf-8", "surrogatepass")}
    for method, url, _access, rule in addresses(app, ids):
        if method not in UNSAFE or "trash" in rule.rule or rule.endpoint.startswith("accounts."):
            continue
        for data in ({}, odd):
            answer = client.open(url, method=method, data=data)
            if answer.status_code >= 500:
                faults.append((method, url, answer.status_code))
    assert not faults, "\n".join(map(str, faults))


def test_orders_at_stripe_are_their_owners(app: Flask, shop: Shop, other_shop: Shop) -> None:
    with other_shop.work() as session, modes.use(BillingMode.STRIPE):
        AccountService(session).lock().stripe_customer_id = f"cus_{other_shop.tenant.id.hex}"
        order = str(OperationService(session).card("https://example.com/back", papers=False).id)
    ids, member = fill(shop), shop.member("member")
    stranger = browser(app, f"{shop.tenant.address}.localhost")
    with modes.use(BillingMode.STRIPE):
        found = list(addresses(app, ids))
        assert len(found) > 4
        for method, url, access, _rule in found:
            assert not member.may(access)
            assert shop.client(member).open(url, method=method).status_code == 403, url
            assert stranger.open(url, method=method).status_code == (303 if method == "GET" else 401), url
            if method in UNSAFE:
                assert shop.client().open(url, method=method, forged=True).status_code == 409, url
        for path in (f"/settings/billing/orders/{order}", f"/settings/billing/orders/{order}/state"):
            assert other_shop.client().get(path).status_code in (200, 204)
            assert shop.client().get(path).status_code == 404
