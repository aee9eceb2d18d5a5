"""Accessories of a deal: priced by products, added up, taken over into the amount once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from kehu.addons.calls import Event, call
from kehu.core.audit import AuditEntry, batch_id
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable
from plugins_builtin.automotive import kehu_after_change
from plugins_builtin.automotive.accessories.services import AccessoryService

NAME = "automotive.accessories"


@pytest.fixture
def deal(shop: Shop) -> str:
    """A deal over 20,000 in a firm with the module."""
    enable(shop, "automotive")
    with shop.work() as session:
        anna = service_for("customers", session).create({"name": "Anna Berg", "kind": "person"})
        made = service_for("deals", session).create(
            {"name": "New Golf", "customer_id": str(anna.id), "amount": "20000"}
        )
        return str(made.id)


def add(shop: Shop, deal_id: str, **values: Any) -> Any:
    with shop.work() as session:
        return service_for(NAME, session).create({"deal_id": deal_id, **values})


def test_they_are_added_up_and_taken_over_once(shop: Shop, deal: str) -> None:
    with shop.work() as session:
        mats = service_for("products", session).create({"name": "Rubber mats", "price": "60"})
    first = add(shop, deal, product_id=str(mats.id), quantity=2)
    assert (first.name, first.price, first.total) == ("Rubber mats", 6_000, 12_000)
    add(shop, deal, name="Tow bar", price="700", fitting="250")
    add(shop, deal, name="Roof box", price="400", state="declined")
    client = shop.client()
    with count_queries() as found:
        panel = client.get(f"/x/automotive/accessories/panel?deal_id={deal}").get_data(as_text=True)
    assert len(found) <= 12
    assert "1,070" in panel
    assert client.post("/x/automotive/accessories/take-over", data={"deal_id": deal}).status_code == 303
    with shop.work() as session:
        assert service_for("deals", session).get(deal).amount == 2_107_000
        with pytest.raises(Conflict, match="already"):
            AccessoryService(session).take_over(deal)
        with pytest.raises(Conflict, match="already"):
            service_for(NAME, session).update(first.id, {"quantity": 3})
    assert client.post("/x/automotive/accessories/take-over", data={"deal_id": deal}).status_code == 409


def test_a_line_says_what_it_is(shop: Shop, deal: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add(shop, deal, price="60")
    assert "name" in refused.value.fields


def test_only_who_may_change_the_deal_adds_to_it(shop: Shop, deal: str) -> None:
    # Members change only deals of their own.
    with shop.work(shop.member("member")) as session, pytest.raises(Forbidden):
        service_for(NAME, session).create({"deal_id": deal, "name": "Tow bar", "price": "700"})


def amount(shop: Shop, deal: str) -> int:
    with shop.work() as session:
        return int(service_for("deals", session).get(deal).amount)


def undo(shop: Shop, batch: Any) -> None:
    with shop.work() as session:
        undo_batch(session, batch)


def test_what_is_not_fitted_leaves_the_amount(shop: Shop, deal: str) -> None:
    bar, box = add(shop, deal, name="Tow bar", price="700"), add(shop, deal, name="Roof box", price="400")
    with shop.work() as session:
        AccessoryService(session).take_over(deal)
        taken = batch_id(session)
    undo(shop, taken)
    assert amount(shop, deal) == 2_000_000
    with shop.work() as session:
        assert AccessoryService(session).take_over(deal) == 110_000
    with shop.work() as session:
        service_for(NAME, session).update(bar.id, {"state": "declined"})
    assert amount(shop, deal) == 2_040_000
    with shop.work() as session:
        service_for(NAME, session).trash(box.id)
        gone = batch_id(session)
    assert amount(shop, deal) == 2_000_000
    undo(shop, gone)
    assert amount(shop, deal) == 2_040_000
    with shop.work() as session:
        assert service_for(NAME, session).get(box.id).counted


def test_lines_and_appraisals_follow_the_customer_of_their_deal(shop: Shop, deal: str) -> None:
    line = add(shop, deal, name="Tow bar", price="700")
    with shop.work() as session:
        given = {"deal_id": deal, "name": "VW Golf"}
        appraisal = service_for("automotive.appraisals", session).create(given).id
        bo = service_for("customers", session).create({"name": "Bo Ek", "kind": "person"}).id
    with shop.work() as session:
        service_for("deals", session).update(deal, {"customer_id": str(bo)})
        batch = batch_id(session)
    with shop.work() as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.batch_id == batch)).scalars().first()
        assert entry is not None
        payload = {"record_id": deal, "changes": entry.changes}
    with shop.work():
        kehu_after_change(call("automotive"), Event(name="deal.updated", payload=payload))
    with shop.work() as session:
        for name, record_id in ((NAME, line.id), ("automotive.appraisals", appraisal)):
            assert service_for(name, session).get(record_id).customer_id == bo
