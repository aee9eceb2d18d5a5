"""What a provider says of one customer, as plain data: the only shape in which it reaches the mirror."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionState:
    """A subscription now.

    :param plan: the version of a plan as the catalogue names it; empty for a price that nobody knows.
    :param seats: the quantity of the item that stands for seats.
    :param pending: the plan and seats that wait for the end of the period.
    """

    provider_id: str
    status: str
    plan: str
    interval: str
    currency: str
    seats: int
    started_at: dt.datetime
    by_invoice: bool = False
    period_start: dt.datetime | None = None
    period_end: dt.datetime | None = None
    cancel_at: dt.datetime | None = None
    stopped_at: dt.datetime | None = None
    pending: Mapping[str, Any] | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoiceState:
    """An invoice now; amounts in minor units of its currency."""

    provider_id: str
    status: str
    currency: str
    net: int
    tax: int
    total: int
    paid: int
    made_at: dt.datetime
    number: str = ""
    tax_note: str = ""
    due_at: dt.datetime | None = None
    paid_at: dt.datetime | None = None
    lines: tuple[Mapping[str, Any], ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One customer now: all subscriptions, the open and the recent invoices.

    :param gone: the customer was deleted at the provider.
    :param ahead: seconds that the customer's own clock (a test clock) runs ahead of ours.
    """

    customer_id: str
    subscriptions: tuple[SubscriptionState, ...] = ()
    invoices: tuple[InvoiceState, ...] = ()
    gone: bool = False
    ahead: int = 0
