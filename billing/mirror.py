"""Writing what the provider says into our tables: the whole customer at once, so that order does not matter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.mirror_papers import converge_papers
from billing.models import Account, Addon, Invoice, Subscription
from billing.phases import COUNTED, LIVE, Standing
from billing.seats import SeatService
from billing.snapshot import InvoiceState, Snapshot, SubscriptionState
from kehu.core import audit, clock, context, jobs

SWITCH_ON = "billing.addons.switch_on"

log = structlog.get_logger(__name__)

TOLD = ("status", "plan", "interval", "seats", "cancel_at")
"""What of a subscription stands in the trail when it changes."""


def converge(session: Session, snapshot: Snapshot) -> Standing:
    """Make the mirror of the present tenant equal to a snapshot and work its phase out anew.

    Twice the same snapshot changes nothing. Whatever the provider no longer names stays as it was told last.
    """
    service = AccountService(session)
    account = service.lock()
    account.clock_ahead = snapshot.ahead
    snapshot = replace(snapshot, subscriptions=tuple(_never_begun(session, snapshot.subscriptions)))
    live = _choose(snapshot.subscriptions)
    _subscriptions(session, snapshot.subscriptions, live)
    _invoices(session, snapshot.invoices)
    converge_papers(session, account, snapshot)
    _seats(session, account, live)
    _addons(session, live)
    _end(account, snapshot, live)
    if live is not None and live.status in COUNTED:
        service.leave_checkout(account)
    return service.refresh(account)


def _never_begun(session: Session, found: Sequence[SubscriptionState]) -> list[SubscriptionState]:
    """Tell a first payment that was called off from the end of something paid: it ends nothing."""
    statement = select(Subscription.provider_id).where(
        Subscription.status.in_(("incomplete", "incomplete_expired"))
    )
    unpaid = set(session.execute(statement.limit(1_000)).scalars())
    return [
        replace(one, status="incomplete_expired")
        if one.status == "canceled" and one.provider_id in unpaid
        else one
        for one in found
    ]


def _choose(found: Sequence[SubscriptionState]) -> SubscriptionState | None:
    """Return the subscription that carries the firm: what is paid for before what is not, then the newest."""
    running = [one for one in found if one.status in LIVE]
    counted = [one for one in running if one.status in COUNTED]
    if len(counted) > 1:
        log.error(
            "billing_alarm", what="two live subscriptions", subscriptions=[one.provider_id for one in counted]
        )
    ordered = sorted(counted or running, key=lambda one: one.started_at)
    return ordered[-1] if ordered else None


def _subscriptions(
    session: Session, found: Sequence[SubscriptionState], live: SubscriptionState | None
) -> None:
    rows = {row.provider_id: row for row in session.execute(select(Subscription).limit(1_000)).scalars()}
    for row in rows.values():
        row.live = False
    session.flush()  # The old one gives its place up before the new one takes it: one of a firm is live.
    for one in found:
        row = rows.get(one.provider_id) or Subscription(provider_id=one.provider_id)
        before = {name: getattr(row, name) for name in TOLD}
        had = [addon["slug"] for addon in row.addons or ()]
        for name in (
            *("status", "plan", "interval", "currency", "seats", "by_invoice", "started_at"),
            *("period_start", "period_end", "cancel_at", "stopped_at"),
        ):
            setattr(row, name, getattr(one, name))
        if one.tells_pending or one.status not in LIVE:
            row.pending = dict(one.pending) if one.pending else None
        row.addons = [addon.plain() for addon in one.addons]
        row.coupon = dict(one.coupon) if one.coupon else None
        row.raw, row.synced_at = dict(one.raw), clock.now()
        row.live = live is not None and one.provider_id == live.provider_id
        session.add(row)
        _tell(session, before | {"addons": had}, row)
        if one.status in LIVE and not one.plan:
            log.error("billing_alarm", what="unknown price", subscription=one.provider_id)


def _tell(session: Session, before: dict[str, Any], row: Subscription) -> None:
    """Write what changed into the firm's trail, where the page of plan and seats shows it."""
    changes = {
        name: [_plain(value), _plain(after)]
        for name, value in before.items()
        if value != (after := _told(row, name))
    }
    if changes:
        tenant = context.tenant()
        audit.write(
            session,
            object="billing",
            record_id=tenant.id,
            action="subscription",
            title=tenant.name,
            changes=changes,
        )


def _told(row: Subscription, name: str) -> Any:
    return [one["slug"] for one in row.addons] if name == "addons" else getattr(row, name)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.datetime) else value


def _invoices(session: Session, found: Sequence[InvoiceState]) -> None:
    ids = [one.provider_id for one in found]
    statement = select(Invoice).where(Invoice.provider_id.in_(ids))
    rows = {row.provider_id: row for row in session.execute(statement).scalars()}
    for one in found:
        row = rows.get(one.provider_id) or Invoice(provider_id=one.provider_id)
        for name in (
            *("number", "status", "currency", "net", "tax", "total", "paid", "due"),
            *("tax_note", "made_at", "due_at", "paid_at"),
        ):
            setattr(row, name, getattr(one, name))
        row.lines = [dict(line) for line in one.lines]
        row.raw, row.synced_at = dict(one.raw), clock.now()
        session.add(row)


def _seats(session: Session, account: Account, live: SubscriptionState | None) -> None:
    """Take the number of seats over; fewer than are used signs nobody out, it only starts the time to choose."""
    if live is None or live.status not in COUNTED:
        return
    if account.currency != live.currency:
        account.currency = live.currency
    if account.seats_paid_until != live.period_end:
        account.seats_paid_floor, account.seats_paid_until = live.seats, live.period_end
    account.seats_paid_floor = max(account.seats_paid_floor, live.seats)
    account.seats_billed = live.seats
    SeatService(session).set_cap(account, live.seats, "subscription")


def _addons(session: Session, live: SubscriptionState | None) -> None:
    """Note how often each add-on is paid until when: taken off the bill, it stays usable until then."""
    rows = {row.slug: row for row in session.execute(select(Addon).limit(200)).scalars()}
    if live is None or live.status not in COUNTED:
        for row in rows.values():
            row.paid_until = None  # What was paid ended with its subscription.
        return
    for one in live.addons:
        row = rows.get(one.slug) or Addon(slug=one.slug, paid_quantity=0, wanted=False)
        session.add(row)
        if live.status != "trialing":  # Nothing of it is paid before the first bill.
            same = row.paid_until == live.period_end
            row.paid_quantity = max(row.paid_quantity, one.quantity) if same else one.quantity
            row.paid_until = live.period_end
        if row.wanted:
            row.wanted = False
            jobs.enqueue(session, SWITCH_ON, slug=one.slug)


def _end(account: Account, snapshot: Snapshot, live: SubscriptionState | None) -> None:
    """Note when the last subscription that ran came to its end; a first payment that never came ends nothing."""
    if live is not None:
        if live.status in COUNTED:
            account.ended_at = None
        return
    ends = [one.stopped_at for one in snapshot.subscriptions if one.status == "canceled" and one.stopped_at]
    latest: Any = max(ends, default=None)
    if snapshot.gone and latest is None and account.seats_billed:
        latest = clock.now()
    if latest is not None:
        account.ended_at = latest
