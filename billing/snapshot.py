"""What a provider says of one customer, as plain data: the only shape in which it reaches the mirror."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class AddonState:
    """A paid add-on of a subscription now.

    :param version: of its price.
    :param per: firm or seat.
    """

    slug: str
    version: int
    per: str
    quantity: int
    item: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as rows hold it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionState:
    """A subscription now.

    :param plan: the version of a plan as the catalogue names it; empty for a price that nobody knows.
    :param seats: the quantity of the item that stands for seats.
    :param pending: the plan and seats that wait for the end of the period.
    :param coupon: code, percent and until when, of the coupon that it holds.
    :param tells_pending: whether the provider knows what waits; else we keep what we noted ourselves.
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
    coupon: Mapping[str, Any] | None = None
    tells_pending: bool = True
    addons: tuple[AddonState, ...] = ()
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
    due: int = 0
    number: str = ""
    tax_note: str = ""
    due_at: dt.datetime | None = None
    paid_at: dt.datetime | None = None
    lines: tuple[Mapping[str, Any], ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CreditNoteState:
    """A credit note now; amounts in minor units, above nought.

    :param request_id: the request that asked for it, when it was one of ours.
    """

    provider_id: str
    invoice_id: str
    number: str
    status: str
    currency: str
    net: int
    tax: int
    total: int
    made_at: dt.datetime
    refunded: int = 0
    tax_note: str = ""
    reason: str = ""
    request_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RefundState:
    """Money that went back."""

    provider_id: str
    status: str
    currency: str
    amount: int
    made_at: dt.datetime
    credit_note_id: str = ""
    charge_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeState:
    """A payment that the payer's bank took back, or asks about."""

    provider_id: str
    charge_id: str
    status: str
    reason: str
    currency: str
    amount: int
    made_at: dt.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """One customer now: all subscriptions, the open and the recent invoices, what was given or taken back.

    :param tax_id: what the provider prints on invoices, and how far it is checked; empty where it has none.
    :param gone: the customer was deleted at the provider.
    :param ahead: seconds that the customer's own clock (a test clock) runs ahead of ours.
    """

    customer_id: str
    subscriptions: tuple[SubscriptionState, ...] = ()
    invoices: tuple[InvoiceState, ...] = ()
    credit_notes: tuple[CreditNoteState, ...] = ()
    refunds: tuple[RefundState, ...] = ()
    disputes: tuple[DisputeState, ...] = ()
    tax_id: str = ""
    tax_id_state: str = ""
    gone: bool = False
    ahead: int = 0
