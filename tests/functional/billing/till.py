"""A firm at the counter of the demo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from billing import facts
from billing.accounts import AccountService
from billing.models import Account, Invoice, Subscription
from billing.phases import Phase
from billing.providers.base import Preview
from billing.providers.demo import DemoProvider
from billing.purchases import PurchaseService
from billing.seats import SeatService
from kehu.core import clock, context
from kehu.testkit.fixtures import Shop

DAY = dt.timedelta(days=1)


@dataclass
class Till:
    """A firm at the counter of the demo."""

    shop: Shop
    session: Any
    service: PurchaseService
    provider: DemoProvider

    def buy(
        self,
        plan: str = "team",
        interval: str = "month",
        seats: int = 3,
        currency: str = "",
        code: str = "",
    ) -> Preview:
        """Look at a price and order it."""
        wish = self.service.wish(plan, interval, str(seats), currency, code)
        shown = self.service.preview(wish)
        self.outcome = self.service.order(wish, shown.at, shown.total)
        return shown

    def subscribed(self, **wish: Any) -> None:
        """End the trial, order and pay."""
        end_trial(self.session)
        self.buy(**wish)
        self.service.pay_open()

    def pass_time(self, span: dt.timedelta | None = None) -> Phase:
        """Let time pass, by default to the end of the period, and look."""
        if span is None:
            self.provider.to_period_end(None)
        else:
            self.provider.run_ahead(span)
        return self.service.check().phase

    @property
    def account(self) -> Account:
        return AccountService(self.session).lock()

    @property
    def subscription(self) -> Subscription:
        found = AccountService(self.session).subscription()
        assert found is not None
        return found

    @property
    def phase(self) -> Phase:
        return facts.standing(context.tenant()).phase

    def invoices(self) -> list[Invoice]:
        return list(self.session.execute(select(Invoice).order_by(Invoice.made_at, Invoice.number)).scalars())


def end_trial(session: Any) -> None:
    service = AccountService(session)
    account = service.lock()
    account.trial_ends_at = clock.now() - DAY
    service.refresh(account)


@contextmanager
def at_the_till(shop: Shop) -> Iterator[Till]:
    with shop.work() as session:
        provider = DemoProvider(session)
        SeatService(session).locked()
        yield Till(shop, session, PurchaseService(session, provider), provider)
        shop.tenant = context.tenant()
