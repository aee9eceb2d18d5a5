"""The nightly look through a whole firm: kept pairs, what people decided, rights, other firms, dates of birth."""

import pytest
from sqlalchemy import func, select

from kehu.core.errors import Forbidden
from kehu.core.records.service import service_for
from kehu.merging import tasks
from kehu.merging.finding import DoublesService
from kehu.merging.looking import look_through
from kehu.merging.models import LikelyDouble

HOME = {"street": "4 Mill Lane", "postcode": "LS1 4AB", "city": "Leeds"}


def person(session, name, **values):
    return service_for("customers", session).create(
        {"name": name, "kind": "person", "addresses": [HOME], **values}
    )


@pytest.fixture
def pair(shop):
    """Two records that share no mail, no phone, no spelling."""
    with shop.work() as session:
        return [
            person(session, name, born_on=day).id
            for name, day in (("Katharina Lindqvist", "1961-02-03"), ("Katarina Lindquist", "1961-03-02"))
        ]


def kept(shop):
    with shop.work() as session:
        return session.execute(select(func.count()).select_from(LikelyDouble)).scalar_one()


def test_what_is_found_stands_on_the_page_until_it_is_decided(shop, other_shop, pair):
    client = shop.client()
    assert client.post("/customers/doubles/look").status_code == 303
    tasks.look(tenant_id=str(shop.tenant.id))
    tasks.look(tenant_id=str(other_shop.tenant.id))
    assert (kept(shop), kept(other_shop)) == (1, 0)
    tasks.look(tenant_id=str(shop.tenant.id))
    assert kept(shop) == 1
    page = client.get("/customers/doubles").get_data(as_text=True)
    assert f"/customers/{min(pair)}/merge/{max(pair)}" in page
    assert "Same street" in page
    form = {"first": str(pair[0]), "second": str(pair[1])}
    assert client.post("/customers/doubles/reject", data=form).status_code == 303
    assert "Same street" not in client.get("/customers/doubles").get_data(as_text=True)
    tasks.look(tenant_id=str(shop.tenant.id))
    assert kept(shop) == 0


def test_a_pair_that_is_none_any_more_is_not_shown(shop, pair):
    with shop.work() as session:
        assert look_through(session, "customers") == 1
        service_for("customers", session).update(pair[1], {"name": "Bo Ek", "born_on": "1999-09-09"})
    with shop.work() as session:
        assert DoublesService(session, "customers").likely() == []


def test_who_does_not_see_a_record_does_not_see_its_double(shop, pair):
    with shop.work() as session:
        look_through(session, "customers")
        service_for("customers", session).update(pair[0], {"owner_id": None})
    stranger = shop.member("viewer")
    with shop.work(stranger) as session, pytest.raises(Forbidden):
        DoublesService(session, "customers").likely()


def test_of_one_record_the_day_of_birth_finds_its_like(shop, pair):
    with shop.work() as session:
        third = person(session, "Lindqvist Katharina", born_on="1961-02-03", addresses=[])
        found = {
            match.second.id if match.first.id == third.id else match.first.id
            for match in DoublesService(session, "customers").of(third)
        }
    assert pair[0] in found


def test_a_day_of_birth_works_where_fields_do(shop, pair):
    client = shop.client()
    headers = {"Authorization": f"Bearer {shop.token()}"}
    assert client.get(f"/api/v1/customers/{pair[0]}", headers=headers).json["born_on"] == "1961-02-03"
    assert "Date of birth" in client.get(f"/customers/{pair[0]}").get_data(as_text=True)
    refused = client.post("/customers/new", data={"name": "X", "kind": "person", "born_on": "31.31.1990"})
    assert refused.status_code == 422
