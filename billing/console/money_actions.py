"""What operators do about money of a firm: an invoice of their own words, credit notes, refunds, tax ids, add-ons."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from sqlalchemy.orm import Session

from billing import modes
from billing.accounts import AccountService
from billing.addon_prices import offered as offered_addons
from billing.console.listing import billed
from billing.console.manual_actions import by_hand
from billing.manual import ManualService
from billing.refunds import RefundService
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.ids import new_id, parse_id
from kehu.core.money import digits, to_minor
from plugins.results import BillingMode
from tenants.console.registry import REASON, REQUEST, Action, Field, add


def minor(value: str, currency: str) -> int:
    """Return an amount that somebody typed in minor units.

    :raises InvalidInput: for the field "amount".
    """
    try:
        amount = Decimal(value.replace(",", "."))
    except InvalidOperation:
        amount = Decimal(0)
    places = amount.as_tuple().exponent if amount.is_finite() else 0
    exact = isinstance(places, int) and -places <= digits(currency)
    if not amount.is_finite() or not 0 < amount < 10**9 or not exact:
        text = _("Write an amount above nought in %(currency)s, as 12.50.", currency=currency)
        raise InvalidInput(text, fields={"amount": [text]})
    return to_minor(amount, currency)


def bill(session: Session, values: Mapping[str, str]) -> str:
    """Write an invoice of the operator's own words."""
    currency = AccountService(session).lock().currency
    amount = minor(values["amount"], currency)
    number = ManualService(session).bill(values["text"], amount, values[REASON], request_id=_request(values))
    return _("Invoice %(number)s is written.", number=number)


def credit(session: Session, values: Mapping[str, str]) -> str:
    """Write a credit note."""
    return _give_back(session, values, refund=False)


def refund(session: Session, values: Mapping[str, str]) -> str:
    """Pay back."""
    return _give_back(session, values, refund=True)


def _request(values: Mapping[str, str]) -> uuid.UUID:
    """Return which press of the button this is."""
    found: uuid.UUID = parse_id(values[REQUEST]) or new_id()
    return found


def _give_back(session: Session, values: Mapping[str, str], *, refund: bool) -> str:
    service = RefundService(session)
    invoice = service.invoice(values["number"])
    amount = minor(values["amount"], invoice.currency) if values["amount"] else None
    give = service.refund if refund else service.credit
    given = give(invoice, amount, values[REASON], request_id=_request(values))
    if given.state == "done":
        return _("The credit note on %(number)s is written.", number=values["number"])
    return _("The credit note on %(number)s is on its way to Stripe.", number=values["number"])


def judged_here() -> bool:
    """Tell whether the operator looks tax ids up: where no provider does."""
    return modes.mode() in (BillingMode.MANUAL, BillingMode.DEMO)


def tax_id(session: Session, values: Mapping[str, str]) -> str:
    """Say what the register of tax ids says."""
    verified = values["found"] == "yes"
    AccountService(session).judge_tax_id(values["number"], verified, values[REASON])
    return _("The tax id counts from now on.") if verified else _("The tax id does not count from now on.")


def addon(session: Session, values: Mapping[str, str]) -> str:
    """Put a paid add-on on the bill, or take it off."""
    on = values["change"] == "on"
    ManualService(session).set_addon(values["slug"], on, values[REASON])
    return _("The add-on is on the bill.") if on else _("The add-on leaves the bill.")


def _addons() -> Sequence[tuple[str, str]]:
    return list({one.slug: (one.slug, one.slug) for one in offered_addons()}.values())


_NUMBER = Field(name="number", label=_l("Number of the invoice"))
_PART = Field(
    name="amount", label=_l("Amount with tax"), required=False, help=_l("All that is left without an amount.")
)


def join() -> None:
    """Put these acts into the console."""
    add(
        Action(
            key="bill",
            label=_l("Write an invoice"),
            text=_l("For what no plan says. Tax is added as for the plan; it is due after 14 days."),
            run=bill,
            fields=(
                Field(name="text", label=_l("What for")),
                Field(name="amount", label=_l("Amount without tax")),
            ),
            order=23,
            offered=by_hand,
        ),
        Action(
            key="addon",
            label=_l("Put an add-on on the bill"),
            text=_l("An invoice is written for the rest of the period; off takes effect with its end."),
            run=addon,
            fields=(
                Field(name="slug", label=_l("Add-on"), kind="select", options=_addons),
                Field(
                    name="change",
                    label=_l("Change"),
                    kind="select",
                    options=lambda: [("on", _("On")), ("off", _("Off"))],
                ),
            ),
            order=24,
            offered=lambda: by_hand() and bool(_addons()),
        ),
        Action(
            key="credit",
            label=_l("Write a credit note"),
            text=_l("An open invoice is reduced; of a paid one the next one is."),
            run=credit,
            fields=(_NUMBER, _PART),
            order=60,
            offered=billed,
        ),
        Action(
            key="refund",
            label=_l("Pay back"),
            text=_l("The way it came, with a credit note. What the firm may do stays as it is."),
            run=refund,
            fields=(_NUMBER, _PART),
            danger=True,
            order=61,
            offered=billed,
        ),
        Action(
            key="tax-id",
            label=_l("Judge the tax id"),
            text=_l("Reverse charge needs one that was found in its register."),
            run=tax_id,
            fields=(
                Field(name="number", label=_l("Tax id that was looked up")),
                Field(
                    name="found",
                    label=_l("Found in the register"),
                    kind="select",
                    options=lambda: [("yes", _("Yes")), ("no", _("No"))],
                ),
            ),
            order=25,
            offered=judged_here,
        ),
    )
