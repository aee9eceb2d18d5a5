"""What every provider can do, and the plain data that passes between it and us.

A provider never sees a row of ours, and we never see an object of its library.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from billing.catalogue import Coupon, Plan
from billing.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Party:
    """The firm, as a provider needs to know it.

    :param paid_floor: seats that are paid until the end of the period, though fewer were asked for since.
    :param addon_floors: how often each add-on is paid until the end of the period, whatever was asked for since.
    """

    tenant_id: uuid.UUID
    name: str
    country: str
    currency: str
    address: str = ""
    email: str = ""
    tax_id: str = ""
    tax_id_state: str = ""
    trial_ends_at: dt.datetime | None = None
    customer_id: str | None = None
    paid_floor: int = 0
    addon_floors: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AddonWish:
    """A paid add-on that a firm wants to have.

    :param amount: for the firm or one seat and a period, in minor units.
    """

    slug: str
    version: int
    per: str
    amount: int

    def quantity(self, seats: int) -> int:
        """Return how often it is paid for."""
        return seats if self.per == "seat" else 1

    def net(self, seats: int) -> int:
        """Return what a period costs without tax."""
        return self.amount * self.quantity(seats)

    def plain(self, seats: int) -> dict[str, Any]:
        """Return it as rows hold it."""
        return {"slug": self.slug, "version": self.version, "per": self.per, "quantity": self.quantity(seats)}


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a firm wants to have from now on.

    :param coupon: typed with the first order of a subscription, which then holds it.
    """

    plan: Plan
    interval: str
    currency: str
    seats: int
    addons: tuple[AddonWish, ...] = ()
    coupon: Coupon | None = None

    @property
    def plan_net(self) -> int:
        """What a whole period of the plan costs without tax."""
        return self.plan.price(self.interval, self.currency) * self.seats

    @property
    def period_net(self) -> int:
        """What a whole period costs without tax."""
        return self.plan_net + sum(one.net(self.seats) for one in self.addons)

    @property
    def slugs(self) -> list[str]:
        """The add-ons by their names for machines."""
        return sorted(one.slug for one in self.addons)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a preview or an invoice: a text by its code, and an amount in minor units.

    :param code: seats, more_seats, unused, plan; addon, more_addon, unused_addon and meter, where `plan` is a slug;
        discount, where `plan` is a coupon's code and `seats` its percentage; text, where it is the operator's words.
    :param parts: what it consists of at Stripe, not rounded: each is discounted, rounded and taxed by itself.
    """

    code: str
    plan: str
    seats: int
    amount: int
    parts: tuple[Fraction, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return it as rows hold it."""
        return {"code": self.code, "plan": self.plan, "seats": self.seats, "amount": self.amount}


def whole(amount: Fraction) -> int:
    """Return an amount in whole minor units, halves away from nought."""
    units = int(abs(amount) + Fraction(1, 2))
    return units if amount >= 0 else -units


def more_of(code: str, plan: str, price: Fraction, before: int, after: int) -> Line:
    """Return the line of a higher number: the rest of the old one is given back, the new one is charged.

    :param price: of one, for the rest of the period.
    """
    parts = (-price * before, price * after) if before else (price * after,)
    amount = sum(whole(part) for part in parts)
    return Line(code=code, plan=plan, seats=after - before, amount=amount, parts=parts)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a wish costs now and at the next bill.

    :param at: the moment for which parts of a period are reckoned; kept for the real call.
    :param later: the moment from which the wish holds, when that is not now.
    """

    currency: str
    lines: Sequence[Line]
    net: int
    tax: int
    total: int
    tax_note: str
    next_net: int
    next_total: int
    next_at: dt.datetime | None
    at: dt.datetime
    later: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of an order: done, waits for the end of the period, needs_action (at `url`), or refused."""

    state: str
    url: str = ""
    reason: str = ""


class Provider(Protocol):
    """Takes the money of firms."""

    name: str
    self_service: bool
    """Whether firms order themselves; else the operator does it for them."""

    def preview(self, party: Party, wish: Wish, at: dt.datetime | None = None) -> Preview:
        """Return what a wish costs.

        :param at: the moment of an earlier preview, so that the same wish costs the same.
        """
        ...

    def order(self, party: Party, wish: Wish, at: dt.datetime) -> Outcome:
        """Bring a subscription to a wish: the first one, other seats or another plan."""
        ...

    def cancel(self, party: Party) -> Outcome:
        """End the subscription with its period; one whose first payment is open ends at once."""
        ...

    def undo_cancel(self, party: Party) -> Outcome:
        """Let a cancelled subscription go on."""
        ...

    def call_off(self, party: Party) -> Outcome:
        """Call a change off that waits for the end of the period."""
        ...

    lead: dt.timedelta
    """How long before the end of a period a change that waits for it is made."""

    def now(self) -> dt.datetime:
        """Return the firm's time as the provider reckons it."""
        ...

    def carry_out(self, party: Party) -> Outcome:
        """Make the change that waits; its day has come, and it fits."""
        ...

    def pay_open(self, party: Party) -> Outcome:
        """Pay what is open."""
        ...

    def fetch(self, party: Party) -> Snapshot:
        """Return all that is known now."""
        ...
