"""What plugins do when two records become one: rows follow by themselves, the rest is theirs; a fault refuses."""

from typing import Any

import pytest
from sqlalchemy import select

from kehu.core import hooks
from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.merging.models import Merge
from kehu.merging.services import MergeService
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from plugins.rules import hookimpl


class Follower:
    """A plugin that keeps something of its own about customers."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.fault = False

    @hookimpl
    def kehu_merge_records(self, ctx: Any, merge: Any) -> None:
        """Note what is told, write something down for the way back, or fail."""
        if self.fault:
            raise ValueError("no")
        self.told.append((merge.object, merge.keep_id, merge.drop_id, merge.undoing, dict(merge.notes)))
        if not merge.undoing:
            merge.notes["was"] = 7


@pytest.fixture
def follower(shop):
    """The built-in plugin, following merges for the length of a test; and the firm with it on."""
    made, relay = Follower(), hooks.host().relay
    manager, kept = relay._manager, relay._manager.get_plugin("automotive")
    enable(shop, "automotive")
    with shop.work():
        tenant = hooks.tenant_by_id(shop.tenant.id)
    manager.unregister(name="automotive")
    manager.register(made, name="automotive")
    relay.forget()
    yield made, Shop(app=shop.app, tenant=tenant, owner=shop.owner)
    manager.unregister(name="automotive")
    manager.register(kept, name="automotive")
    relay.forget()


def test_a_plugin_follows_there_and_back(follower, monkeypatch):
    plugin, shop = follower
    with shop.work() as session:
        keep, drop = (service_for("customers", session).create({"name": name}).id for name in ("A", "B"))
    with shop.work() as session:
        merge = MergeService(session, "customers").merge(keep, drop)
        assert merge.notes == {"automotive": {"was": 7}}
        MergeService(session, "customers").undo(merge.id)
    assert plugin.told == [
        ("customers", keep, drop, False, {}),
        ("customers", keep, drop, True, {"was": 7}),
    ]
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    plugin.fault = True
    with shop.work() as session, pytest.raises(Conflict, match="Car dealer"), session.begin_nested():
        MergeService(session, "customers").merge(keep, drop)
    with shop.work() as session:
        assert service_for("customers", session).get(drop).name == "B"
        assert session.execute(select(Merge.id).where(Merge.state == "done")).first() is None
