"""A firm that has the module for car dealers."""

from __future__ import annotations

import pytest

from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable
from plugins_builtin.automotive.drives.cars import DemoCarService


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """The shop, with the module switched on."""
    enable(shop, "automotive")
    return shop


@pytest.fixture
def car(dealer: Shop) -> str:
    with dealer.work() as session:
        given = {"name": "Golf, blue", "model": "VW Golf", "branch": "North"}
        return str(DemoCarService(session).create(given).id)
