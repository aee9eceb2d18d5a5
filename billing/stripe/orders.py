"""The mode stripe as the page of plan and seats knows a provider: what is ordered becomes an operation.

Prices are reckoned from the mirror as in the other modes, so that no page waits for Stripe. The worker asks Stripe
what the same change costs before it makes it, and calls it off when the two differ.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from flask import request
from sqlalchemy import select

from billing import coupons, facts, taxes, usage
from billing.accounts import AccountService
from billing.addon_prices import lookup_key, meter_keys
from billing.facts import moment, written
from billing.models import Account, Invoice, Subscription
from billing.phases import Buy
from billing.providers.base import Line, Outcome, Party, Wish
from billing.providers.ledger import LedgerProvider, later, same_plan, waits
from billing.snapshot import AddonState, Snapshot, SubscriptionState
from billing.stripe.models import Operation
from billing.stripe.operations import OPEN, OperationService
from kehu.core import clock, context, jobs
from kehu.core.errors import Conflict
from kehu.core.i18n import _

PAGE = "/settings/billing"
DUE = "billing.plans.due"
_FIELDS = (
    *("provider_id", "status", "plan", "interval", "currency", "seats", "by_invoice", "started_at"),
    *("period_start", "period_end", "cancel_at", "stopped_at", "pending", "coupon", "raw"),
)


class StripeOrders(LedgerProvider):
    """Orders to Stripe; its books are the mirror."""

    name = "stripe"
    lead = dt.timedelta(minutes=30)
    """Early enough that the next bill is that of the smaller plan, whatever the queue and Stripe are busy with."""

    def order(self, party: Party, wish: Wish, at: dt.datetime) -> Outcome:
        """Write the order down; the person waits on a page until Stripe has answered."""
        sub = self._live(self._state())
        service = OperationService(self.session)
        if sub is None:
            coupon = wish.coupon.provider_id if wish.coupon else ""
            made = service.subscribe(wish.plan, wish.interval, wish.seats, _back(), coupon)
            return self._waiting(made)
        if later(sub, wish):
            return self._wait(sub, wish)
        shown = self.preview(party, wish, at).total
        stamp = int(at.timestamp())
        addons = [
            one.plain(wish.seats)
            | {
                "key": lookup_key(one.slug, one.version, wish.interval, wish.currency),
                "paid": party.addon_floors.get(one.slug, 0),
                "meters": meter_keys(self.session, one.slug, one.version, wish.interval, wish.currency),
            }
            for one in wish.addons
        ]
        had = {one["slug"] for one in sub["addons"]} | set(party.addon_floors)
        for slug in set(wish.slugs) - had:
            usage.settle(self.session, slug)  # What it counted before it is paid for is free.
        made = service.change(wish.plan, wish.interval, wish.seats, stamp, shown=shown, addons=addons)
        if not same_plan(sub, wish):
            self._live_row().pending = None
        return self._waiting(made)

    def _wait(self, sub: Mapping[str, Any], wish: Wish) -> Outcome:
        """Remember a change for the end of the period; Stripe hears of it shortly before."""
        row, end = self._live_row(), moment(sub["period_end"])
        assert end is not None
        row.pending = waits(sub, wish)
        self.session.flush()  # The mirror is read by statements.
        span = max(end - self.lead - self.now(), dt.timedelta(0))
        jobs.enqueue(self.session, DUE, wait=span)
        return Outcome(state="done")

    def cancel(self, party: Party) -> Outcome:
        """End the subscription with its period; a first payment that is open is called off at once."""
        service = OperationService(self.session)
        first = facts.standing(context.tenant()).access.buy is Buy.FINISH
        if first:
            return self._waiting(service.abandon())
        made = service.cancel()
        self._live_row().pending = None
        return self._waiting(made)

    def undo_cancel(self, party: Party) -> Outcome:
        """Let a cancelled subscription go on."""
        return self._waiting(OperationService(self.session).cancel(undo=True))

    def call_off(self, party: Party) -> Outcome:
        """Forget the change that waits for the end of the period."""
        OperationService(self.session).keep()
        self._live_row().pending = None
        return Outcome(state="done")

    def carry_out(self, party: Party) -> Outcome:
        """Write the change down that waited; it goes on waiting while something else is under way."""
        service = OperationService(self.session)
        if service.open() is not None:
            return Outcome(state="refused")
        return self._waiting(service.later(self._live_row()))

    def pay_open(self, party: Party) -> Outcome:
        """Try the open invoice again, or lead to its page."""
        accounts = AccountService(self.session)
        found = accounts.open_invoices(accounts.subscription())
        if not found:
            raise Conflict(_("No invoice is open."))
        return self._waiting(OperationService(self.session).pay(found[0].provider_id))

    def fetch(self, party: Party) -> Snapshot:
        """Return what the mirror says: only the worker asks Stripe.

        Seats that are being given back are gone for newcomers at once, before Stripe knows of it.
        """
        fewer = self._fewer()
        states = []
        for row in self._rows():
            values = {name: getattr(row, name) for name in _FIELDS}
            values["addons"] = tuple(AddonState(**one) for one in row.addons)
            if row.live and fewer is not None:
                values["seats"] = min(row.seats, fewer)
            states.append(SubscriptionState(**values))
        account = self._account()
        return Snapshot(
            customer_id=account.stripe_customer_id or "",
            subscriptions=tuple(states),
            ahead=account.clock_ahead,
        )

    def now(self) -> dt.datetime:
        """Return the customer's time: that of a test clock, if it has one."""
        return clock.now() + dt.timedelta(seconds=self._account().clock_ahead)

    def _rate(self, party: Party) -> tuple[Decimal, str]:
        """Return the fixed rate; with Stripe Tax what it charged last, or before that the fixed rate as an estimate.

        The worker asks Stripe before anything is changed, and Checkout shows the sum before it is paid.
        """
        fixed, note = super()._rate(party)
        if not taxes.treatment(party.country, party.tax_id_state).automatic or note == "reverse":
            return fixed, note
        statement = select(Invoice.tax_note).where(Invoice.net > 0).order_by(Invoice.made_at.desc()).limit(1)
        last = self.session.execute(statement).scalar_one_or_none()
        if last is None or last == "reverse":
            return fixed, f"estimate:{fixed}"
        kind, _colon, rate = last.partition(":")
        return (Decimal(rate), last) if kind == "rate" else (Decimal(0), last)

    def _summed(
        self, lines: tuple[Line, ...], held: Mapping[str, Any] | None, at: dt.datetime, rate: Decimal
    ) -> tuple[tuple[Line, ...], int, int]:
        """Sum up as Stripe does: each part of a line is discounted, rounded and taxed by itself."""
        parts = [part for line in lines for part in line.parts or (Fraction(line.amount),)]
        nets = [coupons.left(part, held, at) for part in parts]
        less = sum(line.amount for line in lines) - sum(nets)
        lines = (*lines, *coupons.line(held, at, less))
        return lines, sum(nets), sum(taxes.tax_on(net, rate) for net in nets)

    def _fewer(self) -> int | None:
        statement = select(Operation.desired).where(Operation.state.in_(OPEN), Operation.kind == "change")
        desired = self.session.execute(statement).scalar_one_or_none()
        return int(desired["seats"]) if desired else None

    def _live_row(self) -> Subscription:
        statement = select(Subscription).where(Subscription.live.is_(True))
        row = self.session.execute(statement).scalar_one_or_none()
        if row is None:
            raise Conflict(_("There is no subscription that this could change. Load the page again."))
        return row

    def _account(self) -> Account:
        return self.session.execute(select(Account)).scalar_one()

    def _rows(self) -> list[Subscription]:
        return list(self.session.execute(select(Subscription).limit(1_000)).scalars())

    def _state(self) -> dict[str, Any]:
        """Return the mirror in the words of a ledger."""
        subs = [
            {
                "status": row.status,
                "plan": row.plan,
                "interval": row.interval,
                "currency": row.currency,
                "seats": row.seats,
                "addons": row.addons,
                "anchor": written(row.period_start),
                "period_start": written(row.period_start),
                "period_end": written(row.period_end),
                "cancel_at": written(row.cancel_at),
                "coupon": row.coupon,
            }
            for row in self._rows()
            if row.live and moment(written(row.period_end))
        ]
        return {"subs": subs, "invoices": [], "ahead": self._account().clock_ahead, "fails": False}

    @staticmethod
    def _waiting(made: Operation) -> Outcome:
        return Outcome(state="needs_action", url=waiting_page(made.id))


def waiting_page(operation_id: uuid.UUID, back: str = "", part: str = "") -> str:
    """Return the page that waits for an operation, or a part of it.

    :param back: where it leads once the order is carried out; to the page of the plan when empty.
    """
    return f"{PAGE}/orders/{operation_id}{part}" + (f"?{urlencode({'next': back})}" if back else "")


def _back() -> str:
    """Return the address to which Stripe's pages lead back."""
    return f"{request.host_url.rstrip('/')}{PAGE}/back"
