"""Bringing the mirror of one customer up to what is wanted: under a lease, fetched while no transaction is open."""

from __future__ import annotations

import datetime as dt
import uuid

import structlog
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing import mirror
from billing.snapshot import Snapshot
from billing.stripe import disputes, taxing
from billing.stripe.gateway import Gateway
from billing.stripe.inbox import CONVERGE
from billing.stripe.models import StripeEvent, Sync
from billing.stripe.words import Declined, Unanswered
from kehu.core import clock, context, db, hooks, jobs
from kehu.core.ids import new_id
from kehu.core.logging import frames

log = structlog.get_logger(__name__)

LEASE = dt.timedelta(seconds=60)
TRIES = 12
LONGEST = dt.timedelta(hours=6)
PARKED_FOR = dt.timedelta(hours=72)
"""How long a customer that nobody knows is waited for: the event can outrun our own commit."""


class LeaseLost(Exception):
    """Raised when another worker took over while this one was slow: nothing of it is written."""


def know(session: Session, customer_id: str, firm_id: uuid.UUID) -> None:
    """Note whose customer this is; whatever came before is fetched now."""
    now = clock.now()
    statement = insert(Sync).values(customer_id=customer_id, firm_id=firm_id, next_at=now, since=now)
    behind = session.execute(
        statement.on_conflict_do_update(
            index_elements=[Sync.customer_id], set_={"firm_id": firm_id, "next_at": now, "attempts": 0}
        ).returning(Sync.want > Sync.done)
    ).scalar_one()
    if behind:
        jobs.enqueue(session, CONVERGE, customer_id=customer_id)


def want(session: Session, customer_id: str) -> None:
    """Ask for a customer to be fetched anew: by a return page, an operator, or reconciliation."""
    raised = (
        update(Sync)
        .where(Sync.customer_id == customer_id)
        .values(want=Sync.want + 1, attempts=0, next_at=clock.now())
    )
    session.execute(raised)
    jobs.enqueue(session, CONVERGE, customer_id=customer_id)


def bring_up(gateway: Gateway, customer_id: str) -> str:
    """Fetch and write until nothing more is wanted; return done, busy, parked, gone, later or failed."""
    owner = new_id()
    claimed = _claim(customer_id, owner)
    if claimed is None:
        return "busy"
    wanted, firm_id = claimed
    if firm_id is None:
        return _park(customer_id, owner)
    with db.unit_of_work(tenant=None):
        tenant = hooks.tenant_by_id(firm_id)
    if tenant is None:
        return _without_firm(customer_id, owner, wanted)
    try:
        while True:
            snapshot = gateway.fetch(customer_id)
            reached = _write(tenant, customer_id, owner, wanted, snapshot)
            if reached is None:
                return "done"
            wanted = reached
    except LeaseLost:
        log.warning("stripe_lease_lost", customer=customer_id)
        return "busy"
    except (Unanswered, Declined) as error:
        return _again(customer_id, owner, str(error))
    except Exception as error:  # noqa: BLE001 - logged, but for its message
        # Kept on the row for the operator, whatever it was; the log has no message, since that may quote a payload.
        log.error("stripe_converge_failed", customer=customer_id, where=frames(error))
        return _again(customer_id, owner, f"{type(error).__name__}: {error}")


def _claim(customer_id: str, owner: uuid.UUID) -> tuple[int, uuid.UUID | None] | None:
    now = clock.now()
    free = or_(Sync.lease_until.is_(None), Sync.lease_until < now)
    statement = (
        update(Sync)
        .where(Sync.customer_id == customer_id, Sync.want > Sync.done, free)
        .values(lease_owner=owner, lease_until=now + LEASE)
        .returning(Sync.want, Sync.firm_id)
    )
    with db.unit_of_work(tenant=None) as session:
        row = session.execute(statement).one_or_none()
    return (row.want, row.firm_id) if row is not None else None


def _write(
    tenant: context.TenantInfo, customer_id: str, owner: uuid.UUID, wanted: int, snapshot: Snapshot
) -> int | None:
    """Write a snapshot if the lease still holds; return what is wanted meanwhile, or None when that is all."""
    with db.unit_of_work(tenant=tenant, actor=context.SYSTEM) as session:
        row = session.execute(
            select(Sync).where(Sync.customer_id == customer_id).with_for_update()
        ).scalar_one()
        if row.lease_owner != owner:
            raise LeaseLost
        mirror.converge(session, snapshot)
        taxing.take_over(session, snapshot)
        disputes.end_lost(session)
        taxing.follow(session)
        row.done, row.attempts, row.last_error = wanted, 0, ""
        more = row.want if row.want > wanted else None
        row.lease_until = clock.now() + LEASE if more else None
        row.lease_owner = owner if more else None
        _settle(session, customer_id, "done", ("new", "parked", "failed"))
    return more


def _settle(session: Session, customer_id: str, state: str, of: tuple[str, ...], error: str = "") -> None:
    session.execute(
        update(StripeEvent)
        .where(StripeEvent.customer_id == customer_id, StripeEvent.state.in_(of))
        .values(state=state, last_error=error, done_at=clock.now() if state == "done" else None)
    )


def _park(customer_id: str, owner: uuid.UUID) -> str:
    """Leave a customer that nobody knows alone for a while; after 72 hours somebody must look."""
    now = clock.now()
    with db.unit_of_work(tenant=None) as session:
        row = session.execute(
            select(Sync).where(Sync.customer_id == customer_id).with_for_update()
        ).scalar_one()
        if row.lease_owner != owner:
            return "busy"
        row.lease_owner = row.lease_until = None
        if row.firm_id is not None:  # It became known between claim and now.
            jobs.enqueue(session, CONVERGE, customer_id=customer_id)
            return "later"
        if now - row.since > PARKED_FOR:
            log.error("billing_alarm", what="events of a customer that nobody knows", customer=customer_id)
            _settle(session, customer_id, "failed", ("new", "parked"), "nobody knows this customer")
            row.done = row.want
            return "failed"
        row.attempts += 1
        wait = _wait(row.attempts)
        row.next_at = now + wait
        _settle(session, customer_id, "parked", ("new",), "nobody knows this customer yet")
        jobs.enqueue(session, CONVERGE, customer_id=customer_id, wait=wait)
    return "parked"


def _without_firm(customer_id: str, owner: uuid.UUID, wanted: int) -> str:
    """Pass over what belongs to a firm that was erased."""
    with db.unit_of_work(tenant=None) as session:
        session.execute(
            update(Sync)
            .where(Sync.customer_id == customer_id, Sync.lease_owner == owner)
            .values(done=wanted, lease_owner=None, lease_until=None)
        )
        _settle(session, customer_id, "ignored", ("new", "parked", "failed"), "the firm is gone")
    return "gone"


def _wait(attempts: int) -> dt.timedelta:
    return min(dt.timedelta(seconds=2 * 2 ** min(attempts, 20)), LONGEST)


def _again(customer_id: str, owner: uuid.UUID, error: str) -> str:
    """Note a failure and try later, with growing waits; after twelve tries an operator replays it."""
    with db.unit_of_work(tenant=None) as session:
        row = session.execute(
            select(Sync).where(Sync.customer_id == customer_id).with_for_update()
        ).scalar_one()
        if row.lease_owner != owner:
            return "busy"
        row.lease_owner = row.lease_until = None
        row.attempts += 1
        row.last_error = error[:500]
        if row.attempts >= TRIES:
            log.error("billing_alarm", what="a customer can't be mirrored", customer=customer_id)
            _settle(session, customer_id, "failed", ("new", "parked"), error[:500])
            return "failed"
        wait = _wait(row.attempts)
        row.next_at = clock.now() + wait
        jobs.enqueue(session, CONVERGE, customer_id=customer_id, wait=wait)
    return "later"


def place(gateway: Gateway, event_id: str, charge_id: str) -> None:
    """Find out whose event this is by its charge, and want that customer."""
    customer_id = gateway.customer_of_charge(charge_id)
    if customer_id is None:
        return
    now = clock.now()
    with db.unit_of_work(tenant=None) as session:
        session.execute(
            update(StripeEvent)
            .where(StripeEvent.id == event_id, StripeEvent.state == "parked")
            .values(customer_id=customer_id, state="new")
        )
        session.execute(
            insert(Sync)
            .values(customer_id=customer_id, want=1, next_at=now, since=now)
            .on_conflict_do_update(index_elements=[Sync.customer_id], set_={"want": Sync.want + 1})
        )
        jobs.enqueue(session, CONVERGE, customer_id=customer_id)


def overdue(session: Session, limit: int = 500) -> list[str]:
    """Return customers that are behind and at which nobody works: their job was lost, or its worker was killed."""
    now = clock.now()
    free = or_(Sync.lease_until.is_(None), Sync.lease_until < now)
    late = and_(Sync.next_at < now - LEASE, Sync.attempts < TRIES)
    statement = select(Sync.customer_id).where(Sync.want > Sync.done, free, late)
    return list(session.execute(statement.order_by(Sync.next_at).limit(limit)).scalars())


def behind(session: Session) -> int:
    """Count the customers whose mirror is behind."""
    return int(session.execute(select(func.count()).where(Sync.want > Sync.done)).scalar_one())
