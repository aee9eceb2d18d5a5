"""A firm gets another name: the old one leads there and is nobody else's for ninety days."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from flask import Flask
from sqlalchemy import select

from kehu.accounts.models import User
from kehu.core import clock, context, db
from kehu.core.audit import AuditEntry
from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.testkit.browser import browser
from kehu.testkit.fixtures import PASSWORD, Shop, make_shop
from tenants import addresses
from tenants.domains.renaming import MOST, AddressService
from tenants.provision import NewTenant, provision

PAGE = "/settings/address"
DAY = dt.timedelta(days=1)


def fresh() -> str:
    return f"n{new_id().hex[-12:]}"


@pytest.fixture
def owned(shop: Shop) -> Shop:
    """A firm whose owner has a password."""
    from flask_security import hash_password

    with shop.work() as session:
        user = session.get(User, shop.owner.user_id)
        assert user is not None
        user.password = hash_password(PASSWORD)
    return shop


def rename(shop: Shop, address: str) -> None:
    with shop.work() as session:
        shop.tenant = AddressService(session).rename(address)


def test_an_owner_renames_and_stays_signed_in_on_the_new_host(app: Flask, owned: Shop) -> None:
    client, old, new = owned.client(), owned.tenant.address, fresh()
    for given, word in (
        ({"address": new, "current": "wrong password"}, "not your present password"),
        ({"address": "no spaces here", "current": PASSWORD}, "small letters"),
        ({"address": "billing", "current": PASSWORD}, "kept for the service"),
        ({"address": old, "current": PASSWORD}, "is the address already"),
    ):
        refused = client.post(PAGE, data=given)
        assert (refused.status_code, word in refused.text) == (422, True), word
        assert PASSWORD not in refused.text
    answer = client.post(PAGE, data={"address": new.upper(), "current": PASSWORD})
    assert answer.status_code == 303
    there = answer.headers["Location"]
    assert there.startswith(f"http://{new}.localhost:8000/enter/")
    after = browser(app, f"{new}.localhost")
    assert after.get("/enter/" + there.split("/enter/")[1]).status_code == 303
    assert after.get(PAGE).status_code == 200
    assert f"{old}.localhost" in after.get(PAGE).text
    with owned.work() as session:
        entry = session.execute(
            select(AuditEntry).where(AuditEntry.object == "tenants").order_by(AuditEntry.id.desc())
        )
        assert entry.scalars().first().changes == {"address": [old, new]}


def test_the_old_host_leads_on_for_ninety_days_and_then_nowhere(app: Flask, owned: Shop) -> None:
    client, old, new = owned.client(), owned.tenant.address, fresh()
    rename(owned, new)
    stranger = browser(app, f"{old}.localhost")
    answer = stranger.get("/login?next=/deals")
    assert (answer.status_code, answer.headers["Location"]) == (
        307,
        f"http://{new}.localhost:8000/login?next=/deals",
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert stranger.post("/x/automotive/leads", forged=True).status_code == 307
    kept = client.get("/customers?sort=name")
    assert kept.status_code == 303
    there = kept.headers["Location"]
    assert there.startswith(f"http://{new}.localhost:8000/enter/")
    after = browser(app, f"{new}.localhost")
    assert after.get("/enter/" + there.split("/enter/")[1]).headers["Location"] == "/customers?sort=name"
    assert after.get("/customers").status_code == 200
    with clock.ahead(DAY * 89):
        assert stranger.get("/login").status_code == 307
    with clock.ahead(DAY * 91):
        assert stranger.get("/login").status_code == 200


def test_nobody_else_gets_the_old_name_for_ninety_days_but_its_firm_may_go_back(
    owned: Shop, other_shop: Shop
) -> None:
    old, new = owned.tenant.address, fresh()
    rename(owned, new)
    with other_shop.work() as session:
        assert not addresses.is_free(session, old)
        with pytest.raises(InvalidInput, match="is taken"):
            AddressService(session).rename(old)
        with pytest.raises(InvalidInput, match="is taken"):
            AddressService(session).rename(new)
    with clock.ahead(DAY * 91), other_shop.work() as session:
        assert addresses.is_free(session, old)
        session.rollback()
    rename(owned, old)
    with owned.work() as session:
        assert [one.address for one in AddressService(session).old()] == [new]


def test_a_firm_does_not_collect_names(owned: Shop) -> None:
    for _time in range(MOST):
        rename(owned, fresh())
    with owned.work() as session, pytest.raises(InvalidInput, match="3 times within 90 days"):
        AddressService(session).rename(fresh())
    with clock.ahead(DAY * 91):
        rename(owned, fresh())


@pytest.mark.parametrize("role", ["admin", "manager", "viewer"])
def test_only_owners_rename(shop: Shop, role: str) -> None:
    client = shop.client(shop.member(role))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, data={"address": fresh(), "current": PASSWORD}).status_code == 403
    assert client.post(f"{PAGE}/domain", data={"host": "crm.example.com"}).status_code == 403


def test_of_many_who_want_a_name_at_once_one_gets_it_also_one_that_is_being_left(
    app: Flask, owned: Shop
) -> None:
    wanted, old = fresh(), owned.tenant.address
    shops = [make_shop(app) for _shop in range(4)]
    barrier, won = threading.Barrier(6), []

    def want(shop: Shop) -> None:
        try:
            with shop.work() as session:
                barrier.wait()
                AddressService(session).rename(wanted)
            won.append(shop.tenant.id)
        except InvalidInput:
            pass

    def found() -> None:
        wish = NewTenant(
            name="Newcomer", address=old, country="GB", currency="GBP", zone="Europe/London", locale="en"
        )
        try:
            with app.app_context(), db.unit_of_work(actor=context.SYSTEM) as session:
                owner = session.execute(select(User).limit(1)).scalar_one()
                barrier.wait()
                addresses.hold(session, old)
                if not addresses.is_free(session, old):
                    raise addresses.taken(old)
                provision(session, wish, owner)
            won.append("newcomer")
        except InvalidInput:
            pass

    def leave() -> None:
        with owned.work() as session:
            barrier.wait()
            owned.tenant = AddressService(session).rename(fresh())

    threads = [threading.Thread(target=want, args=(shop,)) for shop in shops]
    threads += [threading.Thread(target=found), threading.Thread(target=leave)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert "newcomer" not in won
