"""Looking nightly whether the mirror and Stripe agree, in both directions: events can be lost, dashboards can be used.

Repair is always the same: the customer is wanted anew and converges. A difference that lives through two runs is an
alarm, because repairing it did not help.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing.models import Account, Invoice, Subscription
from billing.phases import COUNTED, LIVE
from billing.snapshot import SubscriptionState
from billing.stripe import sync
from billing.stripe.gateway import RECENT, Gateway
from billing.stripe.models import Operation, ReconDiff, ReconRun, Sync
from billing.stripe.operations import OPEN
from kehu.core import clock, db
from kehu.core.ids import new_id

log = structlog.get_logger(__name__)

READ_ONLY = dt.timedelta(days=7)
"""After the first run nothing is repaired: an operator looks first whether the differences make sense."""

SLICE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Diff:
    """One way in which the two disagree about an object."""

    kind: str
    object_id: str
    customer_id: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirrored:
    """A live subscription as we have it.

    :param busy: an order of its firm is under way; both sides are looked at the next night.
    """

    provider_id: str
    customer_id: str
    status: str
    seats: int
    plan: str
    ends: bool
    busy: bool
    addons: Mapping[str, int] = field(default_factory=dict)


def differences(
    told: Iterable[tuple[str, SubscriptionState]], mirrored: Iterable[Mirrored], firms: frozenset[str]
) -> list[Diff]:
    """Compare what Stripe lists with what we have.

    :param told: customer and state of each subscription that has not ended.
    :param firms: customers that belong to a firm of ours.
    """
    ours = {one.provider_id: one for one in mirrored}
    found: list[Diff] = []
    live: dict[str, list[str]] = {}
    seen: set[str] = set()
    for customer_id, state in told:
        seen.add(state.provider_id)
        if state.status in COUNTED:
            live.setdefault(customer_id, []).append(state.provider_id)
        found += _of_one(customer_id, state, ours.get(state.provider_id), firms)
    for one in ours.values():
        if one.provider_id not in seen and not one.busy:
            found.append(Diff(kind="extra", object_id=one.provider_id, customer_id=one.customer_id))
    for customer_id, ids in live.items():
        if len(ids) > 1:
            found.append(
                Diff(kind="two_live", object_id=customer_id, customer_id=customer_id, detail=", ".join(ids))
            )
    return found


def _of_one(
    customer_id: str, state: SubscriptionState, ours: Mirrored | None, firms: frozenset[str]
) -> Iterator[Diff]:
    def diff(kind: str, detail: str = "") -> Diff:
        return Diff(kind=kind, object_id=state.provider_id, customer_id=customer_id, detail=detail)

    if state.status not in LIVE:
        return
    if customer_id not in firms:
        yield diff("nobody")
        return
    if not state.plan:
        yield diff("price", "unknown price")
    if ours is None:
        # Of two that are live only one is mirrored as such; `two_live` tells of the other.
        if state.status in COUNTED:
            yield diff("missing")
        return
    if ours.busy:
        return
    for kind, theirs, mine in (
        ("status", state.status, ours.status),
        ("seats", state.seats, ours.seats),
        ("plan", state.plan, ours.plan),
        ("addons", {one.slug: one.quantity for one in state.addons}, dict(ours.addons)),
        ("cancel", state.cancel_at is not None, ours.ends),
    ):
        if theirs != mine:
            yield diff(kind, f"Stripe {theirs}, here {mine}")


def reconcile(gateway: Gateway, *, repair: bool | None = None) -> ReconRun:
    """Look through everything and return the run; what differs is repaired unless the first week is not over.

    :param repair: an operator's word; None lets the first week decide.
    """
    began, at = time.perf_counter(), clock.now()
    told, bills = list(gateway.subscriptions()), list(gateway.invoices())
    with db.cross_tenant("compare Stripe with the mirror") as session:
        firms = _firms(session)
        found = differences(told, _mirrored(session, firms), frozenset(firms.values()))
        found += _invoices(session, bills, frozenset(firms.values()))
    with db.unit_of_work(tenant=None) as session:
        first = session.execute(select(func.min(ReconRun.at))).scalar()
        mends = repair if repair is not None else first is not None and at - first > READ_ONLY
        _keep(session, found, at)
        customers = (
            {one.customer_id for one in found if one.customer_id in firms.values()} if mends else set()
        )
        for customer_id in sorted(customers):
            sync.want(session, customer_id)
        run = ReconRun(
            id=new_id(),
            at=at,
            looked=len(told),
            found=len(found),
            repaired=len(customers),
            seconds=round(time.perf_counter() - began),
        )
        session.add(run)
    return run


def reconcile_customer(gateway: Gateway, customer_id: str) -> list[Diff]:
    """Compare one customer with Stripe, keep what differs, and have it fetched anew; return the differences.

    An operator's word: it is repaired also in the first week.
    """
    at = clock.now()
    told = [
        (customer_id, state) for state in gateway.fetch(customer_id).subscriptions if state.status in LIVE
    ]
    with db.cross_tenant("compare one customer of Stripe with the mirror") as session:
        firms = _firms(session)
        mirrored = [one for one in _mirrored(session, firms) if one.customer_id == customer_id]
        found = differences(told, mirrored, frozenset(firms.values()))
    with db.unit_of_work(tenant=None) as session:
        _keep(session, found, at, customer_id)
        if customer_id in firms.values():
            sync.want(session, customer_id)
    return found


def _firms(session: Session) -> dict[uuid.UUID, str]:
    statement = select(Sync.firm_id, Sync.customer_id).where(Sync.firm_id.is_not(None))
    return {row.firm_id: row.customer_id for row in session.execute(statement) if row.firm_id}


def _mirrored(session: Session, firms: dict[uuid.UUID, str]) -> list[Mirrored]:
    busy = set(session.execute(select(Operation.tenant_id).where(Operation.state.in_(OPEN))).scalars())
    statement = (
        select(Subscription)
        .join(Account, Account.tenant_id == Subscription.tenant_id)
        .where(Subscription.live.is_(True), Account.mode == "stripe")
        .execution_options(yield_per=SLICE)
    )
    return [
        Mirrored(
            provider_id=row.provider_id,
            customer_id=firms.get(row.tenant_id, ""),
            status=row.status,
            seats=row.seats,
            plan=row.plan,
            addons={one["slug"]: one["quantity"] for one in row.addons},
            ends=row.cancel_at is not None,
            busy=row.tenant_id in busy,
        )
        for row in session.execute(statement).scalars()
    ]


def _invoices(session: Session, bills: list[tuple[str, str, str]], firms: frozenset[str]) -> list[Diff]:
    """Compare the invoices of the last forty days by their status.

    :param bills: customer, id and status of each invoice that Stripe lists.
    """
    known = {
        row.provider_id: row.status
        for row in session.execute(
            select(Invoice.provider_id, Invoice.status)
            .where(Invoice.made_at > clock.now() - RECENT - dt.timedelta(days=2))
            .execution_options(yield_per=SLICE)
        )
    }
    return [
        Diff(kind="invoice", object_id=bill, customer_id=customer_id, detail=f"Stripe {status}")
        for customer_id, bill, status in bills
        if customer_id in firms and known.get(bill) != status
    ]


def _keep(session: Session, found: list[Diff], at: dt.datetime, customer_id: str = "") -> None:
    """Keep what differs with its age; what no longer does is forgotten.

    :param customer_id: the only one that was looked at, if not all were.
    """
    for one in found:
        values = {
            "kind": one.kind,
            "object_id": one.object_id,
            "customer_id": one.customer_id,
            "detail": one.detail,
        }
        runs = session.execute(
            insert(ReconDiff)
            .values(**values, first_at=at, last_at=at, runs=1)
            .on_conflict_do_update(
                index_elements=[ReconDiff.kind, ReconDiff.object_id],
                set_={"last_at": at, "runs": ReconDiff.runs + 1, "detail": one.detail},
            )
            .returning(ReconDiff.runs)
        ).scalar_one()
        if runs > 1:
            log.error(
                "billing_alarm", what="a difference to Stripe stays", kind=one.kind, object=one.object_id
            )
    gone = delete(ReconDiff).where(ReconDiff.last_at < at)
    if customer_id:
        gone = gone.where(ReconDiff.customer_id == customer_id, ReconDiff.kind != "invoice")
    session.execute(gone)
