"""What a firm gets to start with: shown before, made once in its language, kept, and cleared away by a purge."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from kehu.addons import starters
from kehu.addons.starter_rows import starter_id
from kehu.core import hooks
from kehu.core.records.service import service_for
from kehu.deals.models import Pipeline, Stage
from kehu.members.models import Role
from kehu.testkit.fixtures import Shop, make_shop
from kehu.testkit.switch import disable, enable, purge
from plugins.declarations import Declarations
from plugins.starters import PipelineStarter, RoleStarter, StageStarter

SLUG = "automotive"


def made(shop: Shop) -> dict[str, Any]:
    """Return what the firm has of the plugin's pipelines and roles."""
    with shop.work() as session:
        ids = dict(
            session.execute(
                text("SELECT key, record_id FROM plugin_starters WHERE tenant_id = :id"),
                {"id": shop.tenant.id},
            ).all()
        )
        names = dict(session.execute(select(Stage.id, Stage.name)).all())
        names |= dict(session.execute(select(Pipeline.id, Pipeline.name)).all())
        names |= dict(session.execute(select(Role.id, Role.name)).all())
    return {key: names.get(record_id) for key, record_id in ids.items()}


def test_shown_before_and_made_once(shop: Shop) -> None:
    page = shop.client().get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    for name in ("Car sale", "Test drive", "Salesperson", "Service adviser", "Sales manager"):
        assert name in page
    enable(shop, SLUG)
    found = made(shop)
    assert found["sale"] == "Car sale"
    assert found["sale.test_drive"] == "Test drive"
    assert found["sales_manager"] == "Sales manager"
    with shop.work() as session:
        stage = starter_id(session, SLUG, "sale.order")
        row = session.execute(select(Stage).where(Stage.id == stage)).scalar_one()
        assert (row.probability, row.usual_days, row.outcome) == (90, 90, "open")
        assert starter_id(session, SLUG, "sale.nothing") is None
        mine = service_for("pipelines", session)
        mine.update(row.pipeline_id, {"name": "Our way"})
        mine.trash(row.pipeline_id)
    disable(shop, SLUG)
    page = shop.client().get(f"/settings/plugins/{SLUG}").get_data(as_text=True)
    assert "New pipeline" not in page
    assert "New role" not in page
    enable(shop, SLUG)
    # What the firm made of it stays so.
    assert made(shop) == {**found, "sale": "Our way"}
    with shop.work() as session:
        assert starter_id(session, SLUG, "sale") is None


def test_a_salesperson_works_in_the_pipeline(shop: Shop) -> None:
    enable(shop, SLUG)
    with shop.work() as session:
        role = session.get(Role, (shop.tenant.id, starter_id(session, SLUG, "salesperson")))
        assert role is not None
        assert not role.builtin
        assert role.permissions["automotive.vehicles:write"] == "all"
        assert role.permissions["deals:write"] == "own"
        assert "tickets:delete" not in role.permissions
        assert "roles:manage" not in role.permissions
        adviser = session.get(Role, (shop.tenant.id, starter_id(session, SLUG, "service_adviser")))
        assert adviser is not None
        assert "deals:write" not in adviser.permissions
        customer = service_for("customers", session).create({"name": "Anna Berg"})
        deal = service_for("deals", session).create(
            {
                "name": "Golf",
                "customer_id": str(customer.id),
                "stage_id": str(starter_id(session, SLUG, "sale.lead")),
            }
        )
        assert deal.pipeline_id == starter_id(session, SLUG, "sale")
    disable(shop, SLUG)
    report = purge(shop, SLUG)
    # A deal stands in the pipeline, so it is the firm's now; nobody has the roles.
    assert report.kept["starters"] == 3
    with shop.work() as session:
        assert session.execute(select(Pipeline.name).where(Pipeline.name == "Car sale")).scalar_one()
        assert not session.execute(select(Role).where(~Role.builtin)).all()
    assert made(shop) == {}


@pytest.mark.parametrize(("locale", "name"), [("ru", "Продажа автомобиля"), ("zh_Hans", "汽车销售")])
def test_made_in_the_language_of_the_firm(app: Flask, locale: str, name: str) -> None:
    shop = make_shop(app, locale=locale)
    enable(shop, SLUG)
    assert made(shop)["sale"] == name


def test_a_name_that_is_taken_gets_that_of_the_plugin(shop: Shop) -> None:
    with shop.work() as session:
        session.add(Role(code="mine", name="salesperson", permissions={}, builtin=False))
    enable(shop, SLUG)
    assert made(shop)["salesperson"] == "Salesperson (Car dealer)"


def test_a_role_that_reaches_too_far_breaks_its_plugin(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    refused: list[str] = []
    role = RoleStarter(key="boss", name="Boss", rights={"deals:write": "all", "roles:manage": "all"})
    host = hooks.host()
    monkeypatch.setattr(host, "_declarations", Declarations(starters=[(SLUG, role)]))
    monkeypatch.setattr(host, "refuse", lambda slug, reason: refused.append(reason))
    starters.join(host)
    assert refused
    assert "roles:manage" in refused[0]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: RoleStarter(key="Boss!", name="Boss"),
        lambda: RoleStarter(key="boss", name="Boss", like="owner"),
        lambda: RoleStarter(key="boss", name="Boss", rights={"deals:write": "most"}),
        lambda: StageStarter(key="new", name="New", probability=120),
        lambda: StageStarter(key="new", name="New", outcome="maybe"),
        lambda: PipelineStarter(key="way", name="Way", stages=(StageStarter(key="new", name="New"),)),
    ],
)
def test_what_can_not_be_made_is_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"key|begins|reaches|percent|lost"):
        wrong()
