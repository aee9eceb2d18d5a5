"""Freshness of values: said by click, kept by value, decaying, queued, undone, merged and erased with the record."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.core import clock, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleVersion
from kehu.core.records import undo
from kehu.core.records.service import service_for
from kehu.freshness.models import FreshnessStamp
from kehu.freshness.services import FreshnessRuleService, FreshnessService
from kehu.merging.parting import part
from kehu.merging.services import MergeService
from kehu.testkit.fixtures import Shop, count_queries

SCRIPT = {"HX-Request": "true"}
PHONES = [{"number": "+442079464410"}]


@pytest.fixture
def anna(shop: Shop) -> Any:
    """A customer of the owner's with a phone and a mail, in a firm that verifies both."""
    with shop.work() as session:
        rules = FreshnessRuleService(session)
        rules.create({"object": "customers", "field": "phones"})
        rules.create({"object": "customers", "field": "emails", "days": 30})
        values = {"name": "Anna", "phones": PHONES, "emails": [{"address": "anna@berg.example"}]}
        found = service_for("customers", session).create(values).id
    renew(shop)
    return found


def renew(shop: Shop) -> None:
    with shop.work():
        found = hooks.tenant_by_id(shop.tenant.id)
        assert found is not None
        shop.tenant = found


def state(shop: Shop, record_id: Any, key: str = "phones") -> str:
    with shop.work() as session:
        found = FreshnessService(session).of("customers", record_id, key)
        assert found is not None
        return found.state


def say(shop: Shop, record_id: Any, verdict: str = "verified", **more: Any) -> None:
    with shop.work() as session:
        FreshnessService(session).say("customers", record_id, "phones", verdict, **more)


def test_a_word_holds_for_a_value_and_for_a_while(shop: Shop, anna: Any) -> None:
    assert state(shop, anna) == "never"
    say(shop, anna, source="  a call ")
    assert state(shop, anna) == "verified"
    assert state(shop, anna, "emails") == "never"
    with clock.ahead(dt.timedelta(days=366)):
        assert state(shop, anna) == "stale"
    with shop.work() as session:
        service_for("customers", session).update(anna, {"phones": [{"number": "+442079464411"}]})
    assert state(shop, anna) == "never"
    with shop.work() as session:
        service_for("customers", session).update(anna, {"phones": PHONES})
        stamp = session.execute(select(FreshnessStamp)).scalar_one()
        assert (stamp.source, stamp.actor_name) == ("a call", "Mira Sol")
    assert state(shop, anna) == "verified"
    say(shop, anna, "wrong")
    assert state(shop, anna) == "wrong"


def test_a_word_on_another_value_is_refused(shop: Shop, anna: Any) -> None:
    with shop.work() as session:
        found = FreshnessService(session).of("customers", anna, "phones")
        assert found is not None
        seen = found.digest
        service_for("customers", session).update(anna, {"phones": [{"number": "+442079464411"}]})
    with pytest.raises(StaleVersion):
        say(shop, anna, seen=seen)
    client = shop.client()
    answer = client.post(f"/freshness/customers/{anna}/phones", data={"verdict": "verified", "seen": seen})
    assert answer.status_code == 409
    data = {"verdict": "verified", "seen": seen, "to": "queue"}
    assert client.post(f"/freshness/customers/{anna}/phones", data=data).status_code == 303
    assert state(shop, anna) == "never"


def test_the_label_of_a_field_says_it_and_takes_the_word(shop: Shop, anna: Any) -> None:
    client = shop.client()
    address = f"/customers/{anna}/history/field/phones"
    page = client.get(address, headers=SCRIPT).get_data(as_text=True)
    assert "Never verified" in page
    seen = re.findall(r'name="seen" value="(\w+)"', page)[0]
    data = {"verdict": "verified", "seen": seen, "source": "a call"}
    assert client.post(f"/freshness/customers/{anna}/phones", data=data, headers=SCRIPT).status_code < 300
    page = client.get(address, headers=SCRIPT).get_data(as_text=True)
    assert "a call" in page
    assert "Never verified" not in page
    assert 'name="seen"' not in client.get(f"/customers/{anna}/history/field/website", headers=SCRIPT).text
    reader = shop.client(shop.member("viewer"))
    assert "Verified" in reader.get(address, headers=SCRIPT).text
    assert 'name="seen"' not in reader.get(address, headers=SCRIPT).text


def test_the_queue_is_worked_one_after_the_other(shop: Shop, other_shop: Shop, anna: Any) -> None:
    with shop.work() as session:
        other = shop.member("member")
        customers = service_for("customers", session)
        customers.create({"name": "Boris", "phones": PHONES})
        customers.create({"name": "Theirs", "phones": PHONES, "owner_id": str(other.member_id)})
        customers.create({"name": "Empty"})
    client = shop.client()
    page = client.get("/freshness").text
    assert page.count('name="seen"') == 3
    assert ("Theirs" in page, "Empty" in page, 'data-key="v"' in page) == (False, False, True)
    with count_queries() as few:
        client.get("/freshness")
    assert len(few) < 25
    assert client.get("/freshness?skip=2").text.count('name="seen"') == 1
    for left in (2, 1, 0):
        page = client.get("/freshness").text
        action = re.findall(r'action="(/freshness/[^"]+)"', page)[0]
        seen = re.findall(r'name="seen" value="(\w+)"', page)[0]
        verdict = "wrong" if left else "verified"
        answer = client.post(action, data={"verdict": verdict, "seen": seen, "to": "queue"})
        assert answer.status_code == 303
        assert client.get("/freshness").text.count('name="seen"') == left
    assert "All is verified" in client.get("/freshness").text
    assert "Nothing is verified yet" in other_shop.client().get("/freshness").text


def test_a_word_is_undone(shop: Shop, anna: Any) -> None:
    say(shop, anna)
    say(shop, anna, "wrong")
    with shop.work() as session:
        statement = select(AuditEntry).where(AuditEntry.record_id == anna, AuditEntry.action == "doubted")
        undo.undo_entry(session, session.execute(statement).scalar_one())
    assert state(shop, anna) == "verified"
    with shop.work() as session, pytest.raises(Conflict):
        undo.undo_entry(session, session.execute(statement).scalar_one())
    assert "verified a value" in shop.client().get(f"/customers/{anna}/history", headers=SCRIPT).text


def test_stamps_go_with_merges_and_back(shop: Shop, anna: Any) -> None:
    with shop.work() as session:
        double = service_for("customers", session).create({"name": "Anna", "phones": PHONES}).id
    say(shop, double)
    with shop.work() as session:
        merge = MergeService(session, "customers").merge(anna, double, {})
        merge_id = merge.id
    assert state(shop, anna) == "verified"
    with shop.work() as session:
        part(MergeService(session, "customers"), merge_id)
    assert (state(shop, anna), state(shop, double)) == ("never", "verified")


def test_stamps_go_with_the_person(shop: Shop, anna: Any) -> None:
    say(shop, anna, source="her sister")
    client = shop.client()
    page = client.get(f"/privacy/customers/{anna}").text
    version = page.split('name="version" value="')[1].split('"')[0]
    assert (
        client.post(f"/privacy/customers/{anna}/erase", data={"name": "Anna", "version": version}).status_code
        == 303
    )
    with shop.work() as session:
        left = text("SELECT count(*) FROM freshness_stamps WHERE tenant_id = :t")
        assert session.execute(left, {"t": shop.tenant.id}).scalar_one() == 0


def test_an_own_field_is_verified_too(shop: Shop, anna: Any) -> None:
    with shop.work() as session:
        service_for("custom_fields", session).create({"object": "customers", "label": "Fax", "kind": "text"})
    renew(shop)
    with shop.work() as session:
        FreshnessRuleService(session).create({"object": "customers", "field": "c_fax"})
        service_for("customers", session).update(anna, {"c_fax": "12 34"})
    renew(shop)
    assert state(shop, anna, "c_fax") == "never"
    with shop.work() as session:
        FreshnessService(session).say("customers", anna, "c_fax", "verified")
    assert state(shop, anna, "c_fax") == "verified"


def test_who_may(shop: Shop, other_shop: Shop, anna: Any) -> None:
    viewer = shop.member("viewer")
    with shop.work(viewer) as session, pytest.raises(Forbidden):
        FreshnessService(session).say("customers", anna, "phones", "verified")
    with other_shop.work() as session, pytest.raises(NotFound):
        FreshnessService(session).say("customers", anna, "phones", "verified")
    for key in ("name", "nonsense"):
        answer = shop.client().post(f"/freshness/customers/{anna}/{key}", data={"verdict": "verified"})
        assert answer.status_code == 404
    client = shop.client(shop.member("manager"))
    assert client.get("/settings/freshness").status_code == 403
    with shop.work() as session:
        service_for("customers", session).update(anna, {"phones": []})
        with pytest.raises(Conflict):
            FreshnessService(session).say("customers", anna, "phones", "verified")


def test_fields_are_said_under_settings(shop: Shop) -> None:
    client = shop.client()
    data = {"what": "contacts phones", "days": "90"}
    assert client.post("/settings/freshness/new", data=data, headers=SCRIPT).status_code < 300
    assert client.post("/settings/freshness/new", data=data, headers=SCRIPT).status_code == 422
    assert client.post("/settings/freshness/new", data={"what": "x"}, headers=SCRIPT).status_code == 422
    page = client.get("/settings/freshness").text
    assert "Contacts: Phone" in page
    rule_id = re.findall(r'id="rule-([\w-]+)"', page)[0]
    changed = {"days": "10", "version": "1"}
    assert client.post(f"/settings/freshness/{rule_id}", data=changed, headers=SCRIPT).status_code < 300
    assert (
        client.post(
            f"/settings/freshness/{rule_id}", data=changed | {"days": "9"}, headers=SCRIPT
        ).status_code
        == 409
    )
    assert client.post(f"/settings/freshness/{rule_id}/trash", headers=SCRIPT).status_code < 300
    assert "No field yet" in client.get("/settings/freshness").text
    with shop.work() as session, pytest.raises(InvalidInput):
        FreshnessRuleService(session).create({"object": "customers", "field": "number"})
