"""The words in which operations speak to Stripe: plain data. Nothing of it is called while a transaction is open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flask import current_app

from billing.quantities import QuantityStep
from billing.snapshot import Snapshot
from billing.taxes import Treatment

EXTENSION = "kehu.billing.provider"


class Unanswered(Exception):
    """Raised when the provider did not answer, or not now: the same may be asked again with the same key.

    :param stored: the provider failed and will repeat that failure for this key: look first, then ask with a new one.
    """

    def __init__(self, message: str, *, stored: bool = False) -> None:
        super().__init__(message)
        self.stored = stored


class Declined(Exception):
    """Raised when the provider said no; `code` is its own word for why."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class Buyer:
    """The firm as a customer.

    :param customer_id: the provider's id; empty until the first purchase.
    :param tax: how it is taxed.
    :param tax_kind: what Stripe calls the kind of its tax id; empty where it knows none for the country.
    """

    tenant_id: str
    name: str
    email: str
    country: str = ""
    customer_id: str = ""
    locale: str = ""
    address: str = ""
    tax_id: str = ""
    tax_kind: str = ""
    tax: Treatment = field(default_factory=Treatment)

    @property
    def told(self) -> str:
        """What Stripe has to know of the firm's tax, to be compared with what it was told last."""
        how = self.tax
        return f"{how.automatic}|{how.rate}|{how.reverse}|{self.country}|{self.tax_kind}|{self.tax_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class WantedAddon:
    """A paid add-on that is wanted.

    :param price_key: the name by which the provider knows its price.
    :param meters: the names of the prices of what it counts.
    """

    slug: str
    price_key: str
    quantity: int
    meters: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveAddon:
    """The item of an add-on of the subscription that runs.

    :param marked: whether its metadata names the plugin.
    """

    slug: str
    item_id: str
    quantity: int
    price_id: str
    marked: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What somebody asks for: a version of a plan, how it is paid, and a number of seats, always in full.

    :param price_key: the name by which the provider knows the price of a seat.
    :param addons: all that are wanted; None leaves them as they are.
    :param coupon: the name by which it knows the coupon of a first order.
    """

    plan: str
    interval: str
    currency: str
    seats: int
    price_key: str
    coupon: str = ""
    trial_until: dt.datetime | None = None
    addons: tuple[WantedAddon, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Live:
    """The subscription that runs, with the item that stands for seats.

    :param trialing: nothing is charged before the trial has ended, whatever is changed.
    :param since: when its period began.
    :param meters: the items of what add-ons count: (slug, meter) -> ids of item and price.
    """

    subscription_id: str
    item_id: str
    seats: int
    plan: str
    trialing: bool = False
    interval: str = ""
    since: dt.datetime | None = None
    addons: tuple[LiveAddon, ...] = ()
    meters: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a change costs now, in minor units; `at` is handed back with the change, so that it costs the same."""

    currency: str
    net: int
    tax: int
    total: int
    due: int
    at: int
    lines: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a request.

    :param state: done; or needs_action, and `url` is where a person goes on.
    :param page: the provider's name for a page on which something is paid, and `until` when that page closes.
    """

    state: str
    url: str = ""
    page: str = ""
    until: dt.datetime | None = None


class Provider(Protocol):
    """Who takes the money."""

    def customer(self, buyer: Buyer, key: str) -> str:
        """Make the customer, once for each key, and return its id."""

    def details(self, buyer: Buyer, key: str) -> str:
        """Tell the customer's name, address, tax id and exemption; return how the tax id stands."""

    def tax(self, live: Live, buyer: Buyer) -> None:
        """Tax a running subscription as its buyer is taxed now; what was billed stays as it is."""

    def preview(
        self,
        buyer: Buyer,
        wanted: Wanted,
        live: Live | None,
        steps: Sequence[QuantityStep] = (),
        at: int | None = None,
    ) -> Preview:
        """Return what it would cost now, or at the moment of an earlier preview."""

    def subscribe(self, buyer: Buyer, wanted: Wanted, key: str, back: str) -> Outcome:
        """Open the way to the first payment; the person comes back to an address that begins with `back`."""

    def abandon(self, buyer: Buyer, page: str) -> Outcome:
        """Close the page of the first payment and what waits for it; what was paid already stays paid."""

    def change(self, live: Live, wanted: Wanted, steps: Sequence[QuantityStep], key: str, at: int) -> Outcome:
        """Set plan and seats, step by step; what is charged and not paid changes nothing yet."""

    def swap(self, live: Live, wanted: Wanted, key: str, *, late: bool) -> Outcome:
        """Set plan and seats for the next period, which costs nothing now.

        :param late: that period has begun: it is reckoned anew from its first day, so that it costs what was promised.
        """

    def cancel(self, live: Live, key: str) -> Outcome:
        """End it with the period that is paid."""

    def undo_cancel(self, live: Live, key: str) -> Outcome:
        """Let it go on after all."""

    def card(self, buyer: Buyer, key: str, back: str) -> str:
        """Return where another card is given; no card ever touches us."""

    def papers(self, buyer: Buyer, back: str) -> str:
        """Return where the provider keeps card, tax id and invoices for the customer."""

    def came_back(self, customer_id: str, session_id: str) -> bool:
        """Take over what a page of Stripe ended with, if it was this customer's."""

    def pay(self, invoice_id: str, key: str) -> Outcome:
        """Try again to collect an open invoice."""

    def give_back(
        self,
        invoice_id: str,
        amount: int,
        key: str,
        *,
        refund: bool,
        paid: bool,
        reason: str,
        request_id: str,
    ) -> Outcome:
        """Write a credit note on an invoice; what was paid goes back to the payer or is kept as credit."""

    def end(self, live: Live, key: str) -> Outcome:
        """End it at once, without giving anything back."""

    def count(self, customer_id: str, meter: str, value: int, at: dt.datetime, identifier: str) -> None:
        """Tell what an add-on counted; the same identifier counts once."""

    def fetch(self, customer_id: str) -> Snapshot:
        """Return everything about a customer as it is now."""


def provider() -> Provider:
    """Return the provider of this installation."""
    found: Provider = current_app.extensions[EXTENSION]
    return found
