"""Switching plugins on and off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.calls import Call
from kehu.addons.models import PluginIncident, PluginInstall, TenantPlugin
from kehu.addons.services import PluginService
from kehu.addons.states import TenantState
from kehu.core import clock, context, db, hooks
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from kehu.core.ids import new_id
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop
from plugins.records import State
from plugins.results import Veto
from tests.unit.addons.conftest import Fake

SLUG = "automotive"


def row(session: Session, slug: str) -> TenantPlugin:
    return session.execute(select(TenantPlugin).where(TenantPlugin.slug == slug)).scalar_one()


class Log:
    """Hooks that note their calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def hooks(self, **extra: Any) -> dict[str, Any]:
        def kehu_tenant_enabling(ctx: Call) -> None:
            self.calls.append(f"{ctx.plugin} enabling")

        def kehu_tenant_enabled(ctx: Call, first_time: bool) -> None:
            assert ctx.plugin in hooks.enabled()
            self.calls.append(f"{ctx.plugin} {'first' if first_time else 'again'}")

        def kehu_tenant_disabled(ctx: Call) -> None:
            self.calls.append(f"{ctx.plugin} off")

        return {
            "kehu_tenant_enabling": kehu_tenant_enabling,
            "kehu_tenant_enabled": kehu_tenant_enabled,
            "kehu_tenant_disabled": kehu_tenant_disabled,
            **extra,
        }


@pytest.fixture
def log() -> Log:
    return Log()


class TestOn:
    def test_a_plugin_is_on_with_its_rights(self, session: Session) -> None:
        service = PluginService(session)
        service.enable(SLUG)
        assert SLUG in context.tenant().plugins
        card = service.card(SLUG)
        assert (card.on, card.usable, card.faults, card.state) == (True, True, (), TenantState.ENABLED)
        viewer = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
        member = session.execute(select(Role).where(Role.code == "member")).scalar_one()
        assert "automotive.vehicles:read" in viewer.permissions
        assert "automotive.vehicles:write" not in viewer.permissions
        assert "automotive.vehicles:write" in member.permissions
        assert service.enable(SLUG).steps == ()

    def test_off_keeps_the_state_and_on_again_is_not_the_first_time(
        self, session: Session, fake: Fake, log: Log
    ) -> None:
        fake("alpha", **log.hooks())
        service = PluginService(session)
        service.enable("alpha")
        service.disable("alpha")
        service.disable("alpha")
        assert "alpha" not in context.tenant().plugins
        service.enable("alpha")
        assert log.calls == ["alpha enabling", "alpha first", "alpha off", "alpha enabling", "alpha again"]
        actions = session.execute(select(AuditEntry.action).where(AuditEntry.object == "plugins")).scalars()
        assert sorted(actions) == ["disabled", "enabled", "enabled"]

    def test_a_veto_is_told_and_leaves_everything_as_it_was(
        self, shop: Shop, session: Session, fake: Fake
    ) -> None:
        def refuse(ctx: Call) -> None:
            raise Veto("Say in which country the firm is.")

        fake("alpha", kehu_tenant_enabling=refuse)
        service = PluginService(session)
        with pytest.raises(Conflict, match=r"nothing was changed\. It said: Say in which country"):
            service.enable("alpha")
        assert context.tenant().plugins == frozenset()
        with shop.work() as fresh:
            kept = row(fresh, "alpha")
            assert (kept.state, kept.reason) == ("available", "Say in which country the firm is.")
            assert fresh.execute(select(PluginIncident)).first() is None
            card = PluginService(fresh).card("alpha")
            assert (card.state, card.reason) == (TenantState.AVAILABLE, "Say in which country the firm is.")

    def test_a_failing_preparation_undoes_what_was_prepared(
        self, shop: Shop, session: Session, fake: Fake, log: Log
    ) -> None:
        def fail(ctx: Call, first_time: bool) -> None:
            ctx.session.add(Role(code="left", name="Left over", permissions={}, builtin=False))
            ctx.session.flush()
            raise ValueError("no")

        fake("base", **log.hooks())
        fake("alpha", 'requires = { base = ">=1" }\n', kehu_tenant_enabled=fail)
        with pytest.raises(Conflict, match="ValueError: no"):
            PluginService(session).enable("alpha")
        assert context.tenant().plugins == frozenset()
        assert session.execute(select(Role).where(Role.code == "left")).first() is None
        with shop.work() as fresh:
            assert {one.slug for one in fresh.execute(select(TenantPlugin)).scalars()} == {"alpha"}
            assert fresh.execute(select(PluginIncident.slug)).scalar_one() == "alpha"

    def test_after_a_failed_first_try_the_next_is_the_first_again(
        self, shop: Shop, fake: Fake, log: Log
    ) -> None:
        def fail(ctx: Call, first_time: bool) -> None:
            raise ValueError("no")

        fake("alpha", kehu_tenant_enabled=fail)
        with pytest.raises(Conflict), shop.work() as session:
            PluginService(session).enable("alpha")
        fake("alpha", **log.hooks())
        with shop.work() as session:
            PluginService(session).enable("alpha")
            assert row(session, "alpha").reason is None
        assert log.calls == ["alpha enabling", "alpha first"]

    def test_what_can_not_run_can_not_be_switched_on(
        self, session: Session, fake: Fake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = fake("alpha")
        hooks.host().installed.put(record.moved(State.BROKEN, "It is broken.", "Mend it."))
        service = PluginService(session)
        with pytest.raises(Conflict, match="can't be used"):
            service.enable("alpha")
        assert service.card("alpha").why == "It is broken. Mend it."
        monkeypatch.setattr("kehu.addons.services.entitled", lambda _slug: False)
        with pytest.raises(Forbidden, match="plan"):
            service.enable(SLUG)

    def test_what_rests_for_all_firms_waits(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        session.add(PluginInstall(slug="alpha", held_until=clock.now() + dt.timedelta(minutes=5)))
        with pytest.raises(Conflict, match="rests for all firms"):
            PluginService(session).enable("alpha")

    @pytest.mark.parametrize("slug", ["nonsense", "tenants", "billing"])
    def test_unknown_and_own_parts_are_not_plugins(self, session: Session, slug: str) -> None:
        service = PluginService(session)
        for act in (service.enable, service.disable, service.plan, service.card, service.resume):
            with pytest.raises(NotFound):
                act(slug)

    def test_what_is_on_for_everybody_is_not_the_tenants_affair(self, session: Session, fake: Fake) -> None:
        fake("alpha", 'level = "operator"\n')
        assert "alpha" in hooks.enabled()
        with pytest.raises(NotFound):
            PluginService(session).enable("alpha")

    def test_only_those_with_the_right(self, session: Session) -> None:
        with pytest.raises(Forbidden):
            PluginService(session, context.Actor(name="Nobody"))


class TestTogether:
    def test_what_it_needs_comes_first_and_glue_comes_along(
        self, session: Session, fake: Fake, log: Log
    ) -> None:
        fake("base", **log.hooks())
        fake("middle", 'requires = { base = "" }\n', **log.hooks())
        fake("alpha", 'requires = { middle = "" }\n', **log.hooks())
        fake("other", **log.hooks())
        fake("glue", 'auto_enable_with = ["alpha", "other"]\n', **log.hooks())
        service = PluginService(session)
        plan = service.plan("alpha")
        assert [(step.slug, step.why) for step in plan.steps] == [
            ("base", "needed"),
            ("middle", "needed"),
            ("alpha", "asked"),
        ]
        service.enable("alpha", agreed=("base", "middle", "alpha"))
        assert log.calls[1::2] == ["base first", "middle first", "alpha first"]
        assert [step.slug for step in service.plan("other").steps] == ["other", "glue"]
        service.enable("other")
        assert {"glue", "other", "alpha"} <= context.tenant().plugins

    def test_glue_that_can_not_run_stands_in_nobodys_way(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        fake("glue", 'auto_enable_with = ["alpha"]\nrequires = { gone = "" }\n', state=State.INCOMPATIBLE)
        assert PluginService(session).enable("alpha").slugs == ("alpha",)

    def test_another_plan_than_the_one_shown_is_refused(self, session: Session, fake: Fake) -> None:
        fake("base")
        fake("alpha", 'requires = { base = "" }\n')
        with pytest.raises(Conflict, match="has changed in the meantime"):
            PluginService(session).enable("alpha", agreed=("alpha",))

    def test_a_need_that_is_missing_is_named(self, session: Session, fake: Fake) -> None:
        fake("alpha", 'requires = { gone = "" }\n')
        plan = PluginService(session).plan("alpha")
        assert plan.problems == (
            "gone can't be used in this installation now. `kehu plugin doctor` tells whoever runs it why.",
        )

    def test_what_builds_on_it_goes_off_before_it(self, session: Session, fake: Fake, log: Log) -> None:
        fake("base", **log.hooks())
        fake("alpha", 'requires = { base = "" }\n', **log.hooks())
        fake("glue", 'auto_enable_with = ["base"]\n', **log.hooks())
        service = PluginService(session)
        service.enable("alpha")
        with pytest.raises(Conflict, match="Switch off Alpha first"):
            service.disable("base")
        assert "base" in context.tenant().plugins
        log.calls.clear()
        assert sorted(service.plan_off("base").slugs) == ["alpha", "base", "glue"]
        service.disable("base", dependants=True)
        assert log.calls[-1] == "base off"
        assert sorted(log.calls[:-1]) == ["alpha off", "glue off"]
        assert context.tenant().plugins == frozenset()

    def test_two_admins_at_once_lose_nothing(self, shop: Shop, fake: Fake) -> None:
        fake("alpha")
        fake("beta")
        with shop.work() as session:
            PluginService(session).enable("alpha")
        # `shop.tenant` is the copy of an older request.
        with shop.work() as session:
            PluginService(session).enable("beta")
            assert context.tenant().plugins == {"alpha", "beta"}


class TestOff:
    def test_a_failing_farewell_is_kept_and_off_all_the_same(self, session: Session, fake: Fake) -> None:
        def fail(ctx: Call) -> None:
            raise ValueError("no")

        fake("alpha", kehu_tenant_disabled=fail)
        service = PluginService(session)
        service.enable("alpha")
        service.disable("alpha")
        assert row(session, "alpha").state == "disabled"
        assert "ValueError" in str(row(session, "alpha").reason)

    def test_what_vanished_can_still_be_switched_off(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        service = PluginService(session)
        service.enable("alpha")
        del hooks.host().installed._records["alpha"]
        hooks.host()._live.clear()
        assert hooks.enabled() == frozenset()
        card = service.card("alpha")
        assert (card.installed, card.name, card.on, card.usable) == (False, "Alpha", True, False)
        assert "not installed any more" in card.why
        service.disable("alpha")
        assert context.tenant().plugins == frozenset()


class TestResting:
    def hold(self, session: Session, slug: str, state: TenantState) -> None:
        PluginService(session).enable(slug)
        row(session, slug).state = state.value
        hooks.first("kehu_store_plugins", tenant_id=db.tenant_id(), slugs=[], held=[slug])

    def test_a_quarantine_ends_by_hand(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        self.hold(session, "alpha", TenantState.QUARANTINED)
        now = clock.now()
        session.add(
            PluginIncident(
                id=new_id(), slug="alpha", hook="h", fingerprint="f", message="m", trips=4, tripped_at=now
            )
        )
        session.flush()
        service = PluginService(session)
        assert (service.card("alpha").on, service.card("alpha").held) == (True, True)
        service.resume("alpha")
        assert "alpha" in context.tenant().plugins
        assert context.tenant().held == frozenset()
        assert session.execute(select(PluginIncident.trips)).scalar_one() == 0
        with pytest.raises(Conflict, match="does not rest"):
            service.resume("alpha")

    def test_a_failed_conversion_is_tried_again_by_hand(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        self.hold(session, "alpha", TenantState.UPGRADE_ERROR)
        PluginService(session).resume("alpha")
        assert row(session, "alpha").state == "upgrade_pending"
        assert context.tenant().held == {"alpha"}

    def test_what_is_held_can_be_switched_off(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        self.hold(session, "alpha", TenantState.QUARANTINED)
        PluginService(session).disable("alpha")
        assert (context.tenant().held, row(session, "alpha").state) == (frozenset(), "disabled")


class TestPurgeNotice:
    def test_the_name_is_typed_and_thirty_days_follow(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        service = PluginService(session)
        with pytest.raises(NotFound):
            service.schedule_purge("alpha", "Alpha")
        service.enable("alpha")
        with pytest.raises(Conflict, match="Switch Alpha off first"):
            service.schedule_purge("alpha", "Alpha")
        service.disable("alpha")
        with pytest.raises(InvalidInput, match="Write “Alpha”") as caught:
            service.schedule_purge("alpha", "alph")
        assert "name" in caught.value.fields
        service.schedule_purge("alpha", " ALPHA ")
        card = service.card("alpha")
        assert card.state is TenantState.PURGE_SCHEDULED
        assert card.until is not None
        assert card.until - clock.now() > dt.timedelta(days=29, hours=23)

    def test_it_can_be_called_back(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        service = PluginService(session)
        service.enable("alpha")
        service.disable("alpha")
        with pytest.raises(Conflict, match="No removal"):
            service.call_back("alpha")
        service.schedule_purge("alpha", "alpha")
        service.call_back("alpha")
        assert service.card("alpha").state is TenantState.DISABLED
        assert service.card("alpha").until is None

    def test_switching_on_calls_it_back_too(self, session: Session, fake: Fake) -> None:
        fake("alpha")
        service = PluginService(session)
        service.enable("alpha")
        service.disable("alpha")
        service.schedule_purge("alpha", "alpha")
        service.enable("alpha")
        assert service.card("alpha").until is None
