"""How floor 4 joins the platform; this release knows only the mode off."""

from __future__ import annotations

import uuid

from plugins.results import BillingMode, BillingState, SeatCheck
from plugins.rules import hookimpl


@hookimpl
def kehu_billing_state(tenant_id: uuid.UUID) -> BillingState:
    """Say honestly that nothing is charged."""
    return BillingState(mode=BillingMode.OFF)


@hookimpl
def kehu_entitled(tenant_id: uuid.UUID, slug: str) -> bool:
    """Let every tenant have every plugin while nothing is charged."""
    return True


@hookimpl
def kehu_seat_check(tenant_id: uuid.UUID) -> SeatCheck:
    """Let every member in while nothing is charged."""
    return SeatCheck(allowed=True)
