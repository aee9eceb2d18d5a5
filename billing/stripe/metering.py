"""Telling Stripe what add-ons counted: by a job, each event under an identifier of its own, none of them twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from billing import facts, modes
from billing.accounts import AccountService
from billing.models import Addon
from billing.phases import COUNTED
from billing.stripe.words import Declined, Provider, Unanswered, provider
from kehu.addons.models import UsageEvent
from kehu.core import clock, context, db, jobs, schedule
from plugins.results import BillingMode

log = structlog.get_logger(__name__)

SEND = "billing.usage.send"
AT_ONCE = 500
OLDEST = dt.timedelta(days=34)
"""Stripe takes nothing older than 35 days."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Events that Stripe does not know yet, and whose customer the firm is.

    :param ahead: how far the customer's own clock (a test clock) runs ahead.
    """

    customer_id: str
    ahead: dt.timedelta
    events: Sequence[UsageEvent]


def start() -> None:
    """Let what was counted be told every quarter of an hour; Stripe finishes a bill an hour after its period."""
    schedule.register(schedule.Schedule(name=SEND, task=SEND, every=dt.timedelta(minutes=15)))


def event_name(slug: str, meter: str) -> str:
    """Return the name by which Stripe knows what an add-on counts."""
    return f"kehu_{slug}_{meter}"


@jobs.tenant_task(SEND, queue="events", one_transaction=False)
def send_later(_tenant_id: uuid.UUID) -> int:
    """Tell Stripe what the firm's add-ons counted, and return how many events that were."""
    return send(provider()) if modes.mode() is BillingMode.STRIPE else 0


def send(asked: Provider) -> int:
    """Tell the provider what the present firm's add-ons counted; what nothing is charged for is only settled.

    No transaction is open meanwhile; an event that was told before a crash is told again and counts once.

    :raises Unanswered: when the provider did not answer; the rest waits.
    """
    done = 0
    while True:
        with db.unit_of_work() as session:
            found = waiting(session)
        if not found.events:
            return done
        told: list[UsageEvent] = []
        try:
            for one in found.events:
                asked.count(
                    found.customer_id,
                    event_name(one.slug, one.meter),
                    one.quantity,
                    one.at + found.ahead,
                    identifier(one),
                )
                told.append(one)
        except Declined as refusal:
            log.error("billing_alarm", what="usage was refused", code=refusal.code, reason=str(refusal))
            return done + _settle(told)
        except Unanswered:
            _settle(told)
            raise
        done += _settle(told)


def identifier(event: UsageEvent) -> str:
    """Return the name under which an event is told, the same each time."""
    text = f"{event.tenant_id}:{event.slug}:{event.meter}:{event.event}"
    return f"kehu-{hashlib.sha256(text.encode()).hexdigest()}"


def waiting(session: Session) -> Waiting:
    """Return the next events to tell; what nothing is charged for, or what is too old, is settled here."""
    accounts = AccountService(session)
    account, running = accounts.find(), accounts.subscription()
    now = facts.now_of(facts.fact_of(context.tenant()))
    charged: set[str] = set()
    if running is not None and running.live and running.status in COUNTED and running.status != "trialing":
        charged = {one["slug"] for one in running.addons}
        kept = session.execute(select(Addon.slug).where(Addon.paid_until > now).limit(200)).scalars()
        charged |= set(kept)
    mine = UsageEvent.tenant_id == context.tenant().id
    free = update(UsageEvent).where(mine, UsageEvent.settled_at.is_(None), UsageEvent.slug.not_in(charged))
    session.execute(free.values(settled_at=clock.now()))
    late = update(UsageEvent).where(
        mine, UsageEvent.settled_at.is_(None), UsageEvent.at < clock.now() - OLDEST
    )
    lost = session.execute(late.values(settled_at=clock.now()).returning(UsageEvent.event)).all()
    if lost:
        log.error("billing_alarm", what="usage was too old to be told", events=len(lost))
    statement = select(UsageEvent).where(mine, UsageEvent.settled_at.is_(None)).order_by(UsageEvent.at)
    events = list(session.execute(statement.limit(AT_ONCE)).scalars())
    return Waiting(
        customer_id=(account.stripe_customer_id or "") if account is not None else "",
        ahead=dt.timedelta(seconds=account.clock_ahead if account is not None else 0),
        events=events,
    )


def _settle(events: Sequence[UsageEvent]) -> int:
    if events:
        keys = [(one.slug, one.meter, one.event) for one in events]
        with db.unit_of_work() as session:
            session.execute(
                update(UsageEvent)
                .where(
                    UsageEvent.tenant_id == context.tenant().id,
                    tuple_(UsageEvent.slug, UsageEvent.meter, UsageEvent.event).in_(keys),
                )
                .values(settled_at=clock.now(), charged=True)
            )
    return len(events)
