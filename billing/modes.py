"""Which mode the installation runs in: said by a setting, never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kehu.config import ConfigError, Settings
from plugins.results import BillingMode

SERVED = frozenset(BillingMode)
"""The modes that this release can run."""

_mode = BillingMode.OFF
_seat_limit = 0
_live = False
_seller: tuple[str, ...] = ()
_automatic_tax = False


def start(settings: Settings) -> None:
    """Take the mode from the settings.

    :raises ConfigError: for a mode that this release can't run.
    """
    global _mode, _seat_limit, _live, _seller, _automatic_tax
    wanted = BillingMode(settings.billing_mode)
    if wanted not in SERVED:
        served = ", ".join(sorted(one.value for one in SERVED))
        raise ConfigError(f"KEHU_BILLING_MODE is {wanted.value}; this release can run: {served}.")
    _mode, _seat_limit = wanted, settings.seat_limit
    _seller = tuple(line.strip() for line in settings.seller.split(";") if line.strip())
    _automatic_tax = wanted is BillingMode.STRIPE and settings.stripe_tax
    _live = wanted is BillingMode.STRIPE and "_live_" in settings.stripe_key


def mode() -> BillingMode:
    """Return the mode of the installation."""
    return _mode


def live() -> bool:
    """Tell whether real cards are charged."""
    return _live


def seller() -> tuple[str, ...]:
    """Return who writes invoices in the mode manual, line by line."""
    return _seller


def automatic_tax() -> bool:
    """Tell whether Stripe Tax works taxes out; else the fixed rates of the catalogue are charged."""
    return _automatic_tax


def seat_limit() -> int | None:
    """Return how many members a firm may have while billing is off; None for any number."""
    return _seat_limit or None


@contextmanager
def use(wanted: BillingMode, *, automatic_tax: bool = False) -> Iterator[None]:
    """Run in another mode within the block: for tests, whose application is made once."""
    global _mode, _automatic_tax
    before, (_mode, _automatic_tax) = (_mode, _automatic_tax), (wanted, automatic_tax)
    try:
        yield
    finally:
        _mode, _automatic_tax = before
