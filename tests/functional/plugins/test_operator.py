"""Whoever runs the installation sees its plugins over all firms; nobody else finds the page."""

from __future__ import annotations

from sqlalchemy import select, text

from kehu.addons.incidents import quarantine
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.services import PluginService
from kehu.core.audit import AuditEntry
from kehu.core.ids import new_id
from kehu.testkit.fixtures import Shop, operator_client

PAGE = "/operator/plugins"


def fail(shop: Shop) -> None:
    """Let the plugin fail and be held in a firm."""
    with shop.work() as session:
        PluginService(session).enable("automotive")
    with shop.work() as session:
        fault = "KeyError: 'vin' (plugins_builtin.automotive.vehicles.web:31)"
        session.add(
            PluginIncident(
                id=new_id(), slug="automotive", hook="job nightly", fingerprint="f00d", message=fault, count=3
            )
        )
    with shop.work():
        assert quarantine("automotive", "KeyError: 'vin'")


def test_others_do_not_find_it(shop: Shop) -> None:
    client = shop.client()
    assert client.get(PAGE).status_code == 404
    assert client.post(f"{PAGE}/automotive/resume/{shop.tenant.id}").status_code == 404
    assert client.get("/nowhere").status_code == 404


def test_faults_and_held_plugins_of_all_firms_are_seen_and_one_runs_again(
    shop: Shop, other_shop: Shop
) -> None:
    for firm in (shop, other_shop):
        fail(firm)
    client = operator_client(shop.app)
    page = client.get(PAGE)
    assert page.status_code == 200
    for words in ("Car dealer", "Plugin API 0.1", "vehicles.web:31", "f00d", "quarantined", "Run again"):
        assert words in page.text, words
    assert f"resume/{other_shop.tenant.id}" in page.text
    url = f"{PAGE}/automotive/resume/{other_shop.tenant.id}"
    assert client.post(url).status_code == 303
    assert f"resume/{other_shop.tenant.id}" not in client.get(PAGE).text
    assert client.post(url).status_code == 409
    assert client.post(f"{PAGE}/automotive/resume/{new_id()}").status_code == 404
    with other_shop.work() as session:
        assert session.execute(select(TenantPlugin.state)).scalar_one() == "enabled"
        entry = session.execute(select(AuditEntry).where(AuditEntry.action == "resumed")).scalar_one()
        assert entry.actor_name == "Olga Operator"
        uses = text(
            "SELECT count(*) FROM cross_tenant_uses WHERE actor = :name AND reason LIKE 'an operator%'"
        )
        assert session.execute(uses, {"name": "Olga Operator"}).scalar_one() >= 2
