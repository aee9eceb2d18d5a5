"""What a firm may do by its phase: writing stops in one place, reading and exporting never do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select

from billing import entitlements, facts, modes, states
from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.commands import group
from billing.models import Account, Price
from billing.periods import trial_end
from billing.prices import apply, steps
from kehu.core import clock, context, db, schedule
from kehu.core.audit import AuditEntry
from kehu.core.gate import PaymentNeeded
from kehu.core.records.service import service_for
from kehu.core.tables import metadata
from kehu.testkit.fixtures import Shop, count_queries
from plugins.results import BillingMode

DAY = dt.timedelta(days=1)
PAGES = ("/", "/customers", "/deals", "/tickets", "/settings", "/settings/members", "/search?q=a")


def test_case_69_mode_off_asks_nothing_and_nothing_ends(shop: Shop) -> None:
    with shop.work() as session:
        state = states.state_of(shop.tenant)
        assert (state.phase, state.read_only) == (None, False)
        assert entitlements.entitled(shop.tenant, "anything")
        assert session.execute(select(Account)).first() is None
        with clock.ahead(dt.timedelta(days=4000)):
            service_for("customers", session, shop.owner).create({"name": "Long after"})
            assert facts.standing(shop.tenant).phase.value == "off"


def test_an_account_begins_with_the_trial_and_is_made_once(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        first = AccountService(session).lock()
        assert first.trial_ends_at == trial_end(clock.now(), shop.tenant.tz, 14)
        assert (first.phase, first.currency, first.seats_cap) == ("trial", "GBP", 5)
        assert AccountService(session).lock() is first
        assert context.tenant().settings["billing"]["trial"] == facts.written(first.trial_ends_at)
    with shop.work() as session, clock.ahead(DAY * 100):
        assert AccountService(session).lock().trial_ends_at == first.trial_ends_at


def test_a_firm_older_than_billing_gets_its_trial_from_now(demo: None, shop: Shop) -> None:
    with shop.work() as session, clock.ahead(DAY * 400):
        assert AccountService(session).lock().trial_ends_at == trial_end(clock.now(), shop.tenant.tz, 14)


def test_after_the_trial_nothing_is_written_and_everything_read(over: Callable[[], str], shop: Shop) -> None:
    with shop.work() as session:
        kept = service_for("customers", session, shop.owner).create({"name": "Before"})
    assert over() == "trial_over"
    client = shop.client()
    for page in PAGES:
        assert client.get(page).status_code == 200, page
    assert client.get(f"/customers/{kept.id}").status_code == 200
    assert client.get("/customers/export.csv").status_code == 200
    refused = client.post("/customers/new", data={"name": "After"})
    assert refused.status_code == 402
    assert "chooses a plan under Settings, Plan and seats" in refused.get_data(as_text=True)
    token = {"Authorization": f"Bearer {shop.token()}"}
    answer = client.post("/api/v1/customers", json={"name": "After"}, headers=token)
    assert (answer.status_code, answer.json["code"], answer.json["phase"]) == (
        402,
        "payment_needed",
        "trial_over",
    )
    assert client.get("/api/v1/customers", headers=token).status_code == 200
    # The page leads to the next step whoever may take it.
    shown = client.get("/customers/new").get_data(as_text=True)
    assert "Only reading for now" in shown
    assert "Go to Plan and seats" in shown
    shown = shop.client(shop.member("member")).get("/customers/new").get_data(as_text=True)
    assert "Go to Plan and seats" not in shown


@pytest.mark.parametrize("act", ["create", "update", "trash"])
def test_the_service_itself_refuses(over: Callable[[], str], shop: Shop, act: str) -> None:
    with shop.work() as session:
        kept = service_for("customers", session, shop.owner).create({"name": "Before"})
    over()
    with shop.work() as session, pytest.raises(PaymentNeeded, match="trial is over"):
        service = service_for("customers", session, shop.owner)
        {
            "create": lambda: service.create({"name": "After"}),
            "update": lambda: service.update(kept.id, {"name": "After"}),
            "trash": lambda: service.trash(kept.id),
        }[act]()


def test_the_product_itself_goes_on(over: Callable[[], str], shop: Shop) -> None:
    over()
    with shop.work(context.SYSTEM) as session:
        assert service_for("customers", session).create({"name": "A lead that came in"}).id


def test_case_55_writing_works_again_at_once(
    over: Callable[[], str], set_account: Callable[..., str], shop: Shop
) -> None:
    over()
    assert shop.client().post("/customers/new", data={"name": "Now"}).status_code == 402
    set_account(shop, trial_ends_at=clock.now() + DAY)
    assert shop.client().post("/customers/new", data={"name": "Now"}).status_code in (204, 303)


def test_billing_asks_the_database_nothing(demo: None, shop: Shop) -> None:
    with shop.work() as session:
        AccountService(session).lock()
    with shop.work():
        tenant = context.tenant()
        with count_queries() as found:
            assert states.state_of(tenant).phase == "trial"
            assert entitlements.entitled(tenant, "webhooks")
            shop.owner.require("customers:write")
        assert len(found) == 0


def _asked(client: FlaskClient, mode: BillingMode, path: str, form: dict[str, str] | None) -> list[str]:
    with modes.use(mode):
        for _warmed in range(2):
            with count_queries() as found:
                answer = client.post(path, data=form) if form else client.get(path)
            assert answer.status_code < 400
    return found.texts


@pytest.mark.parametrize("role", ["owner", "member"])
def test_billing_adds_no_statement_to_a_request(demo: None, shop: Shop, role: str) -> None:
    with shop.work() as session:
        AccountService(session).lock()
    client = shop.client(shop.owner if role == "owner" else shop.member(role))
    for path, form in (("/", None), ("/customers", None), ("/customers/new", {"name": "One"})):
        off, on = (_asked(client, mode, path, form) for mode in (BillingMode.OFF, BillingMode.DEMO))
        assert len(on) == len(off), (path, sorted(set(on) ^ set(off)))


def test_a_hold_lets_the_owner_alone_in(demo: None, shop: Shop) -> None:
    member = shop.client(shop.member("member"))
    with shop.work(context.SYSTEM) as session:
        assert AccountService(session).hold("A dispute").phase.value == "held"
    assert member.get("/customers").status_code == 403
    assert member.get("/account").status_code == 200
    assert "on hold" in member.get("/customers").get_data(as_text=True)
    owner = shop.client()
    assert owner.get("/customers").status_code == 200
    assert owner.post("/customers/new", data={"name": "No"}).status_code == 402
    with shop.work(context.SYSTEM) as session:
        assert AccountService(session).release("It was a mistake").phase.value == "trial"
        changes = [
            row.action
            for row in session.execute(select(AuditEntry).where(AuditEntry.object == "billing")).scalars()
        ]
        assert sorted(changes) == ["held", "phase", "phase", "released"]
    assert member.get("/customers").status_code == 200


def test_entitlements_come_from_plan_and_operator(demo: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        service = AccountService(session)
        service.lock()
        tenant = context.tenant()
        assert entitlements.grant(tenant, "webhooks") == entitlements.Grant(value=1, source="business@1")
        assert not entitlements.entitled(tenant, "nobody knows it")
        assert entitlements.plugin_entitled(tenant, "automotive")
        service.override("webhooks", 0, "misused", until=clock.now() + DAY)
        tenant = context.tenant()
        assert entitlements.grant(tenant, "webhooks") == entitlements.Grant(value=0, source="override")
        with clock.ahead(DAY * 2):
            assert entitlements.entitled(tenant, "webhooks")
        service.override("plugins", 0, "asked for it")
        assert not entitlements.plugin_entitled(context.tenant(), "automotive")


def test_a_feature_that_the_plan_lacks_is_refused_with_the_way_out(demo: None, shop: Shop) -> None:
    with shop.work(context.SYSTEM) as session:
        service = AccountService(session)
        service.override("custom_roles", 0, "a test")
        service.override("webhooks", 0, "a test")
    client = shop.client()
    page = client.get("/settings/roles").get_data(as_text=True)
    like = page.split('name="like"')[1].split('value="')[1].split('"')[0]
    answer = client.post("/settings/roles", data={"name": "Reception", "like": like})
    assert answer.status_code == 402
    assert "Your plan does not have “Roles of your own”" in answer.get_data(as_text=True)


def test_prices_are_written_down_once_and_never_changed(session: db.Session) -> None:
    from dataclasses import replace

    from billing.catalogue import CatalogueError

    found = catalogue()
    session.execute(Price.__table__.delete())
    assert {step.action for step in apply(session, found)} == {"add"}
    session.flush()
    assert {step.action for step in steps(session, found)} == {"stands"}
    plan = found.plans["team@1"]
    dearer = replace(plan, prices={key: amount + 1 for key, amount in plan.prices.items()})
    with pytest.raises(CatalogueError, match="add version 2"):
        steps(session, replace(found, plans={**found.plans, "team@1": dearer}))
    newer = replace(dearer, version=2)
    added = steps(session, replace(found, plans={**found.plans, "team@2": newer}))
    assert {step.plan for step in added if step.action == "add"} == {"team@2"}


def test_a_grant_names_the_features_that_there_are() -> None:
    result = CliRunner().invoke(group, ["grant", "shop", "gold", "1", "--reason", "x"])
    assert result.exit_code == 1
    assert "webhooks" in result.output


def test_case_73_a_copied_firm_carries_no_ids_of_a_provider() -> None:
    from tenants.archive import contents

    tables = {table.name for table in metadata.tables.values() if table.info.get("scope") == "tenant"}
    ours = {name for name in tables if name.startswith("billing_")}
    assert ours
    assert ours <= set(contents.reasons())


def test_work_that_writes_rests_while_a_firm_may_only_read(over: Callable[[], str], shop: Shop) -> None:
    def due_names() -> set[str]:
        with (
            shop.app.app_context(),
            context.use(actor=context.SYSTEM),
            db.cross_tenant("a test of what is due") as session,
        ):
            return {one.name for _tenant, one, _moment in schedule.due(session, clock.now(), shop.tenant.id)}

    before = due_names()
    assert {"offers.sweep", "surveys.daily", "items.end_terms"} <= before
    over()
    assert before - due_names() == {
        "offers.sweep",
        "surveys.daily",
        "merging.certain",
        "privacy.retention",
        "flows.look",
    }
