"""Codes by the firm's rule: no gaps, none twice, kept when they are brought along."""

import datetime as dt
import json
import threading

import pytest
from sqlalchemy import select

from kehu.core import clock, hooks, search
from kehu.core.errors import InvalidInput
from kehu.core.ids import new_id
from kehu.core.records import codes
from kehu.core.records.codes import CodeRule
from kehu.core.records.service import service_for
from kehu.customers.models import Customer
from kehu.customers.services import CustomerService
from kehu.rules.numbers import NumberRuleService
from kehu.testkit.queue import work_off

SCRIPT = {"HX-Request": "true"}
YEAR = clock.today(dt.UTC).year


@pytest.fixture
def rule(shop):
    with shop.work() as session:
        made = set_rule(session).id
    renew(shop)
    return made


def renew(shop):
    """Read the firm as a request would, after its shape was changed."""
    with shop.work():
        shop.tenant = hooks.tenant_by_id(shop.tenant.id)


def set_rule(session, **changes):
    values = {"object": "customers", "pattern": "K-{YYYY}-{N}", "width": 4, "reset": "year", **changes}
    return NumberRuleService(session).create(values)


def add(shop, name="Anna", actor=None, **values):
    with shop.work(actor) as session:
        return CustomerService(session).create({"name": name, **values}).code


def change(shop, rule_id, **values):
    with shop.work() as session:
        NumberRuleService(session).update(rule_id, values)
    renew(shop)


def test_without_a_rule_records_have_no_code_unless_one_is_written(shop):
    assert add(shop) is None
    assert add(shop, code="A1") == "A1"
    with pytest.raises(InvalidInput) as error:
        add(shop, code="A1")
    assert "taken" in error.value.fields["code"][0]


def test_codes_follow_the_rule_from_now_on(shop, rule):
    assert [add(shop), add(shop)] == [f"K-{YEAR}-0001", f"K-{YEAR}-0002"]
    change(shop, rule, pattern="C{yy}/{n}", width=3)
    assert add(shop) == f"C{YEAR % 100}/001"
    change(shop, rule, pattern="K-{YYYY}-{N}", width=4)
    assert add(shop) == f"K-{YEAR}-0003", "a pattern that comes back goes on where it stopped"
    change(shop, rule, start=500)
    assert add(shop) == f"K-{YEAR}-0500"


def test_eight_at_once_with_rollbacks_leave_no_gap_and_no_double(shop, rule):
    given, failed, lock = [], [], threading.Lock()

    def work(thread):
        for turn in range(12):
            try:
                with shop.work() as session:
                    made = CustomerService(session).create_many(
                        [{"name": f"Row {thread} {turn} {row}"} for row in range(1 + turn % 3)]
                    )
                    found = [outcome.record.code for outcome in made]
                    if (thread + turn) % 3 == 0:
                        raise ZeroDivisionError
                with lock:
                    given.extend(found)
            except ZeroDivisionError:
                with lock:
                    failed.append(turn)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 32
    assert sorted(given) == [f"K-{YEAR}-{number:04}" for number in range(1, len(given) + 1)]
    page = shop.client().get(f"/settings/numbers/{rule}/gaps").get_data(as_text=True)
    assert "No number is missing." in page


def test_counting_begins_anew_by_year_and_month():
    rule = CodeRule(id=new_id(), object="deals", pattern="{YY}{MM}-{N}", width=3, reset="month")
    november, december = dt.date(2026, 11, 30), dt.date(2026, 12, 1)
    assert rule.write(7, november) == "2611-007"
    assert rule.counter(november) != rule.counter(december)
    assert rule.read("2611-007", november) == 7
    assert rule.read("2611-007", december) is None
    assert rule.read("2611-07", november) is None, "another code, written otherwise"
    ongoing = CodeRule(id=new_id(), object="deals", pattern="D{YYYY}{N}", width=2)
    assert ongoing.counter(november) == ongoing.counter(dt.date(2030, 1, 1))
    assert ongoing.read("D202512", november) == 12


@pytest.mark.parametrize(
    ("pattern", "reset", "said"),
    [
        ("K-", "never", "{N}"),
        ("{N}{N}", "never", "{N}"),
        ("{N}-{DD}", "never", "braces"),
        ("K{N}", "year", "{YYYY}"),
        ("K{YY}{N}", "month", "{MM}"),
    ],
)
def test_patterns_that_give_no_code_are_refused(shop, pattern, reset, said):
    with shop.work() as session, pytest.raises(InvalidInput) as error:
        set_rule(session, pattern=pattern, reset=reset)
    assert said in error.value.fields["pattern"][0]


def test_codes_that_an_import_brings_are_kept_and_counting_goes_on_after_them(shop, rule):
    import dataclasses

    bringer = dataclasses.replace(shop.owner, kind="import")
    assert add(shop) == f"K-{YEAR}-0001"
    assert add(shop, actor=bringer, code=f"K-{YEAR}-0040") == f"K-{YEAR}-0040"
    assert add(shop, actor=bringer, code="OLD-7") == "OLD-7"
    assert add(shop) == f"K-{YEAR}-0041"
    with shop.work(bringer) as session:
        outcomes = CustomerService(session).create_many(
            [
                {"name": "First", "code": f"K-{YEAR}-0050"},
                {"name": "Twice", "code": f"K-{YEAR}-0050"},
                {"name": "Free"},
            ]
        )
        assert [outcome.record and outcome.record.code for outcome in outcomes] == [
            f"K-{YEAR}-0050",
            None,
            f"K-{YEAR}-0051",
        ]
        assert "taken" in outcomes[1].errors["code"][0]
    page = shop.client().get(f"/settings/numbers/{rule}/gaps").get_data(as_text=True)
    assert f"K-{YEAR}-0040" in page
    with shop.work() as session:
        assert CustomerService(session).create({"name": "Next"}).code == f"K-{YEAR}-0052"


def test_codes_that_were_there_before_the_rule_are_passed_over(shop):
    for number in (1, 2, 3, 4, 5, 6, 9):
        add(shop, code=f"K{number}")
    with shop.work() as session:
        set_rule(session, pattern="K{N}", width=1, reset="never")
    renew(shop)
    assert [add(shop) for _turn in range(3)] == ["K10", "K11", "K12"]


def test_members_leave_codes_to_the_rule_unless_it_lets_them(shop, rule):
    with pytest.raises(InvalidInput) as error:
        add(shop, code="MINE")
    assert "code" in error.value.fields
    with shop.work() as session:
        record = CustomerService(session).create({"name": "Berta"})
        session.commit()
        with pytest.raises(InvalidInput):
            CustomerService(session).update(record.id, {"code": "MINE"})
        session.rollback()
    change(shop, rule, by_hand=True)
    assert add(shop, code="MINE") == "MINE"
    with shop.work() as session:
        record = CustomerService(session).create({"name": "Carl"})
        with pytest.raises(InvalidInput) as error:
            CustomerService(session).update(record.id, {"code": "MINE"})
        assert "taken" in error.value.fields["code"][0]
        session.rollback()


def test_a_code_is_found_filtered_and_brought_by_programs(shop, rule):
    code = add(shop, name="Findable Ltd")
    client = shop.client()
    assert "Findable Ltd" in client.get(f"/customers?q={code}").get_data(as_text=True)
    assert "Findable Ltd" in client.get(f"/customers?code={code}").get_data(as_text=True)
    assert "Findable Ltd" not in client.get("/customers?code=NO").get_data(as_text=True)
    head = {"Authorization": f"Bearer {shop.token()}"}
    made = client.post("/api/v1/customers", json={"name": "Api", "code": "API-1"}, headers=head)
    assert made.status_code == 201
    assert made.get_json()["code"] == "API-1"
    again = client.post("/api/v1/customers", json={"name": "Api", "code": "API-1"}, headers=head)
    assert again.status_code == 422


def test_deals_and_tickets_get_codes_too(shop):
    with shop.work() as session:
        for name in ("deals", "tickets"):
            set_rule(session, object=name, pattern=name[0].upper() + "{N}", width=2, reset="never")
    renew(shop)
    with shop.work() as session:
        assert service_for("deals", session).create({"name": "Desk"}).code == "D01"
        assert service_for("tickets", session).create({"subject": "Broken"}).code == "T01"
        assert len(codes.types_with_codes()) >= 3


def test_the_page_sets_changes_and_drops_a_rule(shop):
    client = shop.client()
    assert "No rule" in client.get("/settings/numbers").get_data(as_text=True)
    url = "/settings/numbers/new?object=customers"
    assert "Codes of Customers" in client.get(url).get_data(as_text=True)
    bad = client.post(url, data={"object": "customers", "pattern": "K-"})
    assert bad.status_code == 422
    assert 'value="K-"' in bad.get_data(as_text=True), "what was typed is kept"
    good = {"object": "customers", "pattern": "K-{N}", "width": "3", "start": "7", "reset": "never"}
    assert "K-007" in client.get("/settings/numbers/preview", query_string=good).get_data(as_text=True)
    assert client.post(url, data=good).status_code == 204
    twice = client.post(url, data=good)
    assert twice.status_code == 422
    assert "K-007" in client.get("/settings/numbers").get_data(as_text=True)
    with shop.work() as session:
        rule_id = NumberRuleService(session).session.execute(_rules()).scalar_one()
    edit = f"/settings/numbers/{rule_id}"
    assert "K-{N}" in client.get(edit).get_data(as_text=True)
    assert client.post(edit, data={**good, "width": "5", "version": "1"}).status_code == 204
    assert client.post(edit, data={**good, "version": "1"}).status_code == 409
    answer = client.post(f"{edit}/off", headers=SCRIPT)
    renew(shop)
    assert add(shop) is None
    undo = json.loads(answer.headers["HX-Trigger"])["kehu:toast"]["items"][0]["undo_url"]
    assert client.post(undo, headers=SCRIPT).status_code < 300
    renew(shop)
    assert add(shop) == "K-00007"


def _rules():
    from sqlalchemy import select

    from kehu.rules.models import NumberRule

    return select(NumberRule.id).where(NumberRule.deleted_at.is_(None))


def test_rules_are_set_by_who_may_and_hold_for_one_firm(shop, other_shop, rule):
    assert add(other_shop) is None
    assert other_shop.client().get(f"/settings/numbers/{rule}/gaps").status_code == 404
    member = shop.client(shop.member())
    assert member.get("/settings/numbers").status_code == 403
    assert member.post(f"/settings/numbers/{rule}/off").status_code == 403


def test_a_code_is_found_after_a_field_was_brought_in_line(shop, rule):
    code = add(shop)
    with shop.work() as session:
        field = service_for("custom_fields", session).create(
            {"object": "customers", "label": "Wood", "kind": "text", "searchable": True}
        )
        service_for("custom_fields", session).update(field.id, {"searchable": False})
    work_off(shop)
    with shop.work() as session:
        hits = [Customer.id.in_(ids) for ids in search.matching("customers", code)]
        assert session.execute(select(Customer.code).where(*hits)).scalars().all() == [code]
