"""Firms in the mode demo; the application of the suite itself stays on `off`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from billing import modes
from billing.accounts import AccountService
from billing.kinds import Kind
from kehu.core import clock, context, db
from kehu.testkit.fixtures import Shop
from plugins.results import BillingMode
from tests.functional.billing.paid import charge
from tests.functional.billing.till import Till, at_the_till

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_kind_of_customers(request: pytest.FixtureRequest) -> None:
    """Forget what customers earlier tests made: one database serves all modes here, which no installation does."""
    if "app" in request.fixturenames:
        app: Flask = request.getfixturevalue("app")
        with app.app_context(), db.unit_of_work(tenant=None) as session:
            session.execute(delete(Kind))


@pytest.fixture
def demo() -> Iterator[None]:
    """Run in the mode demo."""
    with modes.use(BillingMode.DEMO):
        yield


SetAccount = Callable[..., str]


@pytest.fixture
def set_account(demo: None) -> SetAccount:
    """Change columns of a firm's account and return its phase."""
    return _set_account


def _set_account(shop: Shop, **values: Any) -> str:
    with shop.work() as session:
        service = AccountService(session)
        account = service.lock()
        for name, value in values.items():
            setattr(account, name, value)
        found = service.refresh(account).phase.value
        shop.tenant = context.tenant()
    return found


@pytest.fixture
def over(demo: None, shop: Shop) -> Callable[[], str]:
    """End the trial of `shop`."""
    return lambda: _set_account(shop, trial_ends_at=clock.now() - DAY)


@pytest.fixture
def till(demo: None, shop: Shop) -> Iterator[Till]:
    """`shop` at the counter."""
    with at_the_till(shop) as found:
        yield found


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the built-in plugin cost £4 a month."""
    charge(monkeypatch)
