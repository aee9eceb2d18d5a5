"""What a firm is entitled to: phase gate x (its version of the plan, then what an operator changed).

Answered from the fact that each request has anyway; nobody is asked, and a key that nobody knows means no.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from billing import facts, modes
from billing.catalogue import catalogue
from billing.phases import Paid
from kehu.core import hooks
from kehu.core.context import TenantInfo
from plugins.results import BillingMode

PLUGIN = "plugin:"
"""Before the slug where an operator gives or takes a paid add-on."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a firm has of a feature, and where that comes from.

    :param source: the plan's ref, or "override".
    """

    value: int
    source: str


def entitled(tenant: TenantInfo, key: str) -> bool:
    """Tell whether a firm may use a feature; a key that nobody knows means no."""
    if modes.mode() is BillingMode.OFF:
        return True
    if not facts.standing(tenant).access.everybody:
        return False
    found = grant(tenant, key)
    return found is not None and found.value > 0


def grant(tenant: TenantInfo, key: str) -> Grant | None:
    """Return what a firm has of a feature, whatever its phase; None for a key that nobody knows."""
    if key not in catalogue().features:
        return None
    fact = facts.fact_of(tenant)
    changed = _override(fact, key)
    if changed is not None:
        return Grant(value=changed, source="override")
    plan = facts.plan_of(fact)
    return Grant(value=int(plan.features[key]), source=plan.ref) if plan is not None else None


def _override(fact: Mapping[str, Any], key: str) -> int | None:
    value, until = (fact.get("grants") or {}).get(key, (None, None))
    end = facts.moment(until)
    if value is None or (end is not None and facts.now_of(fact) >= end):
        return None
    return int(value)


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Why a firm has a paid add-on.

    :param kind: override, plan, item (on the bill), kept (taken off the bill, but paid until then) or trial.
    :param until: when it ends by itself.
    :param plan: the ref of the plan that brings it.
    """

    kind: str
    until: dt.datetime | None = None
    plan: str = ""


def plugin_entitled(tenant: TenantInfo, slug: str) -> bool:
    """Tell whether a firm may have a plugin on: its plan has plugins, and what costs is had and not suspended."""
    if modes.mode() is BillingMode.OFF:
        return True
    if not entitled(tenant, "plugins"):
        return False
    record = hooks.host().installed.get(slug)
    manifest = record.manifest if record is not None else None
    if manifest is None or manifest.pricing.kind == "free":
        return True
    if not manifest.pricing.paid:
        return entitled(tenant, manifest.pricing.key)
    if facts.standing(tenant).access.plugins in (Paid.SUSPENDED, Paid.OFF):
        return False
    return holding(tenant, slug, manifest.pricing.included) is not None


def holding(tenant: TenantInfo, slug: str, included: Collection[str]) -> Holding | None:
    """Return why a firm has a paid add-on, whatever its phase; None when it has not.

    :param included: keys of the plans that bring it.
    """
    fact = facts.fact_of(tenant)
    now = facts.now_of(fact)
    given = _override(fact, PLUGIN + slug)
    if given is not None:
        until = facts.moment(fact["grants"][PLUGIN + slug][1])
        return Holding(kind="override", until=until) if given else None
    plan = facts.plan_of(fact)
    if plan is not None and plan.key in included:
        return Holding(kind="plan", plan=plan.ref)
    had = (fact.get("addons") or {}).get(slug) or {}
    if had.get("item"):
        return Holding(kind="item")
    for kind in ("kept", "trial"):
        until = facts.moment(had.get(kind))
        if until is not None and now < until:
            return Holding(kind=kind, until=until)
    return None
