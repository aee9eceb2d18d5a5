"""What the platform is told: the state of a firm, and the sentence with which a write is refused."""

from __future__ import annotations

from typing import Any

from billing import facts, modes
from billing.phases import Phase, Standing
from kehu.core.context import TenantInfo
from kehu.core.i18n import _l
from plugins.results import BillingMode, BillingState

PAGE = "/settings/billing"

REFUSALS: dict[Phase, Any] = {
    Phase.TRIAL_OVER: _l(
        "The trial is over: everything can be read and exported, nothing can be changed. "
        "An owner or admin chooses a plan under Settings, Plan and seats; then work goes on where it stopped."
    ),
    Phase.RESTRICTED: _l(
        "An invoice is still unpaid, so that everything can be read and exported, but nothing changed. "
        "An owner or admin pays it under Settings, Plan and seats; writing works again at once."
    ),
    Phase.ENDED: _l(
        "The subscription has ended: everything can be read and exported for 90 days, nothing can be changed. "
        "An owner or admin starts again under Settings, Plan and seats; the same data goes on."
    ),
    Phase.CLOSED: _l(
        "This firm is closed. Its data is kept; the owner can export it, or start again under Settings, Plan and seats."
    ),
    Phase.HELD: _l(
        "This firm is on hold and being looked at. The owner can export everything; ask whoever runs this installation."
    ),
}
"""Phases in which nothing can be written -> why, and the one next step."""

OFF = BillingState(mode=BillingMode.OFF)


def refusal(found: Standing) -> Any:
    """Return why a firm may not write, or None when it may."""
    phase = found.before if found.phase is Phase.CONFIRMING else found.phase
    return None if found.access.write else REFUSALS.get(phase or Phase.TRIAL_OVER)


def state_of(tenant: TenantInfo) -> BillingState:
    """Return where a firm stands, as the platform asks for it."""
    if modes.mode() is BillingMode.OFF:
        return OFF
    fact = facts.fact_of(tenant)
    found = facts.standing_by(fact)
    return BillingState(
        mode=modes.mode(),
        live=modes.live(),
        phase=found.phase.value,
        plan=fact.get("plan"),
        trial_ends_at=facts.moment(fact.get("trial")),
        read_only=not found.access.write,
        owner_only=not found.access.everybody,
        refusal=refusal(found),
        stopped=frozenset(fact.get("stop") or ()),
        page=PAGE,
    )
