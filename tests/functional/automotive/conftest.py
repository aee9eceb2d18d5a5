"""A firm that has the module for car dealers."""

from __future__ import annotations

import pytest

from kehu.testkit.fixtures import Shop
from kehu.testkit.switch import enable


@pytest.fixture
def dealer(shop: Shop) -> Shop:
    """The shop, with the module switched on."""
    enable(shop, "automotive")
    return shop
