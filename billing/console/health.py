"""How billing is: the mode, what Stripe sent and what became of it, orders that hang, what a comparison found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, func, or_, select

from billing import modes
from billing.console.firm import on_stripe
from billing.console.listing import billed
from billing.models import Account
from billing.stripe import refusals, sync
from billing.stripe.models import Operation, ReconDiff, ReconRun, StripeEvent, Sync
from billing.stripe.operations import OPEN, STUCK
from billing.stripe.refusals import Refusal
from billing.web import words
from kehu.core import clock, db
from kehu.core.i18n import _l
from tenants.console.registry import Health, add
from tenants.models import Tenant

SHOWN = 50
WEEK = dt.timedelta(days=7)
LATE = dt.timedelta(minutes=10)
"""An event that waits so long shows that no worker is at it."""


def mode() -> Mapping[str, Any]:
    """Return the mode, and how many firms are in which phase."""
    with db.cross_tenant("an operator looks at the phases of firms") as session:
        statement = select(Account.phase, func.count().label("count")).group_by(Account.phase)
        phases = session.execute(statement.order_by(Account.phase)).all()
    names = {phase.value: name for phase, (name, _tone) in words.PHASES.items()}
    return {"mode": modes.mode().value, "live": modes.live(), "phases": phases, "names": names}


def webhooks() -> Mapping[str, Any]:
    """Return what Stripe sent: taken in, refused, parked, failed, and how far we are behind."""
    now = clock.now()
    states = (
        select(StripeEvent.state, func.count().label("count"))
        .where(StripeEvent.received_at > now - WEEK)
        .group_by(StripeEvent.state)
    )
    refused = select(Refusal).where(Refusal.day > now.date() - WEEK).order_by(Refusal.day.desc(), Refusal.why)
    stuck = (
        select(StripeEvent)
        .where(StripeEvent.state.in_(("parked", "failed")), StripeEvent.received_at > now - WEEK * 12)
        .order_by(StripeEvent.received_at.desc())
    )
    oldest = select(func.min(StripeEvent.received_at)).where(StripeEvent.state == "new")
    with db.unit_of_work(tenant=None) as session:
        since = session.execute(oldest).scalar()
        return {
            "states": session.execute(states.order_by(StripeEvent.state)).all(),
            "refused": session.execute(refused.limit(SHOWN)).scalars().all(),
            "stuck": session.execute(stuck.limit(SHOWN)).scalars().all(),
            "oldest": since,
            "late": since is not None and now - since > LATE,
            "behind": sync.behind(session),
            "ahead": refusals.clock_ahead(session),
        }


def orders() -> Mapping[str, Any]:
    """Return orders that nobody seems to carry out, and customers at whom somebody is at work, or was."""
    now = clock.now()
    hanging = (
        select(Operation.kind, Operation.state, Operation.attempts, Operation.made_at, Tenant.id, Tenant.name)
        .join(Tenant, Tenant.id == Operation.tenant_id)
        .where(Operation.state.in_(OPEN), Operation.made_at < now - STUCK)
        .order_by(Operation.made_at)
    )
    with db.cross_tenant("an operator looks at orders that hang") as session:
        operations = session.execute(hanging.limit(SHOWN)).all()
    given_up = and_(Sync.attempts >= sync.TRIES, Sync.want > Sync.done)
    leases = select(Sync).where(or_(Sync.lease_until.is_not(None), given_up)).order_by(Sync.lease_until)
    with db.unit_of_work(tenant=None) as session:
        return {
            "operations": operations,
            "leases": session.execute(leases.limit(SHOWN)).scalars().all(),
            "now": now,
        }


def reconciliation() -> Mapping[str, Any]:
    """Return the latest comparisons with Stripe, and what differs, oldest first."""
    with db.unit_of_work(tenant=None) as session:
        runs = session.execute(select(ReconRun).order_by(ReconRun.at.desc()).limit(7)).scalars().all()
        diffs = session.execute(select(ReconDiff).order_by(ReconDiff.first_at).limit(SHOWN)).scalars().all()
        asked = [one.customer_id for one in diffs if one.customer_id]
        known = select(Sync.customer_id, Sync.firm_id).where(Sync.customer_id.in_(asked))
        firms = {row.customer_id: row.firm_id for row in session.execute(known)} if asked else {}
    return {"runs": runs, "diffs": diffs, "firms": firms}


def join() -> None:
    """Put these parts into the console."""
    folder = "billing/console"
    add(
        Health(
            key="billing",
            title=_l("Billing"),
            template=f"{folder}/_mode.html",
            load=mode,
            order=21,
            offered=billed,
        )
    )
    for order, (key, title, load) in enumerate(
        (
            ("webhooks", _l("What Stripe sent"), webhooks),
            ("orders", _l("Orders and leases"), orders),
            ("reconciliation", _l("Comparison with Stripe"), reconciliation),
        )
    ):
        add(
            Health(
                key=key,
                title=title,
                template=f"{folder}/_{key}.html",
                load=load,
                order=22 + order,
                offered=on_stripe,
            )
        )
