"""Changes reach a plugin by a job that is part of the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from kehu.addons.calls import Event, deliver
from kehu.addons.services import PluginService
from kehu.core import hooks
from kehu.core.ids import new_id
from kehu.customers.services import CustomerService
from kehu.testkit.fixtures import Shop
from plugins.relay import PluginError
from plugins.rules import hookimpl

SLUG = "automotive"


class Listener:
    """What a plugin would do on changes."""

    def __init__(self) -> None:
        self.heard: list[Event] = []
        self.broken = False

    @hookimpl
    def kehu_after_change(self, ctx: Any, event: Event) -> None:
        """Note the event, or fail."""
        if self.broken:
            raise ValueError("no")
        self.heard.append(event)


@pytest.fixture
def listener(shop: Shop) -> Iterator[Listener]:
    """The built-in plugin, hearing changes for the length of a test, switched on."""
    made, relay = Listener(), hooks.host().relay
    manager = relay._manager
    kept = manager.get_plugin(SLUG)
    with shop.work() as session:
        PluginService(session).enable(SLUG)
    with shop.work() as session:
        # What the switch itself made (pipelines to start with) is told by a job of its own.
        mine = text("DELETE FROM procrastinate_jobs WHERE args->>'tenant_id' = :id")
        session.execute(mine, {"id": str(shop.tenant.id)})
    manager.unregister(name=SLUG)
    manager.register(made, name=SLUG)
    relay.forget()
    yield made
    manager.unregister(name=SLUG)
    manager.register(kept, name=SLUG)
    relay.forget()


def waiting(shop: Shop) -> list[dict[str, Any]]:
    """Return what is queued for delivery to the plugins of a firm."""
    statement = text(
        "SELECT args FROM procrastinate_jobs "
        "WHERE task_name = 'addons.deliver' AND args->>'tenant_id' = :id ORDER BY id"
    )
    with shop.work() as session:
        return list(session.execute(statement, {"id": str(shop.tenant.id)}).scalars())


def fresh(shop: Shop) -> Shop:
    """Return the firm as it is now, with its plugins."""
    with shop.work() as session:
        tenant = hooks.tenant_by_id(shop.tenant.id)
        assert tenant is not None
        assert session is not None
    return Shop(app=shop.app, tenant=tenant, owner=shop.owner, members=shop.members)


def test_a_batch_is_one_job_of_the_same_transaction(shop: Shop, listener: Listener) -> None:
    now = fresh(shop)
    with now.work() as session:
        first = CustomerService(session).create({"name": "One"})
        CustomerService(session).create({"name": "Two"})
        batch = session.info["audit_batch"]
    (job,) = waiting(now)
    assert (job["slug"], job["batch_id"]) == (SLUG, str(batch))
    assert listener.heard == []
    deliver(**job)
    assert [event.name for event in listener.heard] == ["customer.created", "customer.created"]
    assert listener.heard[0].payload["record_id"] == str(first.id)


def test_what_is_rolled_back_was_never_told(shop: Shop, listener: Listener) -> None:
    now = fresh(shop)

    def fail() -> None:
        with now.work() as session:
            CustomerService(session).create({"name": "Gone"})
            session.flush()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert waiting(now) == []


def test_a_failure_lets_the_job_try_again_and_off_means_silence(shop: Shop, listener: Listener) -> None:
    now = fresh(shop)
    with now.work() as session:
        CustomerService(session).create({"name": "One"})
    (job,) = waiting(now)
    listener.broken = True
    with pytest.raises((PluginError, ValueError)):
        deliver(**job)
    listener.broken = False
    with now.work() as session:
        PluginService(session).disable(SLUG)
    deliver(**job)
    assert listener.heard == []


def test_nobody_listens_nothing_is_queued(shop: Shop, other_shop: Shop, listener: Listener) -> None:
    with other_shop.work() as session:
        CustomerService(session).create({"name": "Quiet"})
    assert waiting(other_shop) == []


def test_another_firms_batch_tells_nothing(shop: Shop, other_shop: Shop, listener: Listener) -> None:
    with other_shop.work() as session:
        CustomerService(session).create({"name": "Secret"})
        batch = session.info["audit_batch"]
    deliver(tenant_id=str(shop.tenant.id), slug=SLUG, batch_id=str(batch))
    deliver(tenant_id=str(shop.tenant.id), slug=SLUG, batch_id=str(new_id()))
    assert listener.heard == []
