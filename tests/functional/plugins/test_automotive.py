"""The built-in plugin from the switch to its data, and everything that must not be seen while it is off."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from kehu.accounts.models import User
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.customers.services import CustomerService
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable

ON, OFF = "/settings/plugins/automotive/on", "/settings/plugins/automotive/off"
VIN = "WVWZZZ1JZXW000001"
LIST = "/x/automotive/vehicles"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def make_customer(shop: Shop, name: str = "Harbour Taxis", **more: Any) -> str:
    with shop.work() as session:
        return str(CustomerService(session).create({"name": name, **more}).id)


def make_car(shop: Shop, **changes: Any) -> str:
    values = {"make": "VW", "model": "Golf", "vin": VIN, "plate": "ab 12 cde", "year": 1999, **changes}
    with shop.work() as session:
        return str(service_for("automotive.vehicles", session).create(values).id)


def plain(body: str, path: str) -> str:
    """Return a page without what differs from request to request."""
    body = re.sub(r'X-CSRF-Token":"[^"]+|name="csrf_token" value="[^"]+', "", body)
    return body.replace(path, "PATH").replace(path.replace("/", "%2F"), "PATH")


@pytest.fixture
def admin(shop: Shop) -> Browser:
    """A browser of an admin."""
    return shop.client(shop.member("admin"))


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """A firm with the plugin switched on."""
    enable(shop, "automotive")
    return shop


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("tail", ["/vehicles", "/vehicles/", "//vehicles", "", "/vehicles/1/people"])
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
    assert f'href="{LIST}"' in page
    assert f"/x/automotive/panel?customer_id={customer}" in page
    assert client.get(LIST).status_code == 200
    assert OFF in client.get("/settings/plugins").get_data(as_text=True)
    stranger = other_shop.client()
    assert stranger.get(LIST).status_code == 404
    assert "/x/automotive" not in stranger.get("/").get_data(as_text=True)


def test_foreign_and_broken_ids_are_nothing(dealer: Shop, other_shop: Shop) -> None:
    enable(other_shop, "automotive")
    theirs, stranger = make_customer(other_shop), other_shop.client()
    vehicle = make_car(other_shop, customer_id=theirs)
    client = dealer.client()
    for wrong in (theirs, str(new_id()), "x", "0", "%00"):
        assert client.get(f"/x/automotive/panel?customer_id={wrong}").status_code == 404
    for wrong in (vehicle, str(new_id()), "x"):
        for page in ("people", "readings"):
            assert client.get(f"{LIST}/{wrong}/{page}").status_code == 404
            assert client.post(f"{LIST}/{wrong}/{page}", data={"shown": "1"}).status_code == 404
        assert client.post(f"{LIST}/{wrong}/take-over", data={"field": "year"}).status_code == 404
        assert client.get(f"{LIST}/{wrong}").status_code == 404
    assert VIN in stranger.get(LIST).get_data(as_text=True)
    assert VIN not in client.get(LIST).get_data(as_text=True)
    # The VIN is free here: whether another firm has it is not told.
    assert make_car(dealer, customer_id=make_customer(dealer))


def test_a_viewer_sees_and_cannot_write(dealer: Shop) -> None:
    customer = make_customer(dealer)
    vehicle = make_car(dealer, customer_id=customer)
    viewer = dealer.client(dealer.member("viewer"))
    page = viewer.get(f"/x/automotive/panel?customer_id={customer}").get_data(as_text=True)
    assert "VW Golf" in page
    assert "Add vehicle" not in page
    assert f"{LIST}/{vehicle}/people" not in viewer.get(f"{LIST}/{vehicle}").get_data(as_text=True)
    for page in ("people", "readings", "take-over", "edit", "trash"):
        assert viewer.post(f"{LIST}/{vehicle}/{page}", data={"field": "year"}).status_code == 403, page


def test_who_may_see_only_his_own_sees_only_his_own(dealer: Shop) -> None:
    from sqlalchemy import select

    from kehu.members.models import Role

    customer, member = make_customer(dealer, "Not his"), dealer.member("member")
    vehicle = make_car(dealer, customer_id=customer, odometer=1000)
    with dealer.work() as session:
        role = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        names = ("vehicles", "vehicle_parties", "odometer_readings")
        mine = {f"automotive.{name}:{action}": "own" for name in names for action in ("read", "write")}
        role.permissions = {**role.permissions, **mine}
    client = dealer.client(member)
    assert client.get(f"{LIST}/{vehicle}").status_code == 404
    for name in ("vehicles", "vehicle_parties", "odometer_readings"):
        page = client.get(f"/x/automotive/{name}").get_data(as_text=True)
        assert "Golf" not in page, name
        assert "1000" not in page.replace("1,000", "1000"), name
    assert "VW Golf" not in client.get(f"/x/automotive/panel?customer_id={customer}").get_data(as_text=True)


def test_off_hides_and_keeps(dealer: Shop, admin: Browser) -> None:
    customer, client = make_customer(dealer), dealer.client()
    make_car(dealer, customer_id=customer)
    assert admin.post(OFF).status_code == 303
    assert client.get(LIST).status_code == 404
    client.get("/")  # Shows the toast that was still waiting.
    assert "/x/automotive" not in client.get(f"/customers/{customer}").get_data(as_text=True)
    with dealer.work() as session:
        kept = session.execute(
            text("SELECT count(*) FROM p_automotive.vehicles WHERE tenant_id = :id"), {"id": dealer.tenant.id}
        )
        assert kept.scalar_one() == 1
    assert admin.post(ON).status_code == 303
    assert VIN in client.get(LIST).get_data(as_text=True)


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
