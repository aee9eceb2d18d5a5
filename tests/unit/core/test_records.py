"""The service that every record type shares, tried on customers."""

import pytest

from kehu.core.errors import InvalidInput, NotFound, StaleVersion
from kehu.core.records import listing, undo
from kehu.core.records.listing import ListQuery
from kehu.core.records.types import get
from kehu.customers.services import CustomerService


def test_create_list_update_trash_restore(session, shop):
    service = CustomerService(session)
    made = service.create(
        {"name": "Élan Самара", "emails": "anna@example.com", "phones": "020 7946 4410", "tags": "VIP, vip"}
    )
    assert (made.number, made.tags, made.phone_norm) == (1, ["VIP"], "+442079464410")
    page = listing.page(session, get("customers"), ListQuery(args={"q": "elan", "sort": "name"}))
    assert [row["name"] for row in page.rows] == ["Élan Самара"]
    service.update(made.id, {"industry": "Joinery"}, version=1)
    assert made.version == 2
    with pytest.raises(StaleVersion) as caught:
        service.update(made.id, {"industry": "Timber"}, version=1)
    assert caught.value.details["conflicts"]["industry"] == {"yours": "Timber", "theirs": "Joinery"}
    service.trash(made.id)
    with pytest.raises(NotFound):
        service.get(made.id)
    service.restore(made.id)
    assert service.get(made.id).deleted_at is None


def test_wrong_fields_are_named(session, shop):
    with pytest.raises(InvalidInput) as caught:
        CustomerService(session).create(
            {"name": "", "website": "nonsense", "emails": "no mail", "color": "red"}
        )
    assert set(caught.value.fields) == {"name", "website", "emails", "color"}


def test_undo_restores_what_was(shop):
    with shop.work() as session:
        made = CustomerService(session).create({"name": "Northwind"})
        record_id = made.id
    with shop.work() as session:
        CustomerService(session).update(record_id, {"name": "Southwind"})
        batch = session.info["audit_batch"]
    with shop.work() as session:
        assert undo.undo_batch(session, batch).undone == 1
        assert CustomerService(session).get(record_id).name == "Northwind"


def test_other_tenant_sees_nothing(shop, other_shop):
    with shop.work() as session:
        record_id = CustomerService(session).create({"name": "Secret"}).id
    with other_shop.work() as session, pytest.raises(NotFound):
        CustomerService(session).get(record_id)


def test_keyset_pages_cover_everything_once(session, shop):
    service = CustomerService(session)
    service.create_many(
        [{"name": f"Firm {n:03}", "industry": None if n % 3 else f"i{n % 5}"} for n in range(60)]
    )
    for sort in ("name", "-name", "industry", "-industry", "-updated_at", "number"):
        seen, after = [], ""
        while True:
            page = listing.page(
                session, get("customers"), ListQuery(args={"sort": sort, "after": after}, limit=7)
            )
            seen += [row["id"] for row in page.rows]
            if page.next is None:
                break
            after = page.next
        assert len(seen) == len(set(seen)) == 60, sort
