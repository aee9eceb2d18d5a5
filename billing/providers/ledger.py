"""A ledger that behaves as a provider would: the ground of the demo and of invoices that the operator writes.

It keeps its side in a row of its own and knows nothing of our mirror, so that what works here works with another
provider.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from billing import coupons, kinds, taxes
from billing.catalogue import INTERVALS, Plan, catalogue
from billing.facts import moment, written
from billing.models import DemoLedger
from billing.periods import next_end
from billing.phases import POLICY
from billing.providers import addons, counting, credits, told
from billing.providers.base import (
    Line,
    Outcome,
    Party,
    Preview,
    Wish,
    more_of,
    whole,
)
from billing.quantities import steps
from billing.snapshot import Snapshot
from kehu.core import clock
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.ids import new_id

_RUNNING = ("trialing", "active", "past_due")


class LedgerProvider:
    """A provider whose books are rows of ours.

    :param session: the unit of work of the firm; the ledger is one of its rows.
    """

    name = "ledger"
    self_service = True
    pays_at_once = True
    """Whether what is ordered is paid in the same moment; else an invoice waits for its money."""
    first_status = "incomplete"
    gives_up: dt.timedelta | None = dt.timedelta(days=30)
    """After so long an unpaid renewal ends the subscription."""
    lead = dt.timedelta(0)

    def __init__(self, session: Session) -> None:
        self.session = session
        self._row: DemoLedger | None = None

    # --- what every provider does -----------------------------------------------------------------------------

    def preview(self, party: Party, wish: Wish, at: dt.datetime | None = None) -> Preview:
        """Return what a wish costs."""
        state = self._state()
        at = at or self.now()
        sub = self._live(state)
        if sub is None:
            return self._first(party, wish, at)
        held = sub.get("coupon")
        if later(sub, wish):
            ends = moment(sub["period_end"])
            return self._reckoned(party, wish, (), at, ends, held, later=ends)
        lines = () if sub["status"] == "trialing" else self._difference(sub, party, wish, at)
        ends = moment(sub["period_end"])
        if sub["interval"] != wish.interval and sub["status"] != "trialing":
            ends = next_end(at, INTERVALS[wish.interval], at)
        return self._reckoned(party, wish, lines, at, ends, held)

    def order(self, party: Party, wish: Wish, at: dt.datetime) -> Outcome:
        """Bring the subscription to a wish."""
        state = self._state()
        sub = self._live(state)
        preview = self.preview(party, wish, at)
        if sub is None:
            return self._subscribe(state, party, wish, preview)
        if later(sub, wish):
            sub["pending"] = waits(sub, wish)
            return self._done()
        if preview.total > 0 and state.get("fails"):
            # As with a pending update that is not paid: the subscription stays as it was.
            return Outcome(state="refused", reason=_("The payment failed; nothing was changed."))
        if sub["interval"] != wish.interval and sub["status"] != "trialing":
            counting.settle(self.session, sub, self._before(at))
            sub["anchor"] = sub["period_start"] = written(at)
            sub["period_end"] = written(next_end(at, INTERVALS[wish.interval], at))
        counting.begin(self.session, sub, wish)
        sub |= {
            "plan": wish.plan.ref,
            "interval": wish.interval,
            "seats": wish.seats,
            "addons": [one.plain(wish.seats) for one in wish.addons],
            "pending": sub["pending"] if same_plan(sub, wish) else None,
        }
        if preview.lines:
            self._bill(state, party, preview, at, paid=self.pays_at_once)
        return self._done()

    def cancel(self, party: Party) -> Outcome:
        """End the subscription with its period; one whose first payment is open ends at once."""
        state = self._state()
        sub = self._need(state, "incomplete", *_RUNNING)
        if sub["status"] == "incomplete":
            sub |= {"status": "incomplete_expired", "stopped_at": written(self.now())}
            self._void_open(state)
        else:
            sub["cancel_at"], sub["pending"] = sub["period_end"], None
        return self._done()

    def undo_cancel(self, party: Party) -> Outcome:
        """Let a cancelled subscription go on."""
        self._need(self._state(), *_RUNNING)["cancel_at"] = None
        return self._done()

    def call_off(self, party: Party) -> Outcome:
        """Call a change off that waits for the end of the period."""
        self._need(self._state(), *_RUNNING)["pending"] = None
        return self._done()

    def carry_out(self, party: Party) -> Outcome:
        """Leave it to the end of the period, at which the ledger makes the change by itself."""
        return Outcome(state="done")

    def pay_open(self, party: Party) -> Outcome:
        """Pay what is open, unless payments are meant to fail."""
        state = self._state()
        if state.get("fails"):
            return Outcome(state="refused", reason=_("The payment failed; the invoice stays open."))
        for invoice in state["invoices"]:
            if invoice["status"] == "open":
                credits.pay(state, invoice, self.now())
        sub = self._live(state)
        if sub is not None and sub["status"] in ("incomplete", "past_due"):
            sub["status"] = "active"
        return self._done()

    def give_back(self, invoice_id: str, amount: int, *, refund: bool, reason: str, note_id: str) -> Outcome:
        """Write a credit note on an invoice; the amount was checked before."""
        state = self._state()
        invoice = next(one for one in state["invoices"] if one["id"] == invoice_id)
        number, now = self._note_number(state, self.now()), self.now()
        credits.give_back(
            state, invoice, amount, now, refund=refund, reason=reason, note_id=note_id, number=number
        )
        return self._done()

    def fetch(self, party: Party) -> Snapshot:
        """Return all that is known now, after what time has brought."""
        state = self._state()
        self._advance(state, party)
        self._done()
        return Snapshot(
            customer_id=str(party.tenant_id),
            subscriptions=tuple(told.subscription(sub) for sub in state["subs"]),
            invoices=tuple(
                told.invoice(invoice, credits.due(state, invoice)) for invoice in state["invoices"]
            ),
            credit_notes=credits.notes(state),
            refunds=credits.refunds(state),
            ahead=int(state["ahead"]),
        )

    def now(self) -> dt.datetime:
        """Return the time on the ledger's clock."""
        return clock.now() + dt.timedelta(seconds=self._state()["ahead"])

    # --- the ledger -------------------------------------------------------------------------------------------

    def _state(self) -> dict[str, Any]:
        if self._row is None:
            self._row = self.session.execute(select(DemoLedger)).scalar_one_or_none()
        if self._row is None:
            self._row = DemoLedger(
                state={"subs": [], "invoices": [], "ahead": 0, "number": 0, "fails": False}
            )
            self.session.add(self._row)
        return self._row.state

    def _done(self) -> Outcome:
        assert self._row is not None
        flag_modified(self._row, "state")
        self.session.flush()  # The next look at it may come by a statement.
        return Outcome(state="done")

    @staticmethod
    def _live(state: Mapping[str, Any]) -> dict[str, Any] | None:
        return next((sub for sub in state["subs"] if sub["status"] in ("incomplete", *_RUNNING)), None)

    def _need(self, state: Mapping[str, Any], *statuses: str) -> dict[str, Any]:
        sub = self._live(state)
        if sub is None or sub["status"] not in statuses:
            raise Conflict(_("There is no subscription that this could change. Load the page again."))
        return sub

    def _first(self, party: Party, wish: Wish, at: dt.datetime) -> Preview:
        held = coupons.granted(wish.coupon, at)
        if party.trial_ends_at is not None and party.trial_ends_at > at:
            return self._reckoned(party, wish, (), at, party.trial_ends_at, held)
        return self._reckoned(party, wish, period(wish), at, next_end(at, INTERVALS[wish.interval], at), held)

    def _difference(
        self, sub: Mapping[str, Any], party: Party, wish: Wish, at: dt.datetime
    ) -> tuple[Line, ...]:
        """Return what a change costs for the rest of the period, to the second."""
        start, end = moment(sub["period_start"]), moment(sub["period_end"])
        assert start is not None
        assert end is not None
        rest = Fraction(int((end - at).total_seconds()), int((end - start).total_seconds()))
        before = self._wish_of(sub, wish.currency)
        # Another interval ends the period: what was counted in it is due.
        counted = (
            () if sub["interval"] == wish.interval else counting.counted(self.session, sub, self._before(at))
        )
        return (
            *self._plan_lines(sub, party, wish, rest),
            *addons.difference(before, wish, party.addon_floors, rest),
            *counted,
        )

    @staticmethod
    def _plan_lines(sub: Mapping[str, Any], party: Party, wish: Wish, rest: Fraction) -> tuple[Line, ...]:
        plan = _plan(sub["plan"])
        if plan.ref == wish.plan.ref and sub["interval"] == wish.interval:
            more = [step for step in steps(sub["seats"], party.paid_floor, wish.seats) if step.charge]
            if not more:
                return ()
            before = max(sub["seats"], min(party.paid_floor, wish.seats))
            price = plan.price(wish.interval, wish.currency) * rest
            return (more_of("more_seats", plan.ref, price, before, more[0].quantity),)
        unused = -plan.price(sub["interval"], sub["currency"]) * sub["seats"] * rest
        new = wish.plan_net * (rest if sub["interval"] == wish.interval else Fraction(1))
        return (
            Line(code="unused", plan=plan.ref, seats=sub["seats"], amount=whole(unused), parts=(unused,)),
            Line(code="plan", plan=wish.plan.ref, seats=wish.seats, amount=whole(new), parts=(new,)),
        )

    def _before(self, end: dt.datetime) -> dt.datetime | None:
        """Return the end of a period on the clock by which plugins count; all there is, where time was let pass."""
        return None if self._state()["ahead"] else end

    def _wish_of(self, sub: Mapping[str, Any], currency: str) -> Wish:
        """Return what a subscription brings now, at the prices that it was bought for."""
        return Wish(
            plan=_plan(sub["plan"]),
            interval=sub["interval"],
            currency=currency,
            seats=sub["seats"],
            addons=addons.held(self.session, sub.get("addons") or (), sub["interval"], currency),
        )

    def _summed(
        self, lines: tuple[Line, ...], held: Mapping[str, Any] | None, at: dt.datetime, rate: Decimal
    ) -> tuple[tuple[Line, ...], int, int]:
        """Return the lines with what a coupon takes off, their sum, and the tax on it."""
        lines = coupons.lines(lines, held, at)
        net = sum(line.amount for line in lines)
        return lines, net, taxes.tax_on(net, rate)

    def _rate(self, party: Party) -> tuple[Decimal, str]:
        """Return the rate in percent and the code of its reason."""
        return taxes.rate_of(party.country, party.tax_id_state)

    def _reckoned(
        self,
        party: Party,
        wish: Wish,
        lines: tuple[Line, ...],
        at: dt.datetime,
        next_at: dt.datetime | None,
        held: Mapping[str, Any] | None,
        later: dt.datetime | None = None,
    ) -> Preview:
        rate, note = self._rate(party)
        lines, net, tax = self._summed(lines, held, at, rate)
        next_net = wish.period_net - coupons.off(wish.period_net, held, next_at or at)
        return Preview(
            currency=wish.currency,
            lines=lines,
            net=net,
            tax=tax,
            total=net + tax,
            tax_note=note,
            next_net=next_net,
            next_total=next_net + taxes.tax_on(next_net, rate),
            next_at=next_at,
            at=at,
            later=later,
        )

    def _subscribe(self, state: dict[str, Any], party: Party, wish: Wish, preview: Preview) -> Outcome:
        at = preview.at
        trial = not preview.lines
        kinds.mark(self.session)
        sub: dict[str, Any] = {
            "id": f"{self.name}_sub_{new_id().hex}",
            "status": "trialing" if trial else self.first_status,
            "plan": wish.plan.ref,
            "interval": wish.interval,
            "currency": wish.currency,
            "seats": wish.seats,
            "addons": [one.plain(wish.seats) for one in wish.addons],
            "counts": {one.slug: one.version for one in wish.addons},
            "started_at": written(at),
            "anchor": written(preview.next_at if trial else at),
            "period_start": written(at),
            "period_end": written(preview.next_at),
            "cancel_at": None,
            "stopped_at": None,
            "pending": None,
            "coupon": coupons.granted(wish.coupon, at),
            "by_invoice": not self.pays_at_once,
        }
        state["subs"].append(sub)
        if not trial and self._bill(state, party, preview, at, paid=False) == "paid":
            sub["status"] = "active"  # Nothing is left to be paid.
        self._done()
        return Outcome(state="needs_action" if sub["status"] == "incomplete" else "done")

    def _bill(
        self, state: dict[str, Any], party: Party, preview: Preview, at: dt.datetime, *, paid: bool
    ) -> str:
        """Write an invoice and return its status: one that the firm's credit covers is paid at once."""
        state["number"] += 1
        due = self._due(at)
        made: dict[str, Any] = {
            "id": f"{self.name}_in_{new_id().hex}",  # Like none of a ledger that this firm had before.
            "number": self._number(state, at),
            "due_at": written(due),
            "status": "paid" if paid else "open",
            "currency": preview.currency,
            "net": preview.net,
            "tax": preview.tax,
            "total": preview.total,
            "paid": preview.total if paid else 0,
            "tax_note": preview.tax_note,
            "made_at": written(at),
            "paid_at": written(at) if paid else None,
            "lines": [line.plain() for line in preview.lines],
            "buyer": {
                "name": party.name,
                "address": party.address,
                "country": party.country,
                "tax_id": party.tax_id,
            },
        }
        credits.use_credit(state, made)
        state["invoices"].append(made)
        return str(made["status"])

    def _note_number(self, state: Mapping[str, Any], at: dt.datetime) -> str:
        """Return the number of the next credit note."""
        return f"{self.name.upper()}-C{len(state.get('notes', ())) + 1:04d}"

    def _number(self, state: Mapping[str, Any], at: dt.datetime) -> str:
        """Return the number of the next invoice."""
        return f"{self.name.upper()}-{state['number']:04d}"

    def _due(self, at: dt.datetime) -> dt.datetime | None:
        """Return when an invoice has to be paid, if later than at once."""
        return None

    @staticmethod
    def _void_open(state: dict[str, Any]) -> None:
        for invoice in state["invoices"]:
            if invoice["status"] == "open":
                credits.void(state, invoice)

    # --- what time brings -------------------------------------------------------------------------------------

    def _advance(self, state: dict[str, Any], party: Party) -> None:
        """Renew, end or give up what is due by the demo's clock."""
        now = self.now()
        sub = self._live(state)
        while sub is not None:
            if sub["status"] == "incomplete":
                started = moment(sub["started_at"])
                if started is None or now < started + POLICY.confirming:
                    return
                sub |= {"status": "incomplete_expired", "stopped_at": written(now)}
                self._void_open(state)
                return
            due = min(
                (moment(one["made_at"]) or now for one in state["invoices"] if one["status"] == "open"),
                default=now,
            )
            end = moment(sub["period_end"])
            assert end is not None
            limit = due + self.gives_up if self.gives_up is not None else None
            if sub["status"] == "past_due" and limit is not None and limit <= min(now, end):
                self._stop(state, sub, limit)
                return
            if end > now:
                return
            if sub["cancel_at"]:
                counted = counting.counted(self.session, sub, self._before(end))
                counting.settle(self.session, sub, self._before(end))
                self._stop(state, sub, end)
                if counted:  # The bill of what was counted in the last period.
                    wish = self._wish_of(sub, sub["currency"])
                    bill = self._reckoned(party, wish, counted, end, None, sub.get("coupon"))
                    self._bill(state, party, bill, end, paid=self.pays_at_once and not state.get("fails"))
                return
            self._renew(state, sub, party, end)

    def _stop(self, state: Mapping[str, Any], sub: dict[str, Any], at: dt.datetime) -> None:
        sub |= {"status": "canceled", "stopped_at": written(at)}
        for invoice in state["invoices"]:
            if invoice["status"] == "open":
                invoice["status"] = "uncollectible"

    def _renew(self, state: dict[str, Any], sub: dict[str, Any], party: Party, end: dt.datetime) -> None:
        counted = counting.counted(self.session, sub, self._before(end))
        counting.settle(self.session, sub, self._before(end))
        if sub["pending"]:
            sub |= {key: value for key, value in sub["pending"].items() if key in sub and value is not None}
            sub |= {"pending": None, "anchor": written(end)}
        wish = self._wish_of(sub, sub["currency"])
        sub["addons"] = [one.plain(wish.seats) for one in wish.addons]
        anchor = moment(sub["anchor"])
        assert anchor is not None
        sub["period_start"] = written(end)
        sub["period_end"] = written(next_end(anchor, INTERVALS[wish.interval], end))
        lines = (*period(wish), *counted)
        paid = self.pays_at_once and not state.get("fails")
        bill = self._reckoned(party, wish, lines, end, None, sub.get("coupon"))
        if self._bill(state, party, bill, end, paid=paid) == "open" and self.pays_at_once:
            sub["status"] = "past_due"
        elif sub["status"] == "trialing":
            sub["status"] = "active"


def period(wish: Wish) -> tuple[Line, ...]:
    """Return the lines of a whole period."""
    seats = Line(code="seats", plan=wish.plan.ref, seats=wish.seats, amount=wish.plan_net)
    return (seats, *(addons.line("addon", one, wish.seats) for one in wish.addons))


def later(sub: Mapping[str, Any], wish: Wish) -> bool:
    """Tell whether a wish waits for the end of the period: a smaller plan, or months instead of a year."""
    if sub["status"] == "trialing":
        return False
    if sub["interval"] == wish.interval:
        return wish.plan.price(wish.interval, wish.currency) < _plan(sub["plan"]).price(
            wish.interval, wish.currency
        )
    return INTERVALS[wish.interval] < INTERVALS[str(sub["interval"])]


def same_plan(sub: Mapping[str, Any], wish: Wish) -> bool:
    """Tell whether a wish is about seats alone; a smaller plan that waits goes on waiting then."""
    return (sub["plan"], sub["interval"]) == (wish.plan.ref, wish.interval)


def waits(sub: Mapping[str, Any], wish: Wish) -> dict[str, Any]:
    """Return a wish as it waits for the end of the period; a number of seats that stays is not fixed by it."""
    return {
        "plan": wish.plan.ref,
        "interval": wish.interval,
        "seats": wish.seats if wish.seats != sub["seats"] else None,
        "at": sub["period_end"],
    }


def _plan(ref: str) -> Plan:
    found = catalogue().plan(ref)
    if found is None:
        raise Conflict(_("The plan %(plan)s is not in the catalogue any more.", plan=ref))
    return found
