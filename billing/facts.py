"""What each request knows of a firm's billing without asking the database.

The fact `billing` among the tenant's settings holds what the phase is made from. The phase itself is worked out
anew each time, because time passes without anybody writing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from billing import modes
from billing.catalogue import Plan, catalogue
from billing.phases import Account, Mirror, OpenInvoice, Phase, Standing, phase
from kehu.core import clock
from kehu.core.context import TenantInfo
from plugins.results import BillingMode

NAME = "billing"


def fact_of(tenant: TenantInfo) -> Mapping[str, Any]:
    """Return the fact of a firm; empty while it has no account, and when it is of another mode."""
    found = tenant.settings.get(NAME)
    if not isinstance(found, dict) or found.get("mode") != modes.mode().value:
        return {}
    return found


def moment(text: object) -> dt.datetime | None:
    """Return the moment in a fact."""
    return dt.datetime.fromisoformat(text) if isinstance(text, str) and text else None


def written(value: dt.datetime | None) -> str | None:
    """Return a moment as facts hold it."""
    return value.astimezone(dt.UTC).isoformat() if value is not None else None


def now_of(fact: Mapping[str, Any]) -> dt.datetime:
    """Return billing time of a firm: the clock, run ahead in the demo and by test clocks."""
    return clock.now() + dt.timedelta(seconds=int(fact.get("ahead") or 0))


def standing(tenant: TenantInfo) -> Standing:
    """Return where a firm stands now."""
    if modes.mode() is BillingMode.OFF:
        return Standing(phase=Phase.OFF)
    return standing_by(fact_of(tenant))


def standing_by(fact: Mapping[str, Any]) -> Standing:
    """Return where a firm with this fact stands now."""
    account = Account(
        trial_ends_at=moment(fact.get("trial")),
        held=bool(fact.get("held")),
        ended_at=moment(fact.get("ended")),
        checkout_until=moment(fact.get("checkout")),
        last=Phase(fact["last"]) if fact.get("last") else None,
    )
    status = fact.get("status")
    mirror = None
    if status:
        mirror = Mirror(
            status=str(status),
            by_invoice=bool(fact.get("by_invoice")),
            started_at=moment(fact.get("started")),
            cancel_at=moment(fact.get("cancel")),
            stopped_at=moment(fact.get("stopped")),
        )
    since = moment(fact.get("open"))
    return phase(account, mirror, OpenInvoice(since=since) if since else None, now_of(fact))


def plan_of(fact: Mapping[str, Any]) -> Plan | None:
    """Return the plan whose features a firm has: the one it pays for, else the one of the trial."""
    return catalogue().plan(fact.get("plan")) or catalogue().current(catalogue().trial.plan)
