"""What works by itself gives nobody more than he has: retention, workflows, changes of fields, legal holds."""

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from kehu.core import clock
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.records.service import service_for
from kehu.fields.changing import ChangeService, Wish
from kehu.flows import tasks
from kehu.flows.services import FlowService
from kehu.privacy import retention
from kehu.privacy.files import store
from kehu.privacy.holds import HoldService
from kehu.privacy.models import RetentionRule
from kehu.privacy.retention import RetentionRuleService
from kehu.privacy.services import PrivacyService
from kehu.rules.models import FieldRule
from tests.functional.attacks.test_field_rights import own_field, renew, say
from tests.functional.flows.conftest import Desk

SILENT = {"name": "Silent", "object": "customers", "after": 36, "unit": "months", "act": "trash", "years": 0}


@pytest.mark.parametrize("typed", ["owner_id=me", "where=owner_id:me"])
def test_me_in_a_rule_is_who_wrote_it_also_at_night(shop, typed):
    with shop.work() as session:
        made = RetentionRuleService(session).create({**SILENT, "only_for": typed})
        assert "me" not in made.only_for.split("=")[-1].split(":")
        assert str(shop.owner.member_id) in made.only_for


def test_a_rule_reaches_no_further_than_who_writes_it(shop):
    with shop.work() as session:
        role = {"retention_rules:write": "all", "retention_rules:read": "all", "customers:read": "all"}
        for more, allowed in (
            ({}, False),
            ({"customers:delete": "own"}, False),
            ({"customers:delete": "all"}, True),
        ):
            actor = replace(shop.owner, permissions={**role, **more}, role="clerk")
            service = RetentionRuleService(session, actor)
            if allowed:
                assert service.create(SILENT).act == "trash"
            else:
                with pytest.raises(Forbidden):
                    service.create(SILENT)


def test_what_belongs_to_who_is_held_stays(shop):
    with shop.work() as session:
        held = service_for("customers", session).create({"name": "Held"}).id
        contact = service_for("contacts", session).create({"name": "Boris", "customer_id": str(held)}).id
        tickets = service_for("tickets", session)
        theirs = tickets.create({"subject": "Theirs", "customer_id": str(held)}).id
        other = tickets.create({"subject": "Nobody's"}).id
        HoldService(session).hold("customers", held, "A court case")
    with shop.work() as session:
        privacy = PrivacyService(session, store())
        with pytest.raises(Conflict, match="A court case"):
            privacy.retire("contacts", contact, "a rule")
        for one in (theirs, other):
            service_for("tickets", session).trash(one)
        with pytest.raises(Conflict, match="legal hold"):
            privacy.purge("tickets", theirs, "a rule")
        rule = RetentionRule(object="trash", act="erase", after=1, unit="days", years=0, only_for=None)
        why = retention._why(session, rule, "tickets", [theirs, other], clock.now())
        assert list(why) == [theirs]
        assert privacy.purge("tickets", other, "a rule") is not None


def test_waiting_steps_are_not_taken_over_by_who_changes_them(shop):
    desk = Desk(shop)
    admin = shop.member("admin", "Ada")
    flow = desk.flow({"do": "wait", "days": 1}, {"do": "task", "text": "Old"}, actor=admin)
    desk.make("deals", name="Desk")
    desk.work()
    with shop.work() as session:
        FlowService(session).update(flow, {"steps": [{"do": "task", "text": "New", "days": 0}]})
    renew(shop)
    (run,) = desk.runs(flow)
    with clock.ahead(dt.timedelta(days=2)):
        tasks.run(tenant_id=str(shop.tenant.id), run_id=str(run.id))
    (run,) = desk.runs(flow)
    assert run.state == "stopped"
    with shop.work() as session:
        model = service_for("activities", session).type.model
        assert session.execute(select(model.subject).where(model.subject == "Old")).all() == []


def test_who_may_not_change_the_owner_hands_nothing_over_by_a_workflow(shop):
    say(shop, "deals", "owner_id", None, ["owner"])
    admin = shop.member("admin", "Ada")
    step = {"do": "assign", "member": str(admin.member_id)}
    given = {"name": "Take", "object": "deals", "trigger": "created", "steps": [step]}
    with shop.work(admin) as session, pytest.raises(InvalidInput) as refused:
        FlowService(session).create(given)
    assert "may not change" in str(refused.value.fields)
    with shop.work() as session:
        assert FlowService(session).create(given).steps[0]["do"] == "assign"


def test_what_a_role_may_no_longer_change_is_no_longer_changed_for_it(shop):
    desk = Desk(shop)
    admin = shop.member("admin", "Ada")
    flow = desk.flow({"do": "set", "field": "source", "value": "fair"}, actor=admin)
    say(shop, "deals", "source", None, ["owner"])
    made = desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert "may not change" in run.told[-1]["text"]
    assert desk.read("deals", made).source is None


def test_a_changed_field_keeps_its_rights_and_is_changed_by_who_may(shop):
    key = own_field(shop, searchable=False)
    say(shop, "customers", key, ["owner", "admin"], ["owner"])
    admin = shop.member("admin", "Ada")
    with shop.work() as session:
        service_for("customers", session).create({"name": "One", key: "wide"})
        field_id = session.execute(select(service_for("custom_fields", session).type.model.id)).scalar_one()
    with shop.work(admin) as session, pytest.raises(Forbidden):
        ChangeService(session).start(field_id, Wish(kind="number", keep=True))
    with shop.work() as session:
        ChangeService(session).start(field_id, Wish(kind="number", keep=True))
    renew(shop)
    with shop.work() as session:
        said = session.execute(select(FieldRule).where(FieldRule.field == f"{key}_former")).scalar_one()
        assert (said.seen_by, said.edited_by) == ("admin,owner", "owner")
