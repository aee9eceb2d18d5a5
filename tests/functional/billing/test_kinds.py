"""Start-up against the database (BILLING 6.8): another kind of customers is refused with the remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from billing import commands, kinds, modes
from billing.accounts import AccountService
from billing.anew import begin_anew
from billing.manual import ManualService
from billing.models import Account, Invoice
from billing.providers.demo import DemoProvider
from billing.purchases import PurchaseService
from kehu.config import ConfigError
from kehu.core import clock, context, db
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop, make_shop
from kehu.watch import checks
from kehu.worker import run_worker
from plugins.results import BillingMode

Run = Callable[..., Any]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(commands, "make_app", lambda: app)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(commands.group, arguments, catch_exceptions=True)


@pytest.fixture
def alone(app: Flask) -> None:
    """Let no other firm of this database be a customer of anything."""
    with app.app_context(), context.use(actor=context.SYSTEM), db.cross_tenant("a test") as session:
        session.execute(text("UPDATE billing_accounts SET mode = 'off', livemode = false"))


def customer(shop: Shop) -> None:
    """Let a firm have a plan of the demo."""
    with modes.use(BillingMode.DEMO), shop.work() as session:
        service = PurchaseService(session, DemoProvider(session))
        wish = service.wish("team", "month", "2")
        shown = service.preview(wish)
        service.order(wish, shown.at, shown.total)


def stripe_customer(shop: Shop, *, live: bool) -> None:
    """Let a firm be a customer of Stripe, as a purchase there leaves it."""
    with shop.work() as session:
        account = AccountService(session).lock()
        account.mode, account.livemode, account.stripe_customer_id = (
            "stripe",
            live,
            f"cus_{shop.tenant.id.hex}",
        )
        session.execute(insert(kinds.Kind).values(kind="live" if live else "test", since=clock.now()))


def test_demo_customers_beside_a_live_key_are_refused_everywhere(
    app: Flask, shop: Shop, run: Run, alone: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer(shop)
    with modes.use(BillingMode.DEMO):
        assert checks.refusals() == []
        assert run("check").output.endswith("This installation may serve them.\n")
    monkeypatch.setattr(modes, "_live", True)
    with modes.use(BillingMode.STRIPE):
        (said,) = checks.refusals()
        for part in ("the live key", "firms with a plan of the demo", "begin-anew --kind demo"):
            assert part in said
        # web, before it serves and while it does
        answer = app.test_client().get("/readyz")
        assert (answer.status_code, answer.json["checks"]["billing"]) == (503, said[9:-1])
        assert app.test_client().get("/healthz").status_code == 200
        # worker
        with pytest.raises(ConfigError, match="begin-anew --kind demo"):
            run_worker(app.extensions["kehu.settings"], once=True)
        # commands
        refused = run("hold", shop.tenant.address, "--reason", "x")
        assert isinstance(refused.exception, ConfigError)
        checked = run("check")
        assert "firms with a plan of the demo: 1 (such as " in checked.output
        assert isinstance(checked.exception, ConfigError)
        # the remedy
        with shop.work() as session:
            session.execute(update(Account).values(tax_told="what the other one was told"))
        done = run("begin-anew", "--kind", "demo", "--yes")
        assert done.output == "Begun anew: 1.\n"
        assert checks.refusals() == []
        assert app.test_client().get("/readyz").status_code == 200
        with shop.work() as session:
            account = session.execute(select(Account)).scalar_one()
            assert (account.mode, account.livemode, account.phase) == ("stripe", True, "trial")
            assert not account.tax_told
            assert session.execute(select(Invoice)).first() is None
            assert AccountService(session).subscription() is None


@pytest.mark.parametrize(("stored", "key"), [(True, False), (False, True)])
def test_a_key_of_the_other_kind_is_refused(
    app: Flask, shop: Shop, run: Run, alone: None, monkeypatch: pytest.MonkeyPatch, stored: bool, key: bool
) -> None:
    stripe_customer(shop, live=stored)
    monkeypatch.setattr(modes, "_live", key)
    with modes.use(BillingMode.STRIPE):
        (said,) = checks.refusals()
        assert f"customers of Stripe's {'live' if stored else 'test'} mode" in said
        assert "sk_" not in said
        declined = run("begin-anew", "--kind", "live" if stored else "test")
        assert "subscriptions there go on until somebody ends them there" in declined.output
        assert (declined.exit_code, len(checks.refusals())) == (1, 1)
    monkeypatch.setattr(modes, "_live", stored)
    with modes.use(BillingMode.STRIPE):
        assert checks.refusals() == []
        assert run("begin-anew", "--kind", "live" if stored else "test", "--yes").exit_code == 1


def test_off_is_refused_while_stripe_would_go_on_charging(app: Flask, shop: Shop, alone: None) -> None:
    stripe_customer(shop, live=True)
    (said,) = checks.refusals()
    assert "KEHU_BILLING_MODE=off" in said


def test_a_kind_that_is_gone_forbids_nothing_any_more(app: Flask, shop: Shop, run: Run, alone: None) -> None:
    customer(shop)
    with modes.use(BillingMode.MANUAL):
        assert len(checks.refusals()) == 1
        with app.app_context(), context.use(actor=context.SYSTEM), db.cross_tenant("a test") as session:
            session.execute(update(Account).values(mode="off"))  # as when those firms were erased
        assert run("check").output == "No firm is a customer yet.\nThis installation may serve them.\n"
        assert checks.refusals() == []


def test_a_firm_that_only_tries_moves_along(app: Flask) -> None:
    shop = make_shop(app)
    with modes.use(BillingMode.DEMO), shop.work() as session:
        ends = AccountService(session).lock().trial_ends_at
    with modes.use(BillingMode.MANUAL), shop.work() as session:
        account = AccountService(session).lock()
        assert (account.mode, account.phase, account.trial_ends_at) == ("manual", "trial", ends)


def test_without_the_database_nothing_is_forbidden(app: Flask) -> None:
    present = db.engine("app")
    db._engines["app"] = db.make_engine("postgresql://kehu_app@127.0.0.1:1/kehu")
    try:
        assert checks.refusals() == []
    finally:
        db._engines["app"].dispose()
        db._engines["app"] = present


def test_papers_of_money_that_moved_outlast_a_new_beginning(app: Flask, shop: Shop) -> None:
    def billed() -> set[str]:
        with modes.use(BillingMode.MANUAL), shop.work(context.SYSTEM) as session:
            begin_anew(session)
            ManualService(session).bill("Training", 40000, "order", request_id=new_id())
            return set(session.execute(select(Invoice.number)).scalars())

    first = billed()
    with modes.use(BillingMode.DEMO), shop.work(context.SYSTEM) as session:
        begin_anew(session)
    assert first < billed()
