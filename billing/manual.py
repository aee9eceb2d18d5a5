"""What the operator does for a firm in the mode manual, each with its reason in the firm's trail."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.addons import AddonService
from billing.phases import Standing
from billing.providers.manual import ManualProvider
from billing.purchases import PurchaseService
from kehu.core.errors import Forbidden


class ManualService:
    """Order, note payments and end for the present tenant, as the operator."""

    def __init__(self, session: Session) -> None:
        self.purchases = PurchaseService(session)
        provider = self.purchases.provider
        if not isinstance(provider, ManualProvider):
            raise Forbidden("KEHU_BILLING_MODE is not manual.")
        self.provider = provider
        self.accounts = AccountService(session)

    def set_plan(
        self, plan: str, interval: str, seats: int, reason: str, until: dt.datetime | None = None
    ) -> Standing:
        """Let a firm have a plan with so many seats from now on; an invoice is written for what is more.

        :param until: the end of the present period, when it is not a month or a year from now.
        """
        wish = self.purchases.wish(plan, interval, str(seats))
        shown = self.purchases.preview(wish)
        self.purchases.order(wish, shown.at, shown.total)
        if until is not None:
            self.provider.set_end(until)
        return self._done("plan", [f"{wish.plan.ref} {interval} x {seats}", reason])

    def set_addon(self, slug: str, on: bool, reason: str) -> Standing:
        """Put a paid add-on on a firm's bill, or take it off; an invoice is written for the rest of the period."""
        service = AddonService(self.purchases.session)
        if on:
            _wish, shown = service.preview(slug)
            service.buy(slug, shown.at, shown.total)
            service.switch_on(slug)
        else:
            service.remove(slug)
        return self._done("addon", [f"{slug} {'on' if on else 'off'}", reason])

    def paid(self, number: str, at: dt.datetime, reason: str) -> Standing:
        """Note that an invoice was paid; writing works again at once."""
        self.provider.note_paid(number, at)
        return self._done("paid", [number, reason])

    def bill(self, text: str, net: int, reason: str, *, request_id: uuid.UUID) -> str:
        """Write an invoice in the operator's own words and return its number; it changes nothing of the plan.

        :param net: in minor units of the firm's currency, without tax.
        :param request_id: a second press of the button is the same request, and one invoice.
        """
        account = self.accounts.lock()
        number = self.provider.billed(request_id)
        if number is not None:
            return number
        number = self.provider.bill(self.purchases.party(account), text, net, request_id)
        self._done("bill", [f"{number}: {text}", reason])
        return number

    def void(self, number: str, reason: str) -> Standing:
        """Call an invoice off; its number stays used."""
        self.provider.void(number)
        return self._done("void", [number, reason])

    def end(self, reason: str) -> Standing:
        """End the subscription with its period."""
        self.purchases.cancel()
        return self._done("end", ["", reason])

    def _done(self, what: str, change: list[str]) -> Standing:
        self.accounts.note("operator", {what: list(change)})
        return self.purchases.check()
