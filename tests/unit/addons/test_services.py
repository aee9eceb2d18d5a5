"""Switching plugins on and off."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.models import TenantPlugin
from kehu.addons.services import PluginService
from kehu.core import context, hooks
from kehu.core.errors import Conflict, Forbidden, NotFound
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop
from plugins.records import State
from plugins.relay import PluginError

SLUG = "automotive"


def test_a_plugin_is_on_with_its_rights(session: Session) -> None:
    service = PluginService(session)
    service.switch_on(SLUG)
    assert SLUG in context.tenant().plugins
    (card,) = [card for card in service.cards() if card.slug == SLUG]
    assert (card.on, card.usable, card.faults) == (True, True, [])
    viewer = session.execute(select(Role).where(Role.code == "viewer")).scalar_one()
    member = session.execute(select(Role).where(Role.code == "member")).scalar_one()
    assert {code for code in viewer.permissions if code.startswith(SLUG)} == {"automotive.vehicle:read"}
    assert "automotive.vehicle:write" in member.permissions
    assert service.switch_on(SLUG).slug == SLUG


def test_off_keeps_the_state_and_on_again_is_not_the_first_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        hooks.host().relay, "run_one", lambda hook, slug, **more: calls.append((hook, more.get("first_time")))
    )
    service = PluginService(session)
    service.switch_on(SLUG)
    service.switch_off(SLUG)
    service.switch_off(SLUG)
    assert SLUG not in context.tenant().plugins
    service.switch_on(SLUG)
    assert calls == [
        ("kehu_tenant_enabled", True),
        ("kehu_tenant_disabled", None),
        ("kehu_tenant_enabled", False),
    ]


def test_a_failing_preparation_is_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(hook: str, slug: str, **_more: Any) -> None:
        raise PluginError(slug, hook, "ValueError: no")

    service = PluginService(session)
    monkeypatch.setattr(hooks.host().relay, "run_one", fail)
    with pytest.raises(Conflict, match="ValueError: no"):
        service.switch_on(SLUG)


def test_a_failing_farewell_is_kept_and_off_all_the_same(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = PluginService(session)
    service.switch_on(SLUG)

    def fail(hook: str, slug: str, **_more: Any) -> None:
        raise PluginError(slug, hook, "ValueError: no")

    monkeypatch.setattr(hooks.host().relay, "run_one", fail)
    service.switch_off(SLUG)
    row = session.execute(select(TenantPlugin)).scalar_one()
    assert row.state == "disabled"
    assert "ValueError" in str(row.reason)


def test_what_can_not_run_can_not_be_switched_on(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    service = PluginService(session)
    installed = hooks.host().installed
    record = installed.get(SLUG)
    assert record is not None
    installed.put(record.moved(State.BROKEN, "It is broken.", "Mend it."))
    try:
        with pytest.raises(Conflict, match="can't be used"):
            service.switch_on(SLUG)
        (card,) = [card for card in service.cards() if card.slug == SLUG]
        assert card.why == "It is broken. Mend it."
    finally:
        installed.put(record)
    monkeypatch.setattr(PluginService, "_entitled", lambda _self, _slug: False)
    with pytest.raises(Forbidden, match="plan"):
        service.switch_on(SLUG)


@pytest.mark.parametrize("slug", ["nonsense", "tenants", "billing"])
def test_unknown_and_own_parts_are_not_plugins(session: Session, slug: str) -> None:
    with pytest.raises(NotFound):
        PluginService(session).switch_on(slug)


def test_only_those_with_the_right(shop: Shop, session: Session) -> None:
    with pytest.raises(Forbidden):
        PluginService(session, context.Actor(name="Nobody"))
