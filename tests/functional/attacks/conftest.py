"""Firms that rent, as the tests of billing know them."""

from __future__ import annotations

from tests.functional.billing.conftest import demo, no_kind_of_customers, over, till
from tests.functional.tenants.test_archive import vanish

__all__ = ["demo", "no_kind_of_customers", "over", "till", "vanish"]
