"""Tax from the fixed rates of the catalogue, where no tax service works it out; a zero always has its reason."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from billing.catalogue import catalogue
from kehu.core.i18n import _

VERIFIED = "verified"


def rate_of(country: str, tax_id_state: str) -> tuple[Decimal, str]:
    """Return the rate in percent and a code of its reason: `rate:19`, `reverse`, `outside` or `pending:20`.

    Reverse charge needs a tax id that was verified; while one is being checked, tax is charged and that is said.
    """
    tax = catalogue().tax
    rate = tax.rates.get(country)
    if rate is None:
        return Decimal(0), "outside"
    if country in tax.reverse_charge and country != tax.seller:
        if tax_id_state == VERIFIED:
            return Decimal(0), "reverse"
        if tax_id_state == "pending":
            return rate, f"pending:{rate}"
    return rate, f"rate:{rate}"


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
    if kind == "reverse":
        return _("No tax: reverse charge, the recipient owes it.")
    if kind == "outside":
        return _("No tax: your country is outside of the scope of the seller's tax.")
    return ""
