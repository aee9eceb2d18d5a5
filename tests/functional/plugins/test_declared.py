"""What a plugin declares beside its pages: jobs, settings, buttons on records."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import select, text

from kehu.addons import settings
from kehu.addons.calls import Call, call
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.services import PluginService
from kehu.addons.tasks import run_job, run_later, schedule_all
from kehu.core import clock, db, hooks, schedule
from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.customers.services import CustomerService
from kehu.testkit.browser import Browser
from kehu.testkit.fixtures import Shop
from plugins.declarations import Declarations
from plugins.relay import PluginError
from plugins.results import JobDef, RecordAction, SettingsSchema

SLUG = "automotive"
PAGE = f"/settings/plugins/{SLUG}/settings"
FIELDS = (
    Field(key="days", label=_l("Days"), kind="number", default=30, minimum=1, required=True),
    Field(
        key="mode",
        label=_l("Kind"),
        kind="choice",
        options=(Option(value="a", label="A"), Option(value="b", label="B")),
    ),
    Field(key="active", label=_l("On"), kind="bool", default=False),
    Field(key="token", label=_l("Token")),
    Field(key="limit", label=_l("Limit"), kind="money"),
)


class Probe:
    """Jobs that note what they got."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, dict[str, Any]]] = []

    def note(self, ctx: Call, **more: Any) -> None:
        ctx.log.info("heard")
        self.calls.append((ctx, {**more, "days": ctx.settings["days"], "today": ctx.today}))

    def fail(self, ctx: Call) -> None:
        ctx.session.execute(text("SELECT 1 / 0"))

    def commit(self, ctx: Call) -> None:
        ctx.session.commit()


@pytest.fixture
def probe(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Probe:
    """The built-in plugin on, with declarations of this test's own."""
    made = Probe()
    declared = hooks.host().declarations
    extra = Declarations(
        jobs=[
            (SLUG, JobDef(name="nightly", run=made.note, title="Note", at="02:30")),
            (SLUG, JobDef(name="failing", run=made.fail, title="Fail")),
            (SLUG, JobDef(name="commits", run=made.commit, title="Commit")),
        ],
        settings=[(SLUG, SettingsSchema(fields=FIELDS, secrets=("token",)))],
        actions=[
            (
                SLUG,
                RecordAction(
                    object="customers",
                    label="Add a car",
                    endpoint="automotive_vehicles.new_vehicle_of",
                    permission="automotive.vehicles:write",
                    icon="no-such-icon",
                ),
            )
        ],
    )
    whole = Declarations()
    whole.extend(declared)
    whole.settings = [one for one in whole.settings if one[0] != SLUG]
    whole.extend(extra)
    monkeypatch.setattr(hooks.host(), "_declarations", whole)
    # As in production: what fails is contained, recorded and told to the caller.
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    with shop.work() as session:
        PluginService(session).enable(SLUG)
    return made


def run(shop: Shop, name: str, **arguments: Any) -> None:
    run_job(tenant_id=str(shop.tenant.id), slug=SLUG, name=name, **arguments)


def test_a_job_runs_for_the_tenant_with_its_context(shop: Shop, probe: Probe) -> None:
    run(shop, "nightly", number=3)
    (ctx, more) = probe.calls.pop()
    today = clock.today(shop.tenant.tz)
    assert (ctx.tenant.id, ctx.plugin) == (shop.tenant.id, SLUG)
    assert more == {"number": 3, "days": 30, "today": today}
    assert ctx.now.tzinfo is dt.UTC
    assert shop.client().post(f"/settings/plugins/{SLUG}/off").status_code == 303
    run(shop, "nightly")
    run(shop, "unknown")
    assert not probe.calls


@pytest.mark.parametrize("name", ["failing", "commits"])
def test_a_failing_job_is_recorded_and_tries_again(shop: Shop, probe: Probe, name: str) -> None:
    with pytest.raises(PluginError):
        run(shop, name)
    with shop.work() as session:
        fault = session.execute(select(PluginIncident)).scalar_one()
        assert (fault.slug, fault.hook) == (SLUG, f"job {name}")


def test_jobs_are_asked_for_in_the_same_transaction(shop: Shop, probe: Probe) -> None:
    with shop.work() as session:
        for _time in range(2):
            run_later(session, f"{SLUG}.nightly", wait=dt.timedelta(hours=1), once="7", number=7)
        with pytest.raises(LookupError, match="No plugin declares"):
            run_later(session, f"{SLUG}.nonesuch")
    with shop.work() as session:
        waiting = session.execute(
            text(
                "SELECT args FROM procrastinate_jobs WHERE task_name = 'addons.run_job' AND args->>'tenant_id' = :id"
            ),
            {"id": str(shop.tenant.id)},
        ).scalars()
        assert [one["number"] for one in waiting] == [7]


def test_jobs_with_a_time_join_the_clock(shop: Shop, probe: Probe) -> None:
    before = schedule.registered()
    try:
        schedule_all()
        made = schedule.registered()[f"x.{SLUG}.nightly"]
        assert (made.at, made.plugin) == ((dt.time(2, 30),), SLUG)
        assert f"x.{SLUG}.failing" not in schedule.registered()
    finally:
        schedule._schedules.clear()
        schedule._schedules.update(before)


def save(client: Browser, **values: str) -> Any:
    """Fill the form as it stands and send it."""
    found = re.search(r'name="seen" value="([^"]+)"', client.get(PAGE).get_data(as_text=True))
    assert found is not None
    return client.post(PAGE, data={"seen": found[1], **values})


def test_settings_are_a_form_and_secrets_stay_secret(shop: Shop, probe: Probe) -> None:
    admin = shop.client(shop.member("admin"))
    assert "Settings" in admin.get("/settings/plugins").get_data(as_text=True)
    page = admin.get(PAGE).get_data(as_text=True)
    assert 'name="days"' in page
    answer = save(admin, days="0", mode="zzz", token="hush")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "This must be 1 or more" in page
    assert 'value="hush"' in page
    assert save(admin, days="", mode="a").status_code == 422
    values = {
        "days": "45",
        "mode": "b",
        "__has.active": "1",
        "active": "1",
        "token": "hush",
        "limit": "12.50",
    }
    assert save(admin, **values).status_code == 303
    with shop.work() as session:
        stored = session.execute(select(TenantPlugin.settings)).scalar_one()
        assert "hush" not in str(stored)
        found = call(SLUG).settings
        assert dict(found) == {"days": 45, "mode": "b", "active": True, "token": "hush", "limit": 1250}
    page = admin.get(PAGE).get_data(as_text=True)
    assert "hush" not in page
    assert 'value="12.50"' in page
    # The dots mean: as it is.
    assert save(admin, **{**values, "days": "46", "token": settings.KEPT}).status_code == 303
    with shop.work() as session:
        kept = settings.values(session, SLUG)
        assert (kept["days"], kept["token"], kept["limit"]) == (46, "hush", 1250)
    audit = admin.get("/settings/audit").get_data(as_text=True)
    assert "hush" not in audit
    assert shop.client(shop.member("member")).get(PAGE).status_code == 403
    with shop.app.app_context():
        assert settings.reveal("nonsense") is None


def test_settings_of_a_plugin_that_is_off_are_not_there(shop: Shop, other_shop: Shop, probe: Probe) -> None:
    assert other_shop.client().get(PAGE).status_code == 404
    assert other_shop.client().post(PAGE, data={"days": "3"}).status_code == 404
    assert shop.client().get("/settings/plugins/tenants/settings").status_code == 404
    with other_shop.work() as session:
        assert settings.values(session, SLUG)["days"] == 30
        assert db.tenant_id() == other_shop.tenant.id


def test_a_button_stands_on_the_record(
    shop: Shop, other_shop: Shop, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shop.work() as session:
        customer = CustomerService(session).create({"name": "Harbour Taxis"}).id
    declared = hooks.host().declarations.actions[-1][1]
    client = shop.client()
    assert "Add a car" not in client.get(f"/customers/{customer}").get_data(as_text=True)
    monkeypatch.setitem(shop.app.view_functions, declared.endpoint, lambda: "")
    rules = shop.app.url_map
    known = next(rules.iter_rules("automotive_vehicles.customer_panel")).endpoint
    action = RecordAction(
        object="customers",
        label="Add a car",
        endpoint=known,
        permission=declared.permission,
        icon="no-such-icon",
    )
    hooks.host().declarations.actions[-1] = (SLUG, action)
    page = client.get(f"/customers/{customer}").get_data(as_text=True)
    assert f"/x/automotive/panel?record_id={customer}" in page
    assert "Add a car" not in shop.client(shop.member("viewer")).get(f"/customers/{customer}").get_data(
        as_text=True
    )


def test_two_admins_at_once_lose_nothing(shop: Shop, probe: Probe) -> None:
    one, other = shop.client(shop.member("admin")), shop.client()
    stale = re.search(r'name="seen" value="([^"]+)"', one.get(PAGE).get_data(as_text=True))
    assert stale is not None
    assert save(other, days="60", mode="a").status_code == 303
    answer = one.post(PAGE, data={"seen": stale[1], "days": "7"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Somebody else has changed these settings" in page
    assert re.findall("<dd>(.*?)</dd>", page) == ["60", "A", "No", "–", "–"]
    assert 'value="7"' in page
    fresh = re.search(r'name="seen" value="([^"]+)"', page)
    assert fresh is not None
    assert one.post(PAGE, data={"seen": fresh[1], "days": "7"}).status_code == 303
    with shop.work() as session:
        assert settings.values(session, SLUG)["days"] == 7


def test_a_kept_value_that_a_newer_version_can_not_read_gives_the_default(shop: Shop, probe: Probe) -> None:
    with shop.work() as session:
        session.execute(select(TenantPlugin)).scalar_one().settings = {"days": "soon", "limit": "much"}
    with shop.work() as session:
        found = settings.values(session, SLUG)
        assert (found["days"], found["limit"]) == (30, None)
    assert shop.client().get(PAGE).status_code == 200
