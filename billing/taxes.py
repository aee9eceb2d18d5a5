"""Tax from the fixed rates of the catalogue, where no tax service works it out; a zero always has its reason."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from billing import modes
from billing.catalogue import catalogue
from billing.tax_ids import INVALID, PENDING, UNAVAILABLE, UNVERIFIED, VERIFIED
from kehu.core.i18n import _

_REFUSED = frozenset({UNVERIFIED, INVALID, UNAVAILABLE})


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """How a provider that reckons tax itself is told to tax a firm.

    :param automatic: a tax service works it out.
    :param rate: the fixed rate in percent otherwise; None where none is due.
    :param reverse: the rate is not charged, since the firm owes it where it is.
    """

    automatic: bool = False
    rate: Decimal | None = None
    reverse: bool = False


def rate_of(country: str, tax_id_state: str) -> tuple[Decimal, str]:
    """Return the rate in percent and a code of its reason, as `rate:19`, `reverse`, `outside` or `pending:20`.

    Reverse charge needs a tax id that was verified; while one is being checked, or when it was refused, tax is
    charged and that is said.
    """
    tax = catalogue().tax
    rate = tax.rates.get(country)
    if rate is None:
        return Decimal(0), "outside"
    if _may_reverse(country):
        if tax_id_state == VERIFIED:
            return Decimal(0), "reverse"
        if tax_id_state == PENDING:
            return rate, f"pending:{rate}"
        if tax_id_state in _REFUSED:
            return rate, f"unverified:{rate}"
    return rate, f"rate:{rate}"


def treatment(country: str, tax_id_state: str) -> Treatment:
    """Return how Stripe is told to tax a firm.

    Stripe Tax takes every tax id for a business, checked or not. So it works tax out only where that makes no
    difference, or the id is verified; else the fixed rate of the country is charged meanwhile.
    """
    doubted = _may_reverse(country) and (tax_id_state == PENDING or tax_id_state in _REFUSED)
    if modes.automatic_tax() and not doubted:
        return Treatment(automatic=True)
    rate = catalogue().tax.rates.get(country)
    return Treatment(rate=rate or None, reverse=rate_of(country, tax_id_state)[1] == "reverse")


def _may_reverse(country: str) -> bool:
    tax = catalogue().tax
    return country in tax.reverse_charge and country != tax.seller


def tax_on(net: int, rate: Decimal) -> int:
    """Return the tax on an amount in minor units, rounded half up, as away from nought for what is given back."""
    return int((Decimal(net) * rate / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def reason(code: str) -> str:
    """Return why so much tax is charged, for people."""
    kind, _colon, rate = code.partition(":")
    if kind == "rate":
        return _("Tax %(rate)s %%", rate=rate)
    if kind == "pending":
        return _(
            "Tax %(rate)s %%: your tax id is being checked; once it is verified, none is charged.", rate=rate
        )
    if kind == "unverified":
        return _("Tax %(rate)s %%: your tax id could not be verified. Check it below.", rate=rate)
    if kind == "estimate":
        return _("Tax %(rate)s %%, estimated: Stripe works it out before you pay.", rate=rate)
    if kind == "reverse":
        return _("No tax: reverse charge, the recipient owes it.")
    if kind == "exempt":
        return _("No tax: your firm is exempt from it.")
    if kind == "zero":
        return _("No tax: this is not taxed in your country.")
    if kind == "outside":
        return _("No tax: your country is outside of the scope of the seller's tax.")
    return ""
