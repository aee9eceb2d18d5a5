"""What time brings about: rests end, plans lapse and come back, data follows the code."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from kehu.addons import sweep
from kehu.addons.calls import Call
from kehu.addons.models import TenantPlugin
from kehu.addons.rows import locked, store
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.addons.switching import move
from kehu.addons.tasks import upgrade_plugin
from kehu.core import clock, context, hooks
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop
from plugins.relay import PluginError
from tests.unit.addons.conftest import Fake


def state(shop: Shop, slug: str = "alpha") -> tuple[str, str]:
    with shop.work() as session:
        row = session.execute(select(TenantPlugin).where(TenantPlugin.slug == slug)).scalar_one()
        return row.state, row.reason or ""


def tenant(shop: Shop) -> context.TenantInfo:
    with shop.work():
        found = hooks.tenant_by_id(shop.tenant.id)
    assert found is not None
    return found


def on(shop: Shop, slug: str = "alpha") -> None:
    with shop.work() as session:
        PluginService(session).enable(slug)


def run(shop: Shop) -> int:
    with shop.app.app_context(), context.use(actor=context.SYSTEM):
        return sweep.sweep()


def waiting(session: Session, shop: Shop, task: str) -> int:
    counted = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task "
        "AND args->>'tenant_id' = :t AND status = 'todo'"
    )
    return int(session.execute(counted, {"task": task, "t": str(shop.tenant.id)}).scalar_one())


def test_a_rest_ends_when_it_is_over(shop: Shop, fake: Fake) -> None:
    fake("alpha")
    on(shop)
    for minutes, expected in ((5, "quarantined"), (-5, "enabled")):
        with shop.work() as session:
            found = locked(session)
            move(
                found["alpha"],
                TenantState.QUARANTINED,
                "It failed.",
                clock.now() + dt.timedelta(minutes=minutes),
            )
            store(session, found)
        assert tenant(shop).held == {"alpha"}
        run(shop)
        assert state(shop)[0] == expected
    assert (tenant(shop).plugins, tenant(shop).held) == ({"alpha"}, frozenset())


def test_a_lapsed_plan_suspends_with_what_builds_on_it_and_comes_back(
    shop: Shop, other_shop: Shop, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def off(ctx: Call) -> None:
        calls.append(ctx.plugin)

    paid = '[pricing]\nkind = "plan"\nkey = "extra"\n'
    fake("alpha", paid, kehu_tenant_disabled=off)
    fake("above", 'requires = { alpha = "" }\n' + paid, kehu_tenant_disabled=off)
    on(shop, "above")
    on(other_shop)
    lapsed = {shop.tenant.id}
    monkeypatch.setattr(sweep, "entitled", lambda _slug: context.tenant().id not in lapsed)
    run(shop)
    assert calls == ["above", "alpha"]
    assert state(shop) == ("suspended", "Your plan does not hold Alpha.")
    assert state(shop, "above")[0] == "suspended"
    assert tenant(shop).plugins == frozenset()
    assert tenant(other_shop).plugins == {"alpha"}
    lapsed.clear()
    run(shop)
    run(shop)
    assert tenant(shop).plugins == {"alpha", "above"}


def test_what_can_not_come_back_says_why(shop: Shop, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    paid = '[pricing]\nkind = "plan"\nkey = "extra"\n'
    fake("alpha", paid)
    on(shop)
    monkeypatch.setattr(sweep, "entitled", lambda _slug: False)
    run(shop)

    def fail(ctx: Call, first_time: bool) -> None:
        raise ValueError("not now")

    fake("alpha", paid, kehu_tenant_enabled=fail)
    monkeypatch.setattr(sweep, "entitled", lambda _slug: True)
    run(shop)
    found, reason = state(shop)
    assert found == "suspended"
    assert "not now" in reason


class TestUpgrade:
    def test_older_data_is_held_until_a_job_has_converted_it(
        self, shop: Shop, other_shop: Shop, fake: Fake
    ) -> None:
        calls: list[Any] = []

        def upgrade(ctx: Call, from_version: int, to_version: int) -> None:
            ctx.session.add(Role(code="made", name="Made", permissions={}, builtin=False))
            if len(calls) < 1:
                calls.append("failed")
                ctx.session.flush()
                raise ValueError("a row is odd")
            calls.append((from_version, to_version))

        fake("alpha")
        on(shop)
        on(other_shop)
        fake("alpha", "data_version = 3\n", kehu_tenant_upgrade=upgrade)
        run(shop)
        assert state(shop)[0] == "upgrade_pending"
        assert (tenant(shop).plugins, tenant(shop).held) == (frozenset(), {"alpha"})
        with shop.work() as session:
            assert waiting(session, shop, "addons.upgrade") == 1
        with pytest.raises(PluginError, match="a row is odd"):
            upgrade_plugin(tenant_id=str(shop.tenant.id), slug="alpha")
        assert state(shop)[0] == "upgrade_error"
        assert "a row is odd" in state(shop)[1]
        assert tenant(shop).held == {"alpha"}
        upgrade_plugin(tenant_id=str(other_shop.tenant.id), slug="alpha")
        assert tenant(other_shop).plugins == {"alpha"}
        upgrade_plugin(tenant_id=str(shop.tenant.id), slug="alpha")
        assert (tenant(shop).plugins, state(shop)) == ({"alpha"}, ("enabled", ""))
        assert calls == ["failed", (1, 3), (1, 3)]
        with shop.work() as session:
            assert len(session.execute(select(Role).where(Role.code == "made")).scalars().all()) == 1
        # Once more changes nothing: the job may come twice.
        upgrade_plugin(tenant_id=str(shop.tenant.id), slug="alpha")
        assert len(calls) == 3
        run(shop)
        assert state(shop)[0] == "enabled"

    def test_what_slept_meanwhile_is_converted_before_it_is_on(self, shop: Shop, fake: Fake) -> None:
        calls: list[str] = []

        def upgrade(ctx: Call, from_version: int) -> None:
            calls.append(f"upgrade from {from_version}")

        def enabled(ctx: Call, first_time: bool) -> None:
            calls.append("first" if first_time else "again")

        fake("alpha", kehu_tenant_enabled=enabled)
        on(shop)
        with shop.work() as session:
            PluginService(session).disable("alpha")
        fake("alpha", "data_version = 2\n", kehu_tenant_upgrade=upgrade, kehu_tenant_enabled=enabled)
        on(shop)
        assert state(shop)[0] == "upgrade_pending"
        upgrade_plugin(tenant_id=str(shop.tenant.id), slug="alpha", again=True)
        assert calls == ["first", "upgrade from 1", "again"]
        assert tenant(shop).plugins == {"alpha"}

    def test_a_lost_job_is_asked_for_again(self, shop: Shop, fake: Fake) -> None:
        fake("alpha", "data_version = 2\n")
        on(shop)
        with shop.work() as session:
            found = locked(session)
            move(found["alpha"], TenantState.UPGRADE_PENDING)
            found["alpha"].changed_at = clock.now() - dt.timedelta(hours=1)
            store(session, found)
        run(shop)
        with shop.work() as session:
            assert waiting(session, shop, "addons.upgrade") == 1

    def test_switched_off_meanwhile_it_stays_off(self, shop: Shop, fake: Fake) -> None:
        def upgrade(ctx: Call) -> None:
            with shop.work() as session:
                PluginService(session).disable("alpha")

        fake("alpha")
        on(shop)
        fake("alpha", "data_version = 2\n", kehu_tenant_upgrade=upgrade)
        run(shop)
        upgrade_plugin(tenant_id=str(shop.tenant.id), slug="alpha")
        assert state(shop)[0] == "disabled"
        assert (tenant(shop).plugins, tenant(shop).held) == (frozenset(), frozenset())


def test_one_tenants_trouble_stops_no_other(
    shop: Shop, other_shop: Shop, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = '[pricing]\nkind = "plan"\nkey = "extra"\n'
    fake("alpha", paid)
    on(shop)
    on(other_shop)

    def ask(_slug: str) -> bool:
        if context.tenant().id == shop.tenant.id:
            raise RuntimeError("the billing does not answer")
        return False

    monkeypatch.setattr(sweep, "entitled", ask)
    run(shop)
    assert (state(shop)[0], state(other_shop)[0]) == ("enabled", "suspended")
