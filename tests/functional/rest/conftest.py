"""A program with a token of the shop's owner."""

import pytest

from kehu.testkit.rest import Caller


@pytest.fixture
def call(shop):
    return Caller(shop)
