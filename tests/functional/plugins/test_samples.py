"""Sample data of a plugin: offered, made once, removed as a whole but for what somebody made his own."""

from __future__ import annotations

from typing import Any

import pytest

from kehu.addons import samples
from kehu.core import hooks
from kehu.core.errors import Conflict
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import disable, enable, purge
from plugins.relay import PluginError

SLUG = "automotive"
PAGE = f"/settings/plugins/{SLUG}"
KINDS = ("customers", "deals", f"{SLUG}.vehicles", f"{SLUG}.visits", "owned_item_terms", "activities")


def live(shop: Shop, kind: str) -> list[Any]:
    """Return the live records of a kind."""
    with shop.work() as session:
        model: Any = service_for(kind, session).type.model
        return list(session.query(model).filter(model.deleted_at.is_(None)))


def test_a_dealer_fills_and_empties_his_firm(shop: Shop) -> None:
    enable(shop, SLUG)
    client = shop.client()
    assert "Fill with sample cars and customers" in client.get(PAGE).get_data(as_text=True)
    assert client.post(f"{PAGE}/sample").status_code == 303
    assert {kind: len(live(shop, kind)) for kind in KINDS} == {
        "customers": 6,
        "deals": 4,
        f"{SLUG}.vehicles": 8,
        f"{SLUG}.visits": 2,
        "owned_item_terms": 6,
        "activities": 4,
    }
    assert {one.do_not_contact for one in live(shop, "customers")} == {"all"}
    assert "Remove the sample data" in client.get(PAGE).get_data(as_text=True)
    assert client.post(f"{PAGE}/sample").status_code == 409
    kept = live(shop, "customers")[0]
    with shop.work() as session:
        service_for("customers", session).update(kept.id, {"name": "Now a customer of ours"})
    assert client.post(f"{PAGE}/no-sample").status_code == 303
    assert [one.id for one in live(shop, "customers")] == [kept.id]
    assert not any(live(shop, kind) for kind in KINDS[1:])
    assert client.post(f"{PAGE}/no-sample").status_code == 404
    # And once more, from the beginning.
    assert client.post(f"{PAGE}/sample").status_code == 303
    disable(shop, SLUG)
    assert client.post(f"{PAGE}/sample").status_code == 409
    purge(shop, SLUG)
    enable(shop, SLUG)
    assert "Fill with sample cars and customers" in client.get(PAGE).get_data(as_text=True)


def test_what_fails_makes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    enable(shop, SLUG)

    def fail(kind: str, slug: str, function: Any, ctx: Any, **_more: Any) -> None:
        service_for("customers", ctx.session).create({"name": "Half"})
        raise PluginError(slug, kind, "no petrol")

    monkeypatch.setattr(hooks.host().relay, "run_declared", fail)
    with shop.work() as session, pytest.raises(Conflict, match="no petrol"), session.begin_nested():
        samples.SampleService(session).fill(SLUG)
    assert not live(shop, "customers")


@pytest.mark.parametrize("role", ["manager", "member"])
def test_only_who_decides_about_plugins_may(shop: Shop, role: str) -> None:
    enable(shop, SLUG)
    client = shop.client(shop.member(role))
    assert client.post(f"{PAGE}/sample").status_code == 403
    assert client.post(f"{PAGE}/no-sample").status_code == 403
