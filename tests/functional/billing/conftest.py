"""Firms in the mode demo; the application of the suite itself stays on `off`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from billing import modes
from billing.accounts import AccountService
from kehu.core import clock, context
from kehu.testkit.fixtures import Shop
from plugins.results import BillingMode
from tests.functional.billing.till import Till, at_the_till

DAY = dt.timedelta(days=1)


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
