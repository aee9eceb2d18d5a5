"""The card on customers and deals: one click, two at once, plugins that add, lie or fail, rights."""

from typing import Any

import pytest
from sqlalchemy import func, select

from kehu.activities.models import Activity
from kehu.core import hooks
from kehu.core.records.service import service_for
from kehu.testkit.fixtures import Shop, count_queries
from kehu.testkit.switch import enable
from plugins.results import NextStep, Suggestion
from plugins.rules import hookimpl

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def deal(shop):
    """A deal for which nothing is planned."""
    with shop.work() as session:
        customer = service_for("customers", session).create({"name": "Northwind"}).id
        return service_for("deals", session).create({"name": "A fleet", "customer_id": str(customer)}).id


def text_of(client, path):
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_one_click(shop, deal):
    client, card = shop.client(), f"/suggestions/deals/{deal}"
    assert card in text_of(client, f"/deals/{deal}")
    with count_queries() as statements:
        text = text_of(client, card)
    assert len(statements) <= 6, "\n".join(statements.texts)
    assert "Plan the next step" in text
    assert "Nothing is planned" in text
    answer = client.post(f"{card}/accept", data={"key": "kehu.no_step"}, headers=HTMX)
    assert answer.status_code == 204
    assert "Follow up on A fleet" in text_of(client, f"/deals/{deal}")
    assert "Plan the next step" not in text_of(client, card)
    assert client.post(f"{card}/accept", data={"key": "kehu.no_step"}, headers=HTMX).status_code == 409
    with shop.work() as session:
        assert session.execute(select(func.count()).select_from(Activity)).scalar_one() == 1
    assert "Plan the next step" in text_of(client, "/suggestions")
    assert "took up the suggestion" in text_of(client, f"/deals/{deal}")


def test_rights_and_foreign_firms(shop, other_shop, deal):
    card, key = f"/suggestions/deals/{deal}", {"key": "kehu.no_step"}
    viewer, stranger = shop.client(shop.member("viewer")), other_shop.client()
    assert "Plan it" not in text_of(viewer, card)
    for action in ("accept", "dismiss"):
        assert viewer.post(f"{card}/{action}", data=key).status_code == 403
        assert stranger.post(f"{card}/{action}", data=key).status_code == 404
    assert stranger.get(card).status_code == 404
    assert stranger.get("/suggestions/tickets/018f0000-0000-7000-8000-000000000000").status_code == 404


class Adviser:
    """A plugin that suggests."""

    def __init__(self) -> None:
        self.fault = False

    @hookimpl
    def kehu_suggestions(self, ctx: Any, subject: Any) -> Any:
        """Suggest a visit, something under a foreign name, or fail."""
        if self.fault:
            raise ValueError("no")
        step = NextStep(kind="visit", subject="Look at the pump", days=2)
        return [
            Suggestion(
                key=f"automotive.pump:{subject.id}",
                title="Visit them",
                reason="It hums.",
                score=99,
                step=step,
            ),
            Suggestion(key="other.thing", title="A foreign thing", reason="Not its own.", url="/x/other"),
        ]


@pytest.fixture
def adviser(shop):
    """The built-in plugin, suggesting for the length of a test; and the firm with it on."""
    made, relay = Adviser(), hooks.host().relay
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


def test_a_plugin_suggests(adviser, deal, monkeypatch):
    plugin, shop = adviser
    client, card = shop.client(), f"/suggestions/deals/{deal}"
    text = text_of(client, card)
    assert text.index("Visit them") < text.index("Plan the next step")
    assert "A foreign thing" not in text
    client.post(f"{card}/accept", data={"key": f"automotive.pump:{deal}"}, headers=HTMX)
    assert "Visit them" not in text_of(client, card)
    assert "Look at the pump" in text_of(client, f"/deals/{deal}")
    monkeypatch.setattr(hooks.host().relay, "strict", False)
    plugin.fault = True
    assert text_of(client, card)
