from typing import Any
from uuid import UUID

import pytest

from plugins.contracts import TenantRecord
from plugins.results import BillingMode, BillingState, NavItem, Panel, Permission, SeatCheck
from plugins.slots import SLOTS


def panel(**changes: Any) -> Panel:
    values: dict[str, Any] = {
        "slot": "customer.side",
        "endpoint": "automotive.panel",
        "title": "Vehicles",
        "permission": "automotive.vehicle:read",
    }
    return Panel(**{**values, **changes})


def test_good_values_pass() -> None:
    assert panel().lazy
    assert (
        NavItem(label="Cars", endpoint="automotive.index", permission="automotive.vehicle:read").order == 100
    )
    assert Permission(code="customer:read", description="See customers").roles == ("owner", "admin")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"slot": "customer.sides"}, "Did you mean 'customer.side'?"),
        ({"slot": "zzz"}, "Use one of: customer.side"),
        ({"endpoint": "panel"}, "not of the form blueprint.function"),
        ({"permission": "automotive"}, "not of the form resource:action"),
    ],
)
def test_a_wrong_value_is_refused_where_it_is_made(change: dict[str, str], expected: str) -> None:
    with pytest.raises(ValueError, match=expected.replace("?", r"\?").replace(".", r"\.")):
        panel(**change)


def test_results_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        panel().slot = "deal.side"  # type: ignore[misc]


def test_a_refused_seat_says_why() -> None:
    assert SeatCheck(allowed=True).limit is None
    assert SeatCheck(allowed=False, used=3, limit=3, reason="Add a seat.").reason == "Add a seat."
    with pytest.raises(ValueError, match="needs a reason"):
        SeatCheck(allowed=False)


def test_billing_can_be_off() -> None:
    assert BillingState(mode=BillingMode.OFF).phase is None


def test_slots_name_the_page_and_the_place() -> None:
    assert all(name.count(".") == 1 for name in SLOTS)


def test_a_tenant_is_known_by_its_shape() -> None:
    class Tenant:
        id = UUID(int=1)
        address = "acme"
        plugins = frozenset[str]()
        held = frozenset[str]()

    assert isinstance(Tenant(), TenantRecord)
    assert not isinstance(object(), TenantRecord)
