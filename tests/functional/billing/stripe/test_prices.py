"""The catalogue at Stripe: each price once under its lookup key, and never another amount."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, select, update

from billing import commands
from billing.catalogue import CatalogueError
from billing.models import Price
from billing.stripe.gateway import Gateway
from billing.stripe.prices import publish
from kehu.core import db
from tests.stripe_double.process import Running


def test_the_catalogue_is_written_down_at_stripe(
    app: Flask, gateway: Gateway, double: Running, price: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "make_app", lambda: app)
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        session.execute(delete(Price))
    # Other tests have made some of them already; they are found by their lookup keys.
    there_before = {one.lookup_key for one in double.client.v1.prices.list({"limit": 100}).auto_paging_iter()}
    said = CliRunner().invoke(commands.group, ["catalogue", "--apply"]).output
    with app.app_context(), db.unit_of_work(tenant=None) as session:
        keys = set(session.execute(select(Price.lookup_key)).scalars())
    new = len(keys - there_before)
    assert "kehu_team_v1_month_eur" in keys & there_before
    assert "24 prices, 24 written down." in said
    assert f"{new} of them are new at Stripe" in said
    with app.app_context():
        assert publish(gateway) == 0
        with db.unit_of_work(tenant=None) as session:
            key = Price.lookup_key == "kehu_team_v1_month_eur"
            assert session.execute(select(Price.stripe_price_id).where(key)).scalar_one() == price
            yen = session.execute(
                select(Price).where(Price.lookup_key == "kehu_team_v1_month_jpy")
            ).scalar_one()
            session.execute(update(Price).where(key).values(stripe_price_id=None, amount=1500))
        there = double.client.v1.prices.retrieve(str(yen.stripe_price_id))
        assert (there.currency, there.unit_amount) == ("jpy", 2000)
        with pytest.raises(CatalogueError, match="costs 1400 at Stripe and 1500 here"):
            publish(gateway)
        with db.unit_of_work(tenant=None) as session:
            session.execute(delete(Price))
