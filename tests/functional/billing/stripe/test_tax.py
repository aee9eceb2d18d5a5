"""Case 65, and 67 and 68 with tax: tax ids pending, verified and invalid; Stripe Tax; previews equal invoices."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from billing import modes
from billing.accounts import AccountService
from billing.models import Account, Invoice
from billing.stripe import taxing
from billing.stripe.gateway import Gateway
from billing.stripe.models import Operation
from billing.stripe.provider import StripeProvider
from billing.stripe.words import EXTENSION
from kehu.core import clock, context
from kehu.core.errors import InvalidInput
from kehu.testkit.fixtures import Shop
from plugins.results import BillingMode
from tests.functional.billing.stripe.conftest import Firm
from tests.functional.billing.stripe.steps import begin, buy, row, run, seats
from tests.stripe_double.process import Running

PAGE = "/settings/billing"
CHECKED = "FRAB000000000"  # Ends in the digits of Stripe's test value for «verified».
UNKNOWN = "FRAB111111111"
WAITING = "FRAB222222222"


@pytest.fixture
def firm(app: Flask, gateway: Gateway, double: Running, shop: Shop, price: str) -> Firm:
    """A firm in France whose trial is over; the seller is in Germany."""
    app.extensions[EXTENSION] = StripeProvider(gateway)
    with shop.work() as session:
        account = AccountService(session).lock()
        account.currency, account.country, account.invoice_email = "EUR", "FR", "owner@example.com"
        account.trial_ends_at = clock.now() - dt.timedelta(days=1)
        AccountService(session).refresh(account)
        shop.tenant = context.tenant()
    return Firm(shop, gateway, double, "", price)


@pytest.fixture
def automatic(gateway: Gateway, double: Running, price: str) -> Iterator[None]:
    """Let Stripe Tax work taxes out."""
    for one in double.client.v1.prices.list({"limit": 100}).data:
        if one.tax_behavior == "unspecified":
            double.client.v1.prices.update(one.id, {"tax_behavior": "exclusive"})
    with modes.use(BillingMode.STRIPE, automatic_tax=True):
        yield


def tell(firm: Firm, tax_id: str) -> None:
    with firm.shop.work() as session:
        AccountService(session).set_details({"tax_id": tax_id, "invoice_email": "owner@example.com"})


def invoices(firm: Firm) -> list[tuple[int, int, str]]:
    """Return net, tax and its reason of each mirrored invoice, the oldest first."""
    with firm.shop.work() as session:
        found = session.execute(select(Invoice).order_by(Invoice.made_at, Invoice.number)).scalars()
        return [(one.net, one.tax, one.tax_note) for one in found]


def verified(firm: Firm, status: str) -> None:
    """Let the register answer; Stripe tells of it by `customer.tax_id.updated`."""
    found = firm.v1.customers.tax_ids.list(firm.customer).data[0]
    firm.double.control("tax_id", tax_id=found.id, status=status)
    firm.deliver("customer.tax_id.updated", {"object": "tax_id", "id": found.id, "customer": firm.customer})
    assert firm.bring_up() == "done"


def followed(firm: Firm) -> list[str]:
    """Carry out what was ordered because of it, and return the operations."""
    with firm.shop.work() as session:
        found = list(
            session.execute(
                select(Operation.id).where(Operation.state == "pending", Operation.kind == "details")
            ).scalars()
        )
    return [run(firm, one) for one in found]


def page(firm: Firm) -> str:
    return firm.shop.client().get(PAGE).get_data(as_text=True)


def more(firm: Firm, number: int) -> None:
    asked = seats(firm, number)
    assert run(firm, asked) == "done"


def test_case_65_pending_is_taxed_and_verified_later_is_not(firm: Firm) -> None:
    tell(firm, WAITING)
    with firm.shop.work():
        pass
    shown = (
        firm.shop.client()
        .get(f"{PAGE}/plan?plan=team&interval=month&seats=2&currency=EUR")
        .get_data(as_text=True)
    )
    assert "your tax id is being checked" in shown
    buy(firm, 2)
    assert (firm.account().tax_id_state, invoices(firm)) == ("pending", [(2800, 560, "rate:20")])
    assert "Being checked" in page(firm)
    verified(firm, "verified")
    assert firm.account().tax_id_state == "verified"
    assert followed(firm) == ["done"]
    assert firm.v1.customers.retrieve(firm.customer).tax_exempt == "reverse"
    more(firm, 3)
    # What was billed stays as it was; what comes has no tax, and says why.
    assert invoices(firm)[0] == (2800, 560, "rate:20")
    assert invoices(firm)[1][1:] == (0, "reverse")
    shown = page(firm)
    assert "Verified" in shown
    assert "No tax: reverse charge, the recipient owes it." in shown
    assert followed(firm) == []


def test_case_65_verified_at_once_has_no_tax(firm: Firm) -> None:
    tell(firm, CHECKED.lower().replace("FR", "fr "))
    buy(firm, 2)
    assert invoices(firm) == [(2800, 0, "reverse")]
    bought = firm.v1.invoices.list({"customer": firm.customer}).data[0]
    assert bought.total_taxes[0].taxability_reason == "reverse_charge"
    assert bought.customer_tax_ids[0].value == CHECKED


@pytest.mark.parametrize("status", ["unverified", "unavailable"])
def test_case_65_an_id_that_nobody_confirms_is_taxed(firm: Firm, status: str) -> None:
    tell(firm, UNKNOWN if status == "unverified" else WAITING)
    buy(firm, 2)
    if status == "unavailable":
        verified(firm, status)
    followed(firm)
    assert (firm.account().tax_id_state, invoices(firm)) == (status, [(2800, 560, "rate:20")])
    more(firm, 3)
    assert invoices(firm)[1][2] == "rate:20"


def test_case_65_a_verified_id_that_is_lost_again_is_taxed(firm: Firm) -> None:
    tell(firm, CHECKED)
    buy(firm, 2)
    verified(firm, "unverified")
    assert followed(firm) == ["done"]
    more(firm, 3)
    assert [one[2] for one in invoices(firm)] == ["reverse", "rate:20"]
    for one in firm.v1.customers.tax_ids.list(firm.customer).data:
        firm.v1.customers.tax_ids.delete(firm.customer, one.id)
    firm.deliver("customer.tax_id.deleted", {"object": "tax_id", "customer": firm.customer})
    assert firm.bring_up() == "done"
    assert (firm.account().tax_id, firm.account().tax_id_state) == ("", "")


def test_case_65_an_id_of_another_form_is_refused_by_its_field(firm: Firm) -> None:
    with firm.shop.work() as session, pytest.raises(InvalidInput) as refused:
        AccountService(session).set_details({"tax_id": "DE12"})
    assert "FRAB123456789" in refused.value.fields["tax_id"][0]
    answer = firm.shop.client().post(f"{PAGE}/details", data={"tax_id": "DE 12", "address": "Rue 1"})
    said = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'value="DE 12"' in said
    assert "does not look like a tax id of your country" in said
    assert "Rue 1" in said


def test_what_stands_on_invoices_is_asked_before_the_first_order(firm: Firm) -> None:
    client, query = firm.shop.client(), {"plan": "team", "interval": "month", "seats": "2", "currency": "EUR"}
    shown = client.get(f"{PAGE}/plan", query_string=query).get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', shown)
    assert token
    form = query | {"token": token[1], "legal_name": "Garage SARL", "address": "Rue 1", "tax_id": "12"}
    refused = client.post(f"{PAGE}/plan", data=form)
    said = refused.get_data(as_text=True)
    assert (refused.status_code, "Garage SARL" in said) == (422, True)
    assert "does not look like a tax id of your country" in said
    where = client.post(f"{PAGE}/plan", data=form | {"tax_id": CHECKED}).headers["Location"]
    assert run(firm, uuid.UUID(where.rpartition("/")[2].partition("?")[0])) == "needs_action"
    customer = firm.v1.customers.retrieve(str(firm.account().stripe_customer_id))
    assert (customer.name, customer.address.line1, customer.tax_exempt) == ("Garage SARL", "Rue 1", "reverse")


def test_case_65_an_id_that_stripe_refuses_names_the_field_and_buys_nothing(firm: Firm) -> None:
    with firm.shop.work() as session:
        # A form that we let pass and Stripe does not.
        account = AccountService(session).lock()
        account.tax_id, account.tax_id_state = "12", "pending"
    asked = begin(firm, lambda service: service.subscribe(_team(), "month", 2, "https://kehu.example/back"))
    assert run(firm, asked) == "failed"
    assert row(firm, asked).error == "tax_id_invalid"
    assert (firm.account().tax_id, firm.account().tax_id_state) == ("12", "invalid")
    client = firm.shop.client()
    client.get(f"{PAGE}/orders/{asked}")
    said = client.get(PAGE).get_data(as_text=True)
    assert "Tax id: Stripe does not take this number" in said
    assert "Refused" in said
    tell(firm, CHECKED)
    buy(firm, 2)
    assert invoices(firm) == [(2800, 0, "reverse")]


def _team() -> Any:
    from billing.catalogue import catalogue

    return catalogue().current("team")


def test_case_65_the_form_tells_stripe_and_the_page_waits(firm: Firm) -> None:
    buy(firm, 2)
    client = firm.shop.client()
    answer = client.post(
        f"{PAGE}/details", data={"legal_name": "Garage SARL", "address": "Rue 1\nParis", "tax_id": CHECKED}
    )
    where = answer.headers["Location"]
    assert where.startswith(f"{PAGE}/orders/")
    assert run(firm, uuid.UUID(where.rpartition("/")[2])) == "done"
    assert followed(firm) in ([], ["done"])
    told = firm.v1.customers.retrieve(firm.customer)
    assert (told.name, told.address.line1, told.address.country) == ("Garage SARL", "Rue 1", "FR")
    assert told.tax_exempt == "reverse"
    assert client.get(where).headers["Location"] == PAGE
    assert "What stands on invoices is saved" in client.get(PAGE).get_data(as_text=True)


def test_a_rate_that_law_changes_reaches_running_subscriptions(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace
    from decimal import Decimal

    from billing import taxes
    from billing.catalogue import catalogue

    buy(firm, 2)
    found = catalogue()
    changed = replace(found, tax=replace(found.tax, rates={**found.tax.rates, "FR": Decimal("20.5")}))
    monkeypatch.setattr(taxes, "catalogue", lambda: changed)
    firm.deliver("invoice.paid")
    assert firm.bring_up() == "done"
    assert followed(firm) == ["done"]
    live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    assert live.default_tax_rates[0].percentage == 20.5


# --- Stripe Tax -------------------------------------------------------------------------------------------------------


def account(firm: Firm, **values: Any) -> Account:
    with firm.shop.work() as session:
        found = AccountService(session).lock()
        for name, value in values.items():
            setattr(found, name, value)
        return found


@pytest.mark.parametrize(
    ("country", "tax_id", "tax", "note"),
    [
        ("DE", "", 532, "rate:19"),
        ("FI", "", 714, "rate:25.5"),
        ("FR", CHECKED, 0, "reverse"),
        ("FR", WAITING, 560, "rate:20"),
        ("FR", UNKNOWN, 560, "rate:20"),
        ("JP", "", 0, "outside"),
    ],
)
def test_case_65_stripe_tax_and_a_zero_that_says_why(
    automatic: None, firm: Firm, country: str, tax_id: str, tax: int, note: str
) -> None:
    account(firm, country=country)
    if tax_id:
        tell(firm, tax_id)
    buy(firm, 2)
    followed(firm)
    assert invoices(firm) == [(2800, tax, note)]
    live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    # Stripe Tax takes ids unchecked, so that it is left out until one is verified.
    assert live.automatic_tax.enabled == (tax_id in ("", CHECKED))
    if tax_id == WAITING:
        verified(firm, "verified")
        assert followed(firm) == ["done"]
        more(firm, 3)
        assert invoices(firm)[1][2] == "reverse"
        live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
        assert (live.automatic_tax.enabled, live.default_tax_rates) == (True, [])


def preview(firm: Firm, number: int) -> Any:
    """Return what our page would show for more seats."""
    from billing.purchases import PurchaseService

    with firm.shop.work() as session:
        service = PurchaseService(session)
        return service.preview(service.wish("team", "month", str(number)))


@pytest.mark.parametrize("how", ["fixed", "reverse", "stripe", "coupon", "stripe and coupon"])
def test_case_68_what_was_shown_is_what_is_billed(
    firm: Firm, how: str, request: pytest.FixtureRequest
) -> None:
    if how.startswith("stripe"):
        request.getfixturevalue("automatic")
    if how == "reverse":
        tell(firm, CHECKED)
        assert run(firm, begin(firm, lambda service: service.details())) == "done"
    shown = preview(firm, 2)
    buy(firm, 2)
    first = firm.v1.invoices.list({"customer": firm.customer}).data[0]
    assert shown.total == first.total == first.amount_paid
    if "coupon" in how:
        live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
        coupon = firm.v1.coupons.create({"percent_off": 25, "duration": "forever"}).id
        firm.v1.subscriptions.update(live.id, {"discounts": [{"coupon": coupon}]})
        firm.deliver("customer.subscription.updated")
        assert firm.bring_up() == "done"
    shown = preview(firm, 5)
    at = int(shown.at.timestamp())
    asked = begin(firm, lambda service: service.change(_team(), "month", 5, at, shown=shown.total))
    assert run(firm, asked) == "done"
    second = firm.v1.invoices.list({"customer": firm.customer}).data[0]
    assert (second.total, second.amount_paid) == (shown.total, shown.total)
    assert shown.tax == sum(one.amount for one in second.total_taxes)


SPAN = dt.timedelta(days=11, hours=7, minutes=13, seconds=5)


@pytest.fixture
def priced(double: Running, price: str) -> None:
    """Have the plans' prices in yen as well; it has no smaller unit."""
    v1: Any = double.client.v1
    product = v1.prices.retrieve(price).product
    for key, amount in (("team", 2000), ("business", 4000)):
        name = f"kehu_{key}_v1_month_jpy"
        if not v1.prices.list({"lookup_keys": [name]}).data:
            base = {"product": product, "currency": "jpy", "recurring": {"interval": "month"}}
            v1.prices.create(base | {"unit_amount": amount, "lookup_key": name})


@pytest.mark.parametrize(
    ("country", "currency", "percent", "service"),
    [
        ("JP", "JPY", 0, "fixed"),
        ("JP", "JPY", 33, "fixed"),
        ("FI", "EUR", 33, "stripe"),
        ("DE", "EUR", 33, "fixed"),
    ],
)
def test_case_67_68_within_a_period_to_the_unit(
    priced: None,
    firm: Firm,
    country: str,
    currency: str,
    percent: int,
    service: str,
    request: pytest.FixtureRequest,
) -> None:
    if service == "stripe":
        request.getfixturevalue("automatic")
    account(firm, country=country, currency=currency)
    buy(firm, 3)
    live = firm.v1.subscriptions.list({"customer": firm.customer}).data[0]
    if percent:
        coupon = firm.v1.coupons.create({"percent_off": percent, "duration": "forever"}).id
        firm.v1.subscriptions.update(live.id, {"discounts": [{"coupon": coupon}]})
        firm.deliver("customer.subscription.updated")
        assert firm.bring_up() == "done"
    firm.double.control("time", skew=int(SPAN.total_seconds()))
    try:
        with clock.ahead(SPAN):
            for key, number in (("team", 7), ("business", 7)):
                _shown_and_billed(firm, key, number)
    finally:
        firm.double.control("time", skew=0)


def _shown_and_billed(firm: Firm, key: str, number: int) -> None:
    from billing.catalogue import catalogue
    from billing.purchases import PurchaseService

    with firm.shop.work() as session:
        service = PurchaseService(session)
        shown = service.preview(service.wish(key, "month", str(number)))
    at = int(shown.at.timestamp())
    wanted = catalogue().current(key)
    asked = begin(firm, lambda service: service.change(wanted, "month", number, at, shown=shown.total))
    assert run(firm, asked) == "done"
    bill = firm.v1.invoices.list({"customer": firm.customer}).data[0]
    tax = sum(one.amount for one in bill.total_taxes)
    assert (bill.total - tax, tax, bill.total) == (shown.net, shown.tax, shown.total)
    assert bill.total > 0


def test_details_that_stripe_refuses_are_not_told_again_at_once(firm: Firm) -> None:
    tell(firm, WAITING)
    buy(firm, 2)
    firm.v1.customers.delete(firm.customer)
    tell(firm, CHECKED)
    asked = begin(firm, lambda service: service.details())
    assert (run(firm, asked), followed(firm)) == ("failed", [])
    with clock.ahead(dt.timedelta(hours=7)), firm.shop.work() as session:
        assert taxing.follow(session) is not None
