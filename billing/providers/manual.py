"""Invoices by the operator: paid by bank transfer, numbered without gaps, reckoned by their due dates."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from billing import kinds, numbers
from billing.facts import moment, written
from billing.providers import credits
from billing.providers.base import Line, Outcome, Party, Preview
from billing.providers.ledger import LedgerProvider
from kehu.core.errors import NotFound
from kehu.core.i18n import _

DUE_WITHIN = dt.timedelta(days=14)


class ManualProvider(LedgerProvider):
    """The provider of the mode manual: the operator orders for a firm and notes what was paid."""

    name = "manual"
    self_service = False
    pays_at_once = False
    first_status = "active"
    gives_up = None

    def note_paid(self, number: str, at: dt.datetime) -> Outcome:
        """Note that an invoice was paid.

        :raises NotFound: when the firm has no open invoice of this number.
        """
        state = self._state()
        for invoice in state["invoices"]:
            if invoice["number"] == number and invoice["status"] == "open":
                credits.pay(state, invoice, at)
                return self._done()
        raise NotFound(_("There is no open invoice %(number)s.", number=number))

    def set_end(self, until: dt.datetime) -> Outcome:
        """Let the present period end on another day."""
        sub = self._need(self._state(), "trialing", "active", "past_due")
        sub["period_end"] = sub["anchor"] = written(until)
        if sub["status"] == "trialing":
            sub["status"] = "active"  # The period that was agreed has begun.
        return self._done()

    def billed(self, request_id: uuid.UUID) -> str | None:
        """Return the number of the invoice that was written for a request, if one was."""
        found = (one for one in self._state()["invoices"] if one.get("request") == str(request_id))
        return next((str(one["number"]) for one in found), None)

    def bill(self, party: Party, text: str, net: int, request_id: uuid.UUID) -> str:
        """Write an invoice of one line in the operator's words, and return its number.

        :param net: in minor units, without tax.
        :param request_id: by which `billed` finds it again.
        """
        state, at = self._state(), self.now()
        rate, note = self._rate(party)
        lines, net, tax = self._summed((Line(code="text", plan=text, seats=1, amount=net),), None, at, rate)
        wanted = Preview(
            currency=party.currency,
            lines=lines,
            net=net,
            tax=tax,
            total=net + tax,
            tax_note=note,
            next_net=0,
            next_total=0,
            next_at=None,
            at=at,
        )
        kinds.mark(self.session)
        self._bill(state, party, wanted, at, paid=False)
        state["invoices"][-1]["request"] = str(request_id)
        self._done()
        return str(state["invoices"][-1]["number"])

    def void(self, number: str) -> Outcome:
        """Call an invoice off; its number stays used.

        :raises NotFound: when the firm has no open invoice of this number.
        """
        state = self._state()
        for invoice in state["invoices"]:
            if invoice["number"] == number and invoice["status"] == "open":
                credits.void(state, invoice)
                return self._done()
        raise NotFound(_("There is no open invoice %(number)s.", number=number))

    def _number(self, state: Mapping[str, Any], at: dt.datetime) -> str:
        return numbers.take(self.session, at.year)

    def _note_number(self, state: Mapping[str, Any], at: dt.datetime) -> str:
        return numbers.take(self.session, at.year, numbers.CREDIT_NOTES)

    def _due(self, at: dt.datetime) -> dt.datetime | None:
        return at + DUE_WITHIN

    def _advance(self, state: dict[str, Any], party: Party) -> None:
        super()._advance(state, party)
        sub = self._live(state)
        if sub is None or sub["status"] == "trialing":  # Nothing of it is due before the first bill.
            return
        now = self.now()
        due = [moment(one["due_at"]) for one in state["invoices"] if one["status"] == "open"]
        late = any(day is not None and day < now for day in due)
        sub["status"] = "past_due" if late else "active"
