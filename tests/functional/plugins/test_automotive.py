"""The built-in plugin from the switch to its data, and everything that must not be seen while it is off."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from kehu.accounts.models import User
from kehu.core.ids import new_id
from kehu.customers.services import CustomerService
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop

ON, OFF = "/settings/plugins/automotive/on", "/settings/plugins/automotive/off"
VIN = "WVWZZZ1JZXW000001"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def make_customer(shop: Shop, name: str = "Harbour Taxis", **more: Any) -> str:
    with shop.work() as session:
        return str(CustomerService(session).create({"name": name, **more}).id)


def car(**changes: str) -> dict[str, str]:
    return {"make": "VW", "model": "Golf", "vin": VIN, "plate": "ab 12 cde", "year": "1999", **changes}


def plain(body: str, path: str) -> str:
    """Return a page without what differs from request to request."""
    body = re.sub(r'X-CSRF-Token":"[^"]+|name="csrf_token" value="[^"]+', "", body)
    return body.replace(path, "PATH").replace(path.replace("/", "%2F"), "PATH")


@pytest.fixture
def admin(shop: Shop) -> Browser:
    """A browser of an admin."""
    return shop.client(shop.member("admin"))


@pytest.fixture
def dealer(shop: Shop, admin: Browser) -> Shop:
    """A firm with the plugin switched on."""
    assert admin.post(ON).status_code == 303
    return shop


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tail", ["/vehicles", "/vehicles/", "//vehicles", "", "/customers/1/panel"])
def test_off_it_looks_like_a_page_that_never_was(shop: Shop, method: str, tail: str) -> None:
    client = shop.client()
    there, nowhere = f"/x/automotive{tail}", f"/x/nonesuch12{tail}"
    answers = [client.open(path, method=method) for path in (there, nowhere)]
    first, second = answers
    assert first.status_code == second.status_code == 404
    pages = [
        plain(answer.get_data(as_text=True), path)
        for answer, path in zip(answers, (there, nowhere), strict=True)
    ]
    assert pages[0] == pages[1]
    headers = [
        {name for name in answer.headers.keys() if name not in ("Content-Length", "Set-Cookie")}  # noqa: SIM118
        for answer in answers
    ]
    assert headers[0] == headers[1]


def test_switched_on_by_an_admin_it_shows_for_this_firm_alone(
    shop: Shop, other_shop: Shop, admin: Browser
) -> None:
    customer = make_customer(shop)
    client = shop.client()
    page = client.get("/settings/plugins").get_data(as_text=True)
    assert "Car dealer" in page
    assert ON in page
    assert "/x/automotive" not in client.get(f"/customers/{customer}").get_data(as_text=True)
    assert shop.client(shop.member("member")).post(ON).status_code == 403
    answer = admin.post(ON)
    assert (answer.status_code, answer.location) == (303, "/settings/plugins")
    page = client.get(f"/customers/{customer}").get_data(as_text=True)
    assert 'href="/x/automotive/vehicles"' in page
    assert f"/x/automotive/panel?customer_id={customer}" in page
    assert client.get("/x/automotive/vehicles").status_code == 200
    assert OFF in client.get("/settings/plugins").get_data(as_text=True)
    stranger = other_shop.client()
    assert stranger.get("/x/automotive/vehicles").status_code == 404
    assert "/x/automotive" not in stranger.get("/").get_data(as_text=True)


def test_a_vehicle_comes_goes_and_comes_back(dealer: Shop) -> None:
    customer, client = make_customer(dealer), dealer.client()
    panel = f"/x/automotive/panel?customer_id={customer}"
    assert "No vehicle is known yet" in client.get(panel).get_data(as_text=True)
    assert "Add vehicle" in client.get(f"/x/automotive/customers/{customer}/new").get_data(as_text=True)
    answer = client.post(f"/x/automotive/customers/{customer}/new", data=car(odometer="120000"))
    assert (answer.status_code, answer.location) == (303, f"/customers/{customer}")
    page = client.get(panel).get_data(as_text=True)
    assert "VW Golf" in page
    assert "AB12CDE" in page
    assert "120,000" in page
    remove = re.search(r"/x/automotive/vehicles/[0-9a-f-]+/remove", page)
    assert remove is not None
    listed = client.get("/x/automotive/vehicles?q=ab-12").get_data(as_text=True)
    assert "VW Golf" in listed
    assert "Harbour Taxis" in listed
    assert "VW Golf" not in client.get("/x/automotive/vehicles?q=zz").get_data(as_text=True)
    assert client.post(remove[0]).status_code == 303
    client.get("/")  # Shows the toast that was still waiting.
    assert "VW Golf" not in client.get(panel).get_data(as_text=True)
    assert client.post(remove[0]).status_code == 404
    restore = remove[0].replace("/remove", "/restore")
    assert client.post(restore).status_code == 303
    assert "VW Golf" in client.get(panel).get_data(as_text=True)
    assert client.post(restore).status_code == 404


def test_a_vin_stands_once(dealer: Shop) -> None:
    customer, client = make_customer(dealer), dealer.client()
    new = f"/x/automotive/customers/{customer}/new"
    assert client.post(new, data=car()).status_code == 303
    answer = client.post(new, data=car(make="Audi", vin=VIN.lower()))
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Another vehicle has this VIN already" in page
    assert 'value="Audi"' in page
    first = re.search(
        r"/x/automotive/vehicles/[0-9a-f-]+/remove",
        client.get(f"/x/automotive/panel?customer_id={customer}").get_data(as_text=True),
    )
    assert first is not None
    client.post(first[0])
    assert client.post(new, data=car(make="Audi")).status_code == 303
    assert client.post(first[0].replace("/remove", "/restore")).status_code == 422


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("make", ""),
        ("model", "\u200b \x00"),
        ("vin", "WVWZZZ1JZXW00000O"),
        ("vin", "short"),
        ("plate", "X" * 16),
        ("year", "1885"),
        ("year", "9" * 400),
        ("odometer", "-1"),
        ("odometer", "5000001"),
        ("odometer", "1e3"),
    ],
)
def test_what_is_wrong_is_named(dealer: Shop, field: str, value: str) -> None:
    customer, client = make_customer(dealer), dealer.client()
    answer = client.post(f"/x/automotive/customers/{customer}/new", data=car(**{field: value}))
    assert answer.status_code == 422
    assert "k-error" in answer.get_data(as_text=True)


def test_foreign_and_broken_ids_are_nothing(dealer: Shop, other_shop: Shop) -> None:
    other_shop.client().post(ON)
    theirs, stranger = make_customer(other_shop), other_shop.client()
    stranger.post(f"/x/automotive/customers/{theirs}/new", data=car())
    page = stranger.get(f"/x/automotive/panel?customer_id={theirs}").get_data(as_text=True)
    vehicle = re.search(r"/x/automotive/vehicles/[0-9a-f-]+", page)
    assert vehicle is not None
    client = dealer.client()
    for wrong in (theirs, str(new_id()), "x", "0", "%00"):
        assert client.get(f"/x/automotive/panel?customer_id={wrong}").status_code == 404
        assert client.get(f"/x/automotive/customers/{wrong}/new").status_code == 404
        assert client.post(f"/x/automotive/customers/{wrong}/new", data=car()).status_code == 404
    for action in ("remove", "restore"):
        assert client.post(f"{vehicle[0]}/{action}").status_code == 404
        assert client.post(f"/x/automotive/vehicles/x/{action}").status_code == 404
    assert client.get("/x/automotive/vehicles?after=x").status_code == 200
    assert VIN in stranger.get("/x/automotive/vehicles").get_data(as_text=True)
    assert VIN not in client.get("/x/automotive/vehicles").get_data(as_text=True)
    # The VIN is free here: whether another firm has it is not told.
    own = make_customer(dealer)
    assert client.post(f"/x/automotive/customers/{own}/new", data=car()).status_code == 303


def test_a_viewer_sees_and_cannot_write(dealer: Shop) -> None:
    customer = make_customer(dealer)
    dealer.client().post(f"/x/automotive/customers/{customer}/new", data=car())
    viewer = dealer.client(dealer.member("viewer"))
    page = viewer.get(f"/x/automotive/panel?customer_id={customer}").get_data(as_text=True)
    assert "VW Golf" in page
    assert "/remove" not in page
    assert "Add vehicle" not in page
    assert viewer.get(f"/x/automotive/customers/{customer}/new").status_code == 403
    assert viewer.post(f"/x/automotive/customers/{customer}/new", data=car()).status_code == 403
    found = re.search(
        r"/x/automotive/vehicles/[0-9a-f-]+/remove",
        dealer.client().get(f"/x/automotive/panel?customer_id={customer}").get_data(as_text=True),
    )
    assert found is not None
    assert viewer.post(found[0]).status_code == 403


def test_a_member_who_sees_only_his_own_customers_sees_only_their_vehicles(dealer: Shop) -> None:
    from sqlalchemy import select

    from kehu.members.models import Role

    mine, member = make_customer(dealer, "Not his"), dealer.member("member")
    dealer.client().post(f"/x/automotive/customers/{mine}/new", data=car())
    with dealer.work() as session:
        role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        role.permissions = {**role.permissions, "customers:read": "own", "customers:write": "own"}
    client = dealer.client(member)
    assert client.get(f"/x/automotive/panel?customer_id={mine}").status_code == 404
    page = client.get("/x/automotive/vehicles").get_data(as_text=True)
    assert "Not his" not in page
    assert VIN not in page


def test_off_hides_and_keeps(dealer: Shop, admin: Browser) -> None:
    customer, client = make_customer(dealer), dealer.client()
    client.post(f"/x/automotive/customers/{customer}/new", data=car())
    assert admin.post(OFF).status_code == 303
    assert client.get("/x/automotive/vehicles").status_code == 404
    client.get("/")  # Shows the toast that was still waiting.
    assert "/x/automotive" not in client.get(f"/customers/{customer}").get_data(as_text=True)
    with dealer.work() as session:
        kept = session.execute(
            text("SELECT count(*) FROM p_automotive.vehicles WHERE tenant_id = :id"), {"id": dealer.tenant.id}
        )
        assert kept.scalar_one() == 1
    assert admin.post(ON).status_code == 303
    assert VIN in client.get("/x/automotive/vehicles").get_data(as_text=True)


def test_admins_see_it_in_pictures_and_in_their_language(shop: Shop, admin: Browser) -> None:
    page = admin.get("/settings/plugins/automotive").text
    assert 'src="/settings/plugins/automotive/pictures/showroom.jpg" alt="The showroom' in page
    picture = admin.get("/settings/plugins/automotive/pictures/showroom.jpg")
    assert picture.mimetype == "image/jpeg"
    assert len(picture.data) < 300_000
    picture.close()
    for name in ("plugin.toml", "../plugin.toml", "none.png"):
        assert admin.get(f"/settings/plugins/automotive/pictures/{name}").status_code == 404
    assert (
        shop.client(shop.member("member"))
        .get("/settings/plugins/automotive/pictures/showroom.jpg")
        .status_code
        == 403
    )
    with shop.work() as session:
        user = session.get(User, shop.members["admin"].user_id)
        assert user is not None
        user.locale = "ru"
    assert "Автодилер" in admin.get("/settings/plugins").text
