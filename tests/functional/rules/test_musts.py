"""What must hold for records: asked at each write, tried beforehand, the same in SQL and in memory."""

import json

import pytest
from sqlalchemy import select, update

from kehu.core import context, hooks
from kehu.core.errors import InvalidInput
from kehu.core.records import filters, matching
from kehu.core.records.types import get as get_type
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.rules.models import RecordRule
from kehu.rules.musts import RecordRuleService, rehearse

SCRIPT = {"HX-Request": "true"}
RULE = {
    "name": "A needs a country",
    "object": "customers",
    "only_for": "value_class=A",
    "must": "country.empty=no&industry.empty=no",
    "message": "Say where an A customer sits.",
}


def renew(shop):
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)


@pytest.fixture
def rule(shop):
    with shop.work() as session:
        made = RecordRuleService(session).create({**RULE, "active": True}).id
    renew(shop)
    return made


def test_each_way_to_write_is_asked(shop, rule):
    with shop.work() as session:
        service = CustomerService(session)
        with pytest.raises(InvalidInput) as error:
            service.create({"name": "Anna", "value_class": "A"})
        assert error.value.fields == {key: [RULE["message"]] for key in ("country", "industry")}
        good = service.create({"name": "Berta", "value_class": "A", "country": "DE", "industry": "Wood"})
        plain = service.create({"name": "Carl"})
        session.commit()
        outcome = service.update_many({plain.id: {"value_class": "A"}, good.id: {"country": "FR"}})
        assert set(outcome[plain.id].errors) == {"country", "industry"}
        assert outcome[good.id].changed
    head = {"Authorization": f"Bearer {shop.token()}"}
    answer = shop.client().post("/api/v1/customers", json={"name": "X", "value_class": "A"}, headers=head)
    assert answer.status_code == 422
    assert RULE["message"] in answer.get_data(as_text=True)
    page = shop.client().post("/customers/new", data={"name": "Y", "value_class": "A"}, headers=SCRIPT)
    assert page.status_code == 422
    assert RULE["message"] in page.get_data(as_text=True)


def test_an_undo_is_never_refused(shop):
    with shop.work() as session:
        made = CustomerService(session).create({"name": "Old", "value_class": "A"}).id
    client = shop.client()
    with shop.work() as session:
        CustomerService(session).update(made, {"value_class": "B"})
    with shop.work() as session:
        from kehu.core.audit import AuditEntry

        where = (AuditEntry.record_id == made, AuditEntry.action == "updated")
        batch = session.execute(select(AuditEntry.batch_id).where(*where)).scalar_one()
        RecordRuleService(session).create({**RULE, "active": True})
    assert client.post(f"/undo/{batch}", headers=SCRIPT).status_code < 300
    with shop.work() as session:
        assert session.execute(select(Customer.value_class).where(Customer.id == made)).scalar_one() == "A"


def test_sql_and_memory_agree(shop):
    rows = [
        {"name": "One", "country": "DE", "employees": "1", "value_class": "A", "tags": "Vip"},
        {"name": "Two", "country": "FR", "employees": "5", "value_class": "B", "kind": "person"},
        {"name": "Three"},
        {"name": "Four", "country": "DE", "owner_id": None, "do_not_contact": "all"},
    ]
    deals = [
        {"name": "Desk", "amount": "100", "expected_close": "2026-01-05", "source": "Fair"},
        {"name": "Chair", "amount": "5", "closed_at": "2026-01-05T22:30"},
        {"name": "Lamp"},
    ]
    samples = {
        "text": ("DE", "D", "Fair"),
        "number": ("1", "5"),
        "money": ("5", "100"),
        "date": ("2026-01-05", "today", "this-month", "over-3-days-ago", "none"),
        "datetime": ("2026-01-05", "2026-01-05T22:30", "today", "last-7-days"),
        "bool": ("1", "0"),
        "choice": ("A", "A,B", "none", "company", "open"),
        "tags": ("vip", "other"),
        "member": ("me", "none"),
        "email": ("a@example.com",),
        "phone": ("+44 20 7946 0000",),
        "ref": ("none",),
    }
    asked = 0
    with shop.work() as session:
        for name, given in (("customers", rows), ("deals", deals)):
            kind = get_type(name)
            service = kind.service(session)
            records = [service.create(one) for one in given]
            session.flush()
            for spec in kind.fields:
                for operator in sorted(filters.OPERATORS) if spec.filterable else ():
                    for raw in ("1", "0") if operator == "empty" else samples.get(spec.kind, ()):
                        query = {f"{spec.key}.{operator}": raw}
                        try:
                            conditions = filters.conditions(
                                kind, kind.model, query, shop.owner, context.tenant(), strict=True
                            )
                        except InvalidInput:
                            with pytest.raises(InvalidInput):
                                matching.tests(kind, query, shop.owner, context.tenant())
                            continue
                        found = set(session.execute(select(kind.model.id).where(*conditions)).scalars())
                        here = {
                            one.id
                            for one in records
                            if matching.meets(kind, query, one, shop.owner, context.tenant())
                        }
                        assert found == here, query
                        asked += 1
    assert asked > 100


def test_a_rule_is_tried_before_it_is_switched_on(shop):
    with shop.work() as session:
        CustomerService(session).create({"name": "Breaker", "value_class": "A"})
        CustomerService(session).create({"name": "Fine", "value_class": "B"})
    client = shop.client()
    assert client.post("/settings/record-rules/new", data={**RULE, "must": "nothing=1"}).status_code == 422
    assert client.post("/settings/record-rules/new", data=RULE).status_code == 204
    with shop.work() as session:
        row = session.execute(select(RecordRule).where(RecordRule.deleted_at.is_(None))).scalar_one()
        assert not row.active
        assert [name for _id, name in rehearse(session, row).first] == ["Breaker"]
        rule_id = row.id
    page = client.get(f"/settings/record-rules/{rule_id}/try").get_data(as_text=True)
    assert "Breaker" in page
    assert "Fine" not in page
    assert client.post(f"/settings/record-rules/{rule_id}/switch").status_code == 204
    assert client.post("/customers/new", data={"name": "Z", "value_class": "A"}).status_code == 422
    answer = client.post(f"/settings/record-rules/{rule_id}/trash", headers=SCRIPT)
    assert client.post("/customers/new", data={"name": "Z", "value_class": "A"}).status_code < 400
    undo = json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"][0]["undo_url"]
    assert client.post(undo, headers=SCRIPT).status_code < 300
    assert "A needs a country" in client.get("/settings/record-rules").get_data(as_text=True)
    edit = f"/settings/record-rules/{rule_id}"
    assert client.post(edit, data={**RULE, "version": "1"}).status_code == 409


def test_rules_are_set_by_who_may_and_hold_for_one_firm(shop, other_shop, rule):
    member = shop.client(shop.member())
    assert member.get("/settings/record-rules").status_code == 403
    assert member.post(f"/settings/record-rules/{rule}/switch").status_code == 403
    assert other_shop.client().get(f"/settings/record-rules/{rule}").status_code == 404
    with other_shop.work() as session:
        assert CustomerService(session).create({"name": "Free", "value_class": "A"}).id


def test_a_rule_that_names_a_vanished_field_says_so(shop, rule):
    assert "Names a field that is gone" not in shop.client().get("/settings/record-rules").text
    with shop.work() as session:
        session.execute(update(RecordRule).where(RecordRule.id == rule).values(must="vanished=1"))
    assert "Names a field that is gone" in shop.client().get("/settings/record-rules").text
    with shop.work() as session:
        CustomerService(session).create({"name": "Anna", "value_class": "A"})  # It is not asked.


def test_a_gate_is_asked_on_entering_a_stage_and_not_after(shop):
    client = shop.client()
    with shop.work() as session:
        service = get_type("deals").service(session)
        stages = [one for one in service.stages().values() if one.outcome == "open"]
        first, second = str(stages[0].id), str(stages[1].id)
        poor, rich = (service.create({"name": name, "stage_id": first}).id for name in ("Poor", "Rich"))
        there = service.create({"name": "There", "stage_id": second}).id
        service.update(rich, {"source": "Fair"})
    gate = {
        "name": "Asked",
        "object": "deals",
        "only_for": f"stage_id={second}",
        "must": "source.empty=no",
        "message": "Say where the deal comes from.",
        "entering": "1",
    }
    assert client.post("/settings/record-rules/new", data=gate).status_code == 204
    with shop.work() as session:
        row = session.execute(select(RecordRule).where(RecordRule.name == "Asked")).scalar_one()
        assert row.entering
        rule_id = row.id
    assert client.post(f"/settings/record-rules/{rule_id}/switch").status_code == 204
    assert "Only on entering" in client.get("/settings/record-rules").get_data(as_text=True)
    refused = client.post(f"/deals/{poor}/move", data={"stage": second}, headers=SCRIPT)
    assert refused.status_code == 422
    assert gate["message"] in refused.get_data(as_text=True)
    assert client.post(f"/deals/{poor}/stage/{second}", headers=SCRIPT).status_code == 422
    assert client.post(f"/deals/{rich}/move", data={"stage": second}, headers=SCRIPT).status_code == 200
    head = {"Authorization": f"Bearer {shop.token()}"}
    made = {"name": "New", "stage_id": second}
    assert client.post("/api/v1/deals", json=made, headers=head).status_code == 422
    renew(shop)
    with shop.work() as session:
        service = get_type("deals").service(session)
        service.update(there, {"name": "Still there"})  # It stood there before the gate.
        service.update(poor, {"name": "Still poor"})
        with pytest.raises(InvalidInput):
            service.update(poor, {"stage_id": second})
        service.update(poor, {"stage_id": second, "source": "Fair"})
