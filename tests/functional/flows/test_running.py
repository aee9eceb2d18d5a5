"""Workflows at work: each way to start, each action, circles, failures, and who may see what."""

import datetime as dt

import pytest
from sqlalchemy import select, text

from kehu.activities.models import Activity
from kehu.core import audit, clock, context, events
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput, StaleVersion
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.undo import undo_batch
from kehu.deals.models import Deal
from kehu.flows import tasks
from kehu.flows.models import Flow, FlowRun
from kehu.flows.services import FlowService
from kehu.webhooks.models import WebhookDelivery
from kehu.webhooks.services import WebhookService


def tasks_of(shop):
    with shop.work() as session:
        return list(session.execute(select(Activity).order_by(Activity.id)).scalars())


def test_a_record_that_is_created_gets_a_task_once_for_its_owner(shop, desk):
    flow = desk.flow(condition="amount.gte:100")
    deal = desk.make("deals", name="Desk", amount="150")
    desk.make("deals", name="Pen", amount="5")
    desk.work()
    (task,) = tasks_of(shop)
    assert (task.subject, task.deal_id, task.owner_id) == ("Call about Desk", deal, shop.owner.member_id)
    assert task.due_at.date() - clock.today(shop.tenant.tz) == dt.timedelta(days=2)
    (run,) = desk.runs(flow)
    assert (run.state, run.record_id, run.depth) == ("done", deal, 1)
    assert run.told[0]["ok"]
    with shop.work() as session:
        entry = session.execute(select(AuditEntry).where(AuditEntry.record_id == task.id)).scalar_one()
        assert (entry.source, entry.batch_id, entry.member_id) == ("rule:Flow", run.id, shop.owner.member_id)


def test_a_change_starts_it_of_one_field_or_of_any(shop, desk):
    one = desk.flow(trigger="changed", field="amount", name="Amount")
    any_field = desk.flow(trigger="changed", name="Any")
    deal = desk.make("deals", name="Desk")
    desk.work()
    assert desk.runs() == []
    desk.change("deals", deal, name="Desk 2")
    desk.work()
    assert [len(desk.runs(flow)) for flow in (one, any_field)] == [0, 1]
    desk.change("deals", deal, amount="7")
    desk.change("deals", deal, amount="7")
    desk.work()
    assert [len(desk.runs(flow)) for flow in (one, any_field)] == [1, 2]


@pytest.mark.parametrize(("side", "days", "shift"), [("before", 3, 3), ("after", 2, -2), ("before", 0, 0)])
def test_a_day_that_comes_starts_it_once(shop, desk, side, days, shift):
    flow = desk.flow(trigger="date", field="expected_close", days=days, side=side)
    today = clock.today(shop.tenant.tz)
    day = today + dt.timedelta(days=shift)
    deal = desk.make("deals", name="Due", expected_close=day.isoformat())
    desk.make("deals", name="Not yet", expected_close=(day + dt.timedelta(days=1)).isoformat())
    desk.make("deals", name="Long past", expected_close=(day - dt.timedelta(days=1)).isoformat())
    desk.make("deals", name="No date")
    desk.morning()
    desk.morning()
    (run,) = desk.runs(flow)
    assert (run.record_id, run.state) == (deal, "done")


def test_a_day_that_nobody_looked_at_is_made_up_for(shop, desk):
    flow = desk.flow(trigger="date", field="expected_close")
    with shop.work() as session:
        session.get(Flow, (shop.tenant.id, flow)).active_since = clock.now() - dt.timedelta(days=9)
    today = clock.today(shop.tenant.tz)
    late = desk.make("deals", name="Late", expected_close=(today - dt.timedelta(days=2)).isoformat())
    desk.make("deals", name="Too late", expected_close=(today - dt.timedelta(days=5)).isoformat())
    desk.morning()
    assert [run.record_id for run in desk.runs(flow)] == [late]


def test_silence_starts_it_once_until_something_happens(shop, desk):
    flow = desk.flow({"do": "mail", "subject": "Quiet", "text": "Look"}, trigger="quiet", days=30)
    still, busy, young = (desk.make("deals", name=name) for name in ("Still", "Busy", "Young"))
    old = clock.now() - dt.timedelta(days=40)
    with shop.work() as session:
        session.execute(
            text("UPDATE deals SET updated_at = :old WHERE tenant_id = :t AND id <> :young"),
            {"old": old, "t": shop.tenant.id, "young": young},
        )
    desk.make("activities", subject="Called", kind="call", deal_id=str(busy))
    desk.morning()
    desk.morning()
    assert [run.record_id for run in desk.runs(flow)] == [still]
    with shop.work() as session:
        session.execute(
            text("UPDATE flow_runs SET created_at = :old WHERE tenant_id = :t"),
            {"old": old, "t": shop.tenant.id},
        )
        session.execute(
            text("UPDATE deals SET updated_at = :later WHERE tenant_id = :t AND id = :id"),
            {"later": old + dt.timedelta(days=3), "t": shop.tenant.id, "id": still},
        )
    desk.morning()
    assert len(desk.runs(flow)) == 2


def test_a_field_is_set_handed_over_and_undone_as_one(shop, desk):
    ben = shop.member("manager", "Ben")
    flow = desk.flow(
        {"do": "set", "field": "source", "value": "Fair"},
        {"do": "set", "field": "expected_close", "value": "today+7"},
        {"do": "assign", "member": str(ben.member_id)},
    )
    deal = desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert run.state == "done", run.told
    found = desk.read("deals", deal)
    week = clock.today(shop.tenant.tz) + dt.timedelta(days=7)
    assert (found.source, found.expected_close, found.owner_id) == ("Fair", week, ben.member_id)
    with shop.work() as session:
        undo_batch(session, run.id)
    desk.work()
    found = desk.read("deals", deal)
    assert (found.source or None, found.expected_close, found.owner_id) == (None, None, shop.owner.member_id)
    assert len(desk.runs(flow)) == 1


def test_what_is_undone_starts_nothing(shop, desk):
    deal = desk.make("deals", name="Desk")
    flow = desk.flow({"do": "set", "field": "source", "value": "Fair"}, trigger="changed", field="amount")
    desk.change("deals", deal, amount="7")
    desk.work()
    assert len(desk.runs(flow)) == 1
    with shop.work() as session:
        batch = session.execute(
            select(AuditEntry.batch_id).where(
                AuditEntry.changes.has_key("amount"), AuditEntry.record_id == deal
            )
        ).scalar_one()
        undo_batch(session, batch)
    desk.work()
    assert len(desk.runs(flow)) == 1


def test_a_mail_goes_to_the_owner_with_a_link(shop, desk):
    ben = shop.member("manager", "Ben")
    desk.flow({"do": "mail", "subject": "New: {name}", "text": "Look at {name}"})
    deal = desk.make("deals", name="Desk", owner_id=str(ben.member_id))
    desk.work()
    with shop.work() as session:
        (args,) = session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'kehu.mail.deliver' "
                "AND args->>'tenant_id' = :id"
            ),
            {"id": str(shop.tenant.id)},
        ).scalars()
    assert args["to"] == ben.email
    assert args["values"]["subject"] == "New: Desk"
    assert args["values"]["url"].endswith(f"/deals/{deal}")
    from kehu.core import mail

    with shop.app.app_context(), shop.work():
        message = mail.compose(args["to"], args["template"], args["values"])
    assert message["Subject"] == "New: Desk"
    assert "Look at Desk" in message.get_body(("plain",)).get_content()


def test_a_webhook_is_called_and_told_no_names(shop, desk):
    with shop.work() as session:
        service = WebhookService(session)
        hook = service.create({"name": "Books", "url": "https://example.com/x", "events": "flow.run"}).id
    flow = desk.flow({"do": "webhook", "webhook": str(hook)})
    deal = desk.make("deals", name="Desk of Anna")
    desk.work()
    with shop.work() as session:
        deliveries = session.execute(
            select(WebhookDelivery).where(WebhookDelivery.event == "flow.run")
        ).scalars()
        (row,) = deliveries.all()
    assert (row.webhook_id, row.payload["data"]["id"], row.payload["data"]["flow"]["id"]) == (
        hook,
        str(deal),
        str(flow),
    )
    assert "Anna" not in str(row.payload)


def test_it_never_starts_itself_nor_goes_round(shop, desk):
    first = desk.flow(
        {"do": "set", "field": "description", "value": "One"}, trigger="changed", field="source", name="First"
    )
    second = desk.flow(
        {"do": "set", "field": "source", "value": "Two"},
        trigger="changed",
        field="description",
        name="Second",
    )
    itself = desk.flow({"do": "set", "field": "amount", "value": "5"}, trigger="changed", field="amount")
    deal = desk.make("deals", name="Desk")
    desk.change("deals", deal, source="Zero")
    desk.change("deals", deal, amount="9")
    desk.work()
    states = [[(run.state, run.depth) for run in desk.runs(flow)] for flow in (first, second, itself)]
    assert states == [[("done", 1), ("stopped", 3)], [("done", 2)], [("done", 1)]]
    assert "circle" in desk.runs(first)[1].told[0]["text"]
    assert desk.read("deals", deal).source == "Two"


def test_five_in_a_row_are_the_most(shop, desk):
    keys = ["source", "description", "expected_close", "amount", "tags", "source"]
    values = ["a", "b", "2030-01-01", "5", "vip", "z"]
    fields = ["name", *keys]
    flows = [
        desk.flow(
            {"do": "set", "field": fields[at + 1], "value": values[at]},
            trigger="changed",
            field=fields[at],
            name=f"Flow {at}",
        )
        for at in range(6)
    ]
    deal = desk.make("deals", name="Desk")
    desk.change("deals", deal, name="Desk 2")
    desk.work()
    states = [[(run.state, run.depth) for run in desk.runs(flow)] for flow in flows]
    assert states[:5] == [[("done", depth)] for depth in range(1, 6)], [run.told for run in desk.runs()]
    assert states[5] == [("stopped", 6)]
    assert "5" in desk.runs(flows[5])[0].told[0]["text"]


def test_a_failure_is_told_tried_again_and_given_up(shop, desk):
    flow = desk.flow(
        {"do": "set", "field": "source", "value": "Fair"}, {"do": "task", "text": "Then"}, name="Needs Ben"
    )
    with shop.work() as session:
        from kehu.rules.musts import RecordRuleService

        rule = (
            RecordRuleService(session)
            .create(
                {
                    "name": "R",
                    "object": "deals",
                    "must": "expected_close.empty=no",
                    "message": "Say when it closes.",
                    "active": True,
                }
            )
            .id
        )
    deal = desk.make("deals", name="Fine", expected_close="2030-01-01")
    desk.renew()
    with shop.work() as session:
        session.execute(
            text("UPDATE deals SET expected_close = NULL WHERE tenant_id = :t AND id = :id"),
            {"t": shop.tenant.id, "id": deal},
        )
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, run.step, run.attempts) == ("waiting", 0, 1)
    assert run.told[-1] == {**run.told[-1], "ok": False, "text": "Say when it closes."}
    assert tasks_of(shop) == []
    for attempt in range(2, 5):
        with shop.work() as session:
            session.get(FlowRun, (shop.tenant.id, run.id)).next_at = clock.now()
        tasks.run(tenant_id=str(shop.tenant.id), run_id=str(run.id))
        assert desk.runs(flow)[0].attempts == attempt
    assert desk.runs(flow)[0].state == "failed"
    page = shop.client().get(f"/settings/workflows/{flow}?state=failed").get_data(as_text=True)
    assert "Say when it closes." in page
    with shop.work() as session:
        service_for("record_rules", session).trash(rule)
    desk.renew()
    answer = shop.client().post(
        f"/settings/workflows/{flow}/runs/{run.id}/again", headers={"HX-Request": "true"}
    )
    assert answer.status_code < 300
    desk.work()
    (done,) = desk.runs(flow)
    assert done.state == "done", done.told
    assert len(tasks_of(shop)) == 1
    with shop.work() as session, pytest.raises(Conflict):
        FlowService(session).again(flow, run.id)


def test_a_fault_of_ours_is_told_and_never_ends_the_job(shop, desk, monkeypatch):
    from kehu.flows import acts

    flow = desk.flow()

    def broken(*_args):
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(acts._DO, "task", broken)
    desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, run.attempts) == ("waiting", 1)
    assert "secret" not in str(run.told)
    monkeypatch.undo()
    with shop.work() as session:
        session.get(FlowRun, (shop.tenant.id, run.id)).next_at = clock.now()
    tasks.run(tenant_id=str(shop.tenant.id), run_id=str(run.id))
    assert desk.runs(flow)[0].state == "done"


def test_it_waits_and_goes_on_only_then(shop, desk):
    flow = desk.flow({"do": "wait", "days": 3}, {"do": "task", "text": "Later"})
    desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, run.step) == ("waiting", 1)
    tasks.run(tenant_id=str(shop.tenant.id), run_id=str(run.id))
    assert tasks_of(shop) == []
    with shop.work() as session:
        session.get(FlowRun, (shop.tenant.id, run.id)).next_at = clock.now()
    tasks.run(tenant_id=str(shop.tenant.id), run_id=str(run.id))
    assert [one.subject for one in tasks_of(shop)] == ["Later"]


def test_off_or_in_the_trash_it_goes_no_further(shop, desk):
    flow = desk.flow()
    deal = desk.make("deals", name="Desk")
    desk.make("deals", name="Second")
    with shop.work() as session:
        service_for("deals", session).trash(deal)
    for job in desk.jobs("flows.start"):
        tasks.start(**job.args)
    assert len(desk.runs(flow)) == 1
    with shop.work() as session:
        FlowService(session).update(flow, {"active": False})
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, tasks_of(shop)) == ("stopped", [])


def test_it_has_no_more_rights_than_who_wrote_it(shop, desk):
    from kehu.members.models import Member

    admin = shop.member("admin", "Ada")
    flow = desk.flow(actor=admin)
    with shop.work() as session:
        session.get(Member, (shop.tenant.id, admin.member_id)).state = "parked"
    desk.make("deals", name="Desk")
    desk.work()
    (run,) = desk.runs(flow)
    assert (run.state, run.attempts, tasks_of(shop)) == ("waiting", 1, [])
    page = shop.client().get(f"/settings/workflows/{flow}").get_data(as_text=True)
    assert "is not in the firm any more" in page


def test_another_firm_sees_and_starts_nothing(shop, other_shop, desk):
    flow = desk.flow()
    with other_shop.work() as session:
        service_for("deals", session).create({"name": "Foreign"})
        assert session.execute(select(Flow)).scalars().all() == []
        statement = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'flows.start' "
                         "AND args->>'tenant_id' = :id")  # fmt: skip
        assert session.execute(statement, {"id": str(other_shop.tenant.id)}).scalar_one() == 0
    desk.make("deals", name="Desk")
    desk.work()
    client = other_shop.client()
    for path in ("", "/edit", "/rehearse", "/steps/0"):
        assert client.get(f"/settings/workflows/{flow}{path}").status_code == 404
    with other_shop.work() as session:
        assert session.execute(select(FlowRun)).scalars().all() == []


def test_a_step_that_leads_nowhere_is_refused(shop, desk):
    wrong = [
        {"do": "set", "field": "nothing", "value": "x"},
        {"do": "set", "field": "expected_close", "value": "soon"},
        {"do": "set", "field": "name", "value": ""},
        {"do": "assign", "member": "0199aaaa-0000-7000-8000-000000000000"},
        {"do": "webhook", "webhook": "0199aaaa-0000-7000-8000-000000000000"},
        {"do": "fly"},
        {"do": "wait"},
        {"do": "wait", "days": 0},
        {"do": "mail", "subject": "x"},
    ]
    for step in wrong:
        with pytest.raises(InvalidInput) as error:
            desk.flow(step)
        assert "steps" in error.value.fields, step
    for values in (
        {"condition": "nothing:1"},
        {"trigger": "changed", "field": "nothing"},
        {"trigger": "date", "field": "name"},
        {"trigger": "date"},
        {"trigger": "quiet", "days": 0},
        {"object": "members"},
    ):
        with pytest.raises(InvalidInput):
            desk.flow(**values)


def test_two_at_once_lose_nothing(shop, desk):
    flow = desk.flow(active=False)
    with shop.work() as session:
        FlowService(session).update(flow, {"name": "Mine"}, version=1)
    with shop.work() as session, pytest.raises(StaleVersion):
        FlowService(session).update(flow, {"name": "Yours"}, version=1)
    answer = shop.client().post(
        f"/settings/workflows/{flow}/steps/0/drop", data={"version": "1"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 409
    with shop.work() as session:
        assert len(session.get(Flow, (shop.tenant.id, flow)).steps) == 1


def test_nothing_is_enqueued_while_no_workflow_is_on(shop, desk):
    flow = desk.flow(active=False)
    desk.make("deals", name="Desk")
    assert desk.jobs("flows.start") == []
    with shop.work() as session:
        FlowService(session).update(flow, {"active": True})
    desk.renew()
    desk.make("customers", name="Anna")
    assert desk.jobs("flows.start") == []
    desk.make("deals", name="Desk 2")
    assert len(desk.jobs("flows.start")) == 1


def test_what_an_import_writes_starts_it_at_its_end(shop, desk):
    deal = desk.make("deals", name="Old")
    changed = desk.flow(trigger="changed", field="amount")
    created = desk.flow(name="New")
    batch = new_id()
    for record in ("update", "create"):
        with shop.work() as session:
            audit.use_batch(session, batch)
            events.hold(session)
            service = service_for("deals", session)
            _made = (
                service.create({"name": "New"})
                if record == "create"
                else service.update(deal, {"amount": "3"})
            )
    desk.work()
    assert desk.runs() == []
    with shop.work() as session:
        audit.use_batch(session, batch)
        events.announce(session, "deal.created")
    desk.work()
    assert [run.record_id for run in desk.runs(changed)] == [deal]
    assert len(desk.runs(created)) == 1


def test_the_author_is_me(shop, desk):
    ben = shop.member("admin", "Ben")
    desk.flow(actor=ben, condition="/deals?owner_id=me&sort=name")
    with shop.work() as session:
        kept = session.execute(select(Flow)).scalar_one()
        assert (kept.condition, kept.acting_id) == (f"owner_id={ben.member_id}", ben.member_id)
    assert context.current().tenant is None
    assert Deal.__tablename__ == "deals"
