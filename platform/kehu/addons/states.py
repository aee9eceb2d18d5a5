"""Where a plugin stands in a tenant, and what each state means for pages, hooks and jobs."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Final


class TenantState(StrEnum):
    """Where a plugin stands in a tenant."""

    AVAILABLE = "available"
    """Never switched on, or purged."""
    LOCKED = "locked"
    """The tenant's plan does not hold it."""
    ENABLING = "enabling"
    """Its preparation runs, in the transaction that switches it on."""
    ENABLED = "enabled"
    UPGRADE_PENDING = "upgrade_pending"
    """The tenant's data is older than the code; a job converts it, pages say so meanwhile."""
    UPGRADE_ERROR = "upgrade_error"
    """The conversion failed; the job tries again."""
    QUARANTINED = "quarantined"
    """It failed again and again: its panels show a notice, its jobs wait."""
    SUSPENDED = "suspended"
    """The entitlement lapsed; it comes back with it."""
    DISABLED = "disabled"
    """Everything of it is hidden, its data stays."""
    PURGE_SCHEDULED = "purge_scheduled"
    """Its data is removed at a date unless it is called back."""


HELD: Final = frozenset({TenantState.UPGRADE_PENDING, TenantState.UPGRADE_ERROR, TenantState.QUARANTINED})
"""Switched on, but not running now: its pages exist and say why."""

ON: Final = HELD | {TenantState.ENABLED, TenantState.ENABLING}
"""Switched on, as an admin sees it."""

PURGE_AFTER: Final = dt.timedelta(days=30)
"""How long a purge can be called back."""

QUARANTINE: Final = dt.timedelta(hours=1)
"""How long a plugin rests before it is tried again by itself."""
