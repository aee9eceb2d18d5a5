"""Panels of plugins on the customer page: only of plugins that are on, only for who may see them."""

import re

import pytest
from sqlalchemy import select

from kehu.core.records.service import service_for

PANEL = "automotive_vehicles-customer_panel"


@pytest.fixture
def customer(shop):
    with shop.work() as session:
        return service_for("customers", session).create({"name": "Northwind"}).id


def test_a_panel_shows_while_its_plugin_is_on(shop, other_shop, customer):
    client = shop.client()
    assert PANEL not in client.get(f"/customers/{customer}").get_data(as_text=True)
    assert client.post("/settings/plugins/automotive/on").status_code == 303
    text = client.get(f"/customers/{customer}").get_data(as_text=True)
    [url] = re.findall(rf'id="panel-{PANEL}" hx-get="([^"]+)"', text)
    assert str(customer) in url
    fragment = client.get(
        url.replace("&amp;", "&"), headers={"HX-Request": "true", "HX-Request-Type": "partial"}
    )
    assert fragment.status_code == 200
    with other_shop.work() as session:
        other = service_for("customers", session).create({"name": "Tidewater"}).id
    assert PANEL not in other_shop.client().get(f"/customers/{other}").get_data(as_text=True)
    assert client.post("/settings/plugins/automotive/off").status_code == 303
    assert PANEL not in client.get(f"/customers/{customer}").get_data(as_text=True)


def test_a_panel_needs_its_permission(shop, customer):
    from kehu.members.models import Role

    shop.client().post("/settings/plugins/automotive/on")
    viewer = shop.client(shop.member("viewer"))
    assert PANEL in viewer.get(f"/customers/{customer}").get_data(as_text=True)
    with shop.work() as session:
        role = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        role.permissions = {code: scope for code, scope in role.permissions.items() if "vehicle" not in code}
    assert PANEL not in viewer.get(f"/customers/{customer}").get_data(as_text=True)
    assert viewer.get(f"/customers/{customer}?tab={PANEL}").status_code == 200
