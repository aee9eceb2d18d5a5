"""Where a firm stands with billing, and what it may do there: one pure function and one table.

Nothing here reads a clock, a setting or a database. `docs/billing.md` shows the table to operators.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    """Where a firm stands."""

    OFF = "off"
    TRIAL = "trial"
    TRIAL_OVER = "trial_over"
    CONFIRMING = "confirming"
    ACTIVE = "active"
    GRACE = "grace"
    RESTRICTED = "restricted"
    ENDED = "ended"
    CLOSED = "closed"
    HELD = "held"


class Buy(StrEnum):
    """What the page of plans offers."""

    HIDDEN = "hidden"
    YES = "yes"
    FINISH = "finish"
    PAY = "pay"
    AGAIN = "again"
    NO = "no"


class Paid(StrEnum):
    """What becomes of add-ons that cost money."""

    ALL = "all"
    PLAN = "plan"
    YES = "yes"
    SUSPENDED = "suspended"
    OFF = "off"


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What a firm may do in a phase.

    :param everybody: whether all members sign in and read; else the owner alone, who exports and restarts.
    :param write: records, automations and the API.
    :param invite: whether free seats can be given to people.
    :param reduce: fewer seats, a smaller plan.
    """

    everybody: bool
    write: bool
    invite: bool
    buy: Buy
    reduce: bool
    plugins: Paid


def _access(everybody: int, write: int, invite: int, buy: Buy, reduce: int, plugins: Paid) -> Access:
    return Access(
        everybody=bool(everybody),
        write=bool(write),
        invite=bool(invite),
        buy=buy,
        reduce=bool(reduce),
        plugins=plugins,
    )


ACCESS: Final[Mapping[Phase, Access]] = MappingProxyType(
    {  # everybody reads, write, invite, buy, reduce, paid plugins
        Phase.OFF: _access(1, 1, 1, Buy.HIDDEN, 0, Paid.ALL),
        Phase.TRIAL: _access(1, 1, 1, Buy.YES, 0, Paid.PLAN),
        Phase.TRIAL_OVER: _access(1, 0, 0, Buy.YES, 0, Paid.SUSPENDED),
        Phase.ACTIVE: _access(1, 1, 1, Buy.YES, 1, Paid.YES),
        Phase.GRACE: _access(1, 1, 1, Buy.PAY, 0, Paid.YES),
        Phase.RESTRICTED: _access(1, 0, 0, Buy.PAY, 0, Paid.SUSPENDED),
        Phase.ENDED: _access(1, 0, 0, Buy.AGAIN, 0, Paid.SUSPENDED),
        Phase.CLOSED: _access(0, 0, 0, Buy.AGAIN, 0, Paid.OFF),
        Phase.HELD: _access(0, 0, 0, Buy.NO, 0, Paid.OFF),
    }
)
"""What each phase allows; `confirming` is as the phase before it, but for what can be bought."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The spans of time.

    :param leeway: how far our clock may be wrong; what ends, ends so much later (never early).
    :param slack: how long a subscription that should have ended is believed, while its end is not told.
    """

    trial_days: int = 14
    grace: dt.timedelta = dt.timedelta(days=14)
    invoice_grace: dt.timedelta = dt.timedelta(days=30)
    confirming: dt.timedelta = dt.timedelta(hours=23)
    retention: dt.timedelta = dt.timedelta(days=90)
    leeway: dt.timedelta = dt.timedelta(minutes=15)
    slack: dt.timedelta = dt.timedelta(days=1)


POLICY: Final = Policy()


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """What we ourselves know of a firm's billing.

    :param trial_ends_at: None while nobody set it: the trial has not begun to run.
    :param ended_at: when the last subscription that was paid came to its end.
    :param checkout_until: how long a page waits on which the first payment can be made; None while there is none.
    :param last: the phase that was known last, for a status that nobody knows.
    """

    off: bool = False
    trial_ends_at: dt.datetime | None = None
    held: bool = False
    ended_at: dt.datetime | None = None
    checkout_until: dt.datetime | None = None
    last: Phase | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """The subscription as the provider told it last, in Stripe's words.

    :param by_invoice: paid by transfer; the days of grace begin at the due date.
    :param cancel_at: when it ends, once cancelled.
    :param stopped_at: when it did end.
    """

    status: str
    by_invoice: bool = False
    started_at: dt.datetime | None = None
    cancel_at: dt.datetime | None = None
    stopped_at: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenInvoice:
    """The oldest invoice that waits for its money.

    :param since: when it was made out; for those who pay by transfer, when it was due.
    """

    since: dt.datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A phase with what belongs to it.

    :param before: the phase that lies below `confirming` and `held`.
    :param until: when it ends by itself, as far as that is known.
    :param alarm: what an operator must look at.
    """

    phase: Phase
    before: Phase | None = None
    until: dt.datetime | None = None
    ends_on: dt.datetime | None = None
    alarm: str = ""

    @property
    def access(self) -> Access:
        """What the firm may do."""
        if self.phase is not Phase.CONFIRMING:
            return ACCESS[self.phase]
        base = ACCESS[self.before or Phase.TRIAL_OVER]
        return _access(base.everybody, base.write, base.invite, Buy.FINISH, 0, base.plugins)


LIVE: Final = frozenset({"active", "trialing", "past_due", "unpaid", "paused", "incomplete"})
"""Statuses of a subscription that has not come to its end."""


COUNTED: Final = LIVE - {"incomplete"}
"""Statuses in which what was bought counts; a first payment that is open grants nothing yet."""


def phase(
    account: Account,
    mirror: Mirror | None,
    oldest_open_invoice: OpenInvoice | None,
    now: dt.datetime,
    policy: Policy = POLICY,
) -> Standing:
    """Return where a firm stands."""
    if account.off:
        return Standing(phase=Phase.OFF)
    found = _paying(account, _standing(account, mirror, oldest_open_invoice, now, policy), now)
    if account.held:
        return Standing(phase=Phase.HELD, before=found.phase, alarm=found.alarm)
    return found


def _standing(
    account: Account, mirror: Mirror | None, invoice: OpenInvoice | None, now: dt.datetime, policy: Policy
) -> Standing:
    if mirror is None or mirror.status == "incomplete_expired":
        return _without(account, now, policy)
    if mirror.status in ("active", "trialing"):
        return _running(mirror, now, policy)
    if mirror.status == "incomplete":
        until = mirror.started_at + policy.confirming if mirror.started_at else None
        return Standing(phase=Phase.CONFIRMING, before=_without(account, now, policy).phase, until=until)
    if mirror.status == "past_due":
        return _behind(mirror, invoice, now, policy)
    if mirror.status in ("unpaid", "paused"):
        return Standing(phase=Phase.RESTRICTED)
    if mirror.status == "canceled":
        return _ended(mirror.stopped_at or mirror.cancel_at or account.ended_at or now, now, policy)
    alarm = f"unknown status {mirror.status!r}"
    kept = account.last if account.last in ACCESS and account.last is not Phase.HELD else None
    return Standing(phase=kept or _without(account, now, policy).phase, alarm=alarm)


def _paying(account: Account, found: Standing, now: dt.datetime) -> Standing:
    """Return where a firm stands while the page of its first payment is open; nothing is granted yet."""
    until = account.checkout_until
    carried = found.phase not in (Phase.TRIAL, Phase.TRIAL_OVER, Phase.ENDED, Phase.CLOSED)
    if until is None or now >= until or carried:
        return found
    return Standing(phase=Phase.CONFIRMING, before=found.phase, until=until, alarm=found.alarm)


def _without(account: Account, now: dt.datetime, policy: Policy) -> Standing:
    """Return where a firm stands that no subscription of its own carries."""
    if account.ended_at is not None:
        return _ended(account.ended_at, now, policy)
    ends = account.trial_ends_at
    if ends is None or now < ends + policy.leeway:
        return Standing(phase=Phase.TRIAL, until=ends)
    return Standing(phase=Phase.TRIAL_OVER)


def _running(mirror: Mirror, now: dt.datetime, policy: Policy) -> Standing:
    ends = mirror.cancel_at
    if ends is not None and now >= ends + policy.slack:
        return _ended(ends, now, policy)
    return Standing(phase=Phase.ACTIVE, until=ends, ends_on=ends)


def _behind(mirror: Mirror, invoice: OpenInvoice | None, now: dt.datetime, policy: Policy) -> Standing:
    if invoice is None:
        return Standing(phase=Phase.GRACE, alarm="past due without an open invoice")
    ends = invoice.since + (policy.invoice_grace if mirror.by_invoice else policy.grace)
    if now < ends + policy.leeway:
        return Standing(phase=Phase.GRACE, until=ends)
    return Standing(phase=Phase.RESTRICTED)


def _ended(ended: dt.datetime, now: dt.datetime, policy: Policy) -> Standing:
    closes = ended + policy.retention
    if now < closes + policy.leeway:
        return Standing(phase=Phase.ENDED, until=closes)
    return Standing(phase=Phase.CLOSED)
