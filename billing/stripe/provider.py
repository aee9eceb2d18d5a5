"""The provider of the mode stripe. Each call names the end that is wanted, and carries a key that was saved before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from billing.quantities import QuantityStep
from billing.snapshot import Snapshot
from billing.stripe import items, plain
from billing.stripe.gateway import Gateway, told
from billing.stripe.words import Buyer, Declined, Live, Outcome, Preview, Unanswered, Wanted
from billing.tax_ids import UNAVAILABLE
from kehu.core import clock

SHORTEST_TRIAL = dt.timedelta(hours=48)
"""Checkout takes no trial that ends sooner."""

LOCALES = {"zh_Hans": "zh", "zh_Hant": "zh-TW", "ru": "ru", "en": "en"}


class StripeProvider:
    """What the interface asks for, said in Stripe's words."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.api = gateway.api
        self._prices: dict[str, str] = {}
        self._rates: dict[str, str] = {}

    def customer(self, buyer: Buyer, key: str) -> str:
        """Make the customer; the firm's id in its metadata is for people, nothing of ours believes it."""
        asked: dict[str, Any] = {"name": buyer.name, "metadata": {"tenant": buyer.tenant_id}}
        if buyer.email:
            asked["email"] = buyer.email
        if buyer.country:
            asked["address"] = {"country": buyer.country}
        with told():
            return str(self.api.customers.create(asked, {"idempotency_key": key}).id)

    def details(self, buyer: Buyer, key: str) -> str:
        """Tell name, address, tax id and exemption, and return how the tax id stands; without one, nothing.

        With Stripe Tax the exemption is left to it: it knows a verified business by its tax id.
        """
        lines = [line.strip() for line in buyer.address.splitlines() if line.strip()]
        place = {"country": buyer.country, "line1": ", ".join(lines[:1]), "line2": ", ".join(lines[1:])}
        reverse = buyer.tax.reverse and not buyer.tax.automatic
        asked: dict[str, Any] = {"name": buyer.name, "tax_exempt": "reverse" if reverse else "none"}
        if buyer.email:
            asked["email"] = buyer.email
        if buyer.country:
            asked["address"] = {name: text for name, text in place.items() if text}
        with told():
            self.api.customers.update(buyer.customer_id, asked)
            ids = self.api.customers.tax_ids
            known = [one.to_dict() for one in ids.list(buyer.customer_id, {"limit": 100}).auto_paging_iter()]
            same = [one for one in known if (one["type"], one["value"]) == (buyer.tax_kind, buyer.tax_id)]
            for one in known:
                if one not in same[:1]:
                    ids.delete(buyer.customer_id, str(one["id"]))
            if not buyer.tax_id or not buyer.tax_kind:
                return UNAVAILABLE if buyer.tax_id else ""
            if not same:
                asked = {"type": buyer.tax_kind, "value": buyer.tax_id}
                made = ids.create(buyer.customer_id, asked, {"idempotency_key": f"{key}:tax:{buyer.tax_id}"})
                same = [made.to_dict()]
        return plain.tax_id(same[0])[1]

    def tax(self, live: Live, buyer: Buyer) -> None:
        """Tax a running subscription as its buyer is taxed now; what was billed stays as it is."""
        with told():
            asked = {
                "automatic_tax": {"enabled": buyer.tax.automatic},
                "default_tax_rates": self._tax(buyer) or "",
            }
            self.api.subscriptions.update(live.subscription_id, asked)

    def preview(
        self,
        buyer: Buyer,
        wanted: Wanted,
        live: Live | None,
        steps: Sequence[QuantityStep] = (),
        at: int | None = None,
    ) -> Preview:
        """Return what it would cost now; seats that are paid already are not counted among what is charged."""
        if steps and not any(step.charge for step in steps):
            return Preview(currency=wanted.currency, net=0, tax=0, total=0, due=0, at=at or 0)
        at = at or int(clock.now().timestamp())
        asked: dict[str, Any] = {"customer": buyer.customer_id, "currency": wanted.currency.lower()}
        with told():
            item: dict[str, Any] = {"price": self._price(wanted.price_key), "quantity": wanted.seats}
            details: dict[str, Any] = {"items": [item]}
            if live is None:
                details["default_tax_rates"] = self._tax(buyer)
                asked |= _discounts(wanted) | _automatic(buyer)
            else:
                at = at if steps else self._now_of(live)
                if steps:
                    details["items"] = items.asked(live, wanted, steps[-1], self._price)
                item["id"] = live.item_id
                asked = {"subscription": live.subscription_id}
                details |= {"proration_behavior": "always_invoice", "proration_date": at}
            found = self.api.invoices.create_preview(asked | {"subscription_details": details}).to_dict()
        state = plain.invoice(found)
        lines = tuple((str(line["text"]), int(line["amount"])) for line in state.lines)
        return Preview(
            currency=state.currency,
            net=state.net,
            tax=state.tax,
            total=state.total,
            due=int(found.get("amount_due") or 0),
            at=at,
            lines=lines,
        )

    def subscribe(self, buyer: Buyer, wanted: Wanted, key: str, back: str) -> Outcome:
        """Open a page of Checkout: the card is given there, and never to us."""
        with told():
            rates, automatic = self._tax(buyer), _automatic(buyer)
            data: dict[str, Any] = {"metadata": {"tenant": buyer.tenant_id}}
            if rates:
                data["default_tax_rates"] = rates
            if wanted.trial_until and wanted.trial_until > clock.now() + SHORTEST_TRIAL:
                data["trial_end"] = int(wanted.trial_until.timestamp())
            asked = {
                "mode": "subscription",
                "customer": buyer.customer_id,
                "client_reference_id": buyer.tenant_id,
                "line_items": [{"price": self._price(wanted.price_key), "quantity": wanted.seats}],
                "currency": wanted.currency.lower(),
                "subscription_data": data,
                **_discounts(wanted),
                "locale": LOCALES.get(buyer.locale, "auto"),
                **automatic,
                **({"customer_update": {"address": "auto"}} if automatic else {}),
                **_ways_back(back),
            }
            made = self.api.checkout.sessions.create(asked, {"idempotency_key": key})
        until = dt.datetime.fromtimestamp(int(made.expires_at), dt.UTC)
        return Outcome(state="needs_action", url=str(made.url), page=str(made.id), until=until)

    def abandon(self, buyer: Buyer, page: str) -> Outcome:
        """Close the page of the first payment and what waits for it; what was paid already stays paid.

        Stripe closes only open pages, and voids only open invoices: whoever paid first has won, and is mirrored after.
        """
        if page:
            _did(self.api.checkout.sessions.expire, page)
        with told():
            waiting = self.api.subscriptions.list(
                {"customer": buyer.customer_id, "status": "incomplete"}
            ).data
        for one in waiting:
            if _did(self.api.invoices.void_invoice, str(one.latest_invoice)):
                _did(self.api.subscriptions.cancel, one.id)
        return Outcome(state="done")

    def change(self, live: Live, wanted: Wanted, steps: Sequence[QuantityStep], key: str, at: int) -> Outcome:
        """Set the quantity step by step, or the plan with it; charged steps wait for their payment."""
        with told():
            for step in steps:
                asked: dict[str, Any] = {
                    "items": items.asked(live, wanted, step, self._price),
                    "proration_behavior": "none",
                }
                if step.charge:
                    asked |= {"proration_behavior": "always_invoice", "proration_date": at}
                    asked["payment_behavior"] = "pending_if_incomplete"
                # Named by its end: who goes on after a crash between two steps asks for the second one's.
                options = {"idempotency_key": f"{key}:{items.end_of(step)}"}
                found = self.api.subscriptions.update(live.subscription_id, asked, options).to_dict()
                if found.get("pending_update"):
                    return Outcome(state="needs_action", url=self._page_of(found.get("latest_invoice")))
                live = items.after(live, found)
            self._mark(live, key)
        return Outcome(state="done")

    def _mark(self, live: Live, key: str) -> None:
        """Name the plugin in the metadata of new items, for people; an update that waits for its payment takes none."""
        for one in live.addons:
            if not one.marked:
                asked = {"metadata": {"kind": "addon", "plugin": one.slug}}
                options = {"idempotency_key": f"{key}:mark:{one.item_id}"}
                self.api.subscription_items.update(one.item_id, asked, options)

    def swap(self, live: Live, wanted: Wanted, key: str, *, late: bool) -> Outcome:
        """Set plan and seats for the next period on the same items; add-ons go along to its prices.

        Shortly before the period ends nothing is prorated, and the next bill is that of the new plan. When it has
        ended already, what was billed for the old plan is credited from the first day of the period on.
        """
        if (live.plan, live.interval, live.seats) == (wanted.plan, wanted.interval, wanted.seats):
            return Outcome(state="done")
        with told():
            kept = {one.slug: one.quantity for one in wanted.addons or ()}
            step = QuantityStep(quantity=wanted.seats, charge=False, addons=kept)
            asked: dict[str, Any] = {
                "items": items.asked(live, wanted, step, self._price),
                "proration_behavior": "none",
            }
            if late and live.since is not None:
                since = int(live.since.timestamp())
                asked |= {"proration_behavior": "always_invoice", "proration_date": since}
            options = {"idempotency_key": f"{key}:late" if late else key}
            self.api.subscriptions.update(live.subscription_id, asked, options)
        return Outcome(state="done")

    def cancel(self, live: Live, key: str) -> Outcome:
        """End it with the period that is paid."""
        return self._end(live, True, key)

    def undo_cancel(self, live: Live, key: str) -> Outcome:
        """Let it go on after all."""
        return self._end(live, False, key)

    def _end(self, live: Live, ends: bool, key: str) -> Outcome:
        with told():
            options = {"idempotency_key": key}
            self.api.subscriptions.update(live.subscription_id, {"cancel_at_period_end": ends}, options)
        return Outcome(state="done")

    def card(self, buyer: Buyer, key: str, back: str) -> str:
        """Return the page of Checkout that saves another card."""
        with told():
            asked = {"mode": "setup", "customer": buyer.customer_id, "currency": "eur", **_ways_back(back)}
            return str(self.api.checkout.sessions.create(asked, {"idempotency_key": key}).url)

    def papers(self, buyer: Buyer, back: str) -> str:
        """Return the portal: card, tax id and invoices; plan and seats are switched off there."""
        with told():
            asked = {"customer": buyer.customer_id, "return_url": back}
            return str(self.api.billing_portal.sessions.create(asked).url)

    def pay(self, invoice_id: str, key: str) -> Outcome:
        """Collect an open invoice; a card that is refused or asks for its owner leads to the invoice's own page."""
        try:
            with told():
                self.api.invoices.pay(invoice_id, {"off_session": False}, {"idempotency_key": key})
        except Declined:
            return Outcome(state="needs_action", url=self._page_of(invoice_id))
        return Outcome(state="done")

    def came_back(self, customer_id: str, session_id: str) -> bool:
        """Take over what a page of Checkout ended with: a new card becomes the one that is charged.

        :return: whether the session is this customer's; another one's is not looked at.
        """
        with told():
            found = self.api.checkout.sessions.retrieve(session_id, {"expand": ["setup_intent"]}).to_dict()
            if found.get("customer") != customer_id:
                return False
            card = (found.get("setup_intent") or {}).get("payment_method")
            if found.get("mode") == "setup" and found.get("status") == "complete" and card:
                self.api.customers.update(customer_id, {"invoice_settings": {"default_payment_method": card}})
                for one in self.api.subscriptions.list({"customer": customer_id}).data:
                    self.api.subscriptions.update(one.id, {"default_payment_method": card})
        return True

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
        """Write a credit note on an invoice; what was paid goes back to the card, or to the customer's balance.

        The request's id stands in the metadata, by which it is found again when its key is used up.
        """
        asked: dict[str, Any] = {
            "invoice": invoice_id,
            "amount": amount,
            "memo": reason,
            "metadata": {"operation": request_id},
        }
        if paid:
            asked["refund_amount" if refund else "credit_amount"] = amount
        with told():
            self.api.credit_notes.create(asked, {"idempotency_key": key})
        return Outcome(state="done")

    def end(self, live: Live, key: str) -> Outcome:
        """End it at once: no last invoice, nothing is given back."""
        with told():
            asked = {"invoice_now": False, "prorate": False}
            self.api.subscriptions.cancel(live.subscription_id, asked, {"idempotency_key": key})
        return Outcome(state="done")

    def count(self, customer_id: str, meter: str, value: int, at: dt.datetime, identifier: str) -> None:
        """Tell what an add-on counted; Stripe refuses an identifier that it knows, which is as good as told."""
        asked = {
            "event_name": meter,
            "payload": {"stripe_customer_id": customer_id, "value": str(value)},
            "identifier": identifier,
            "timestamp": int(at.timestamp()),
        }
        try:
            with told():
                self.api.billing.meter_events.create(asked, {"idempotency_key": identifier})
        except Declined as refusal:
            if "already exists with identifier" not in str(refusal):
                raise

    def fetch(self, customer_id: str) -> Snapshot:
        """Return everything about a customer as it is now."""
        return self.gateway.fetch(customer_id)

    # --- looked up once -----------------------------------------------------------------------------------

    def _price(self, lookup_key: str) -> str:
        if lookup_key not in self._prices:
            found = self.api.prices.list({"lookup_keys": [lookup_key], "active": True, "limit": 1}).data
            if not found:
                raise Unanswered(f"Stripe has no price {lookup_key}; run kehu billing catalogue --apply.")
            self._prices[lookup_key] = str(found[0].id)
        return self._prices[lookup_key]

    def _tax(self, buyer: Buyer) -> list[str]:
        """Return the fixed tax rate of the buyer's country, made at Stripe when it is first needed."""
        rate = buyer.tax.rate
        if rate is None:
            return []
        name = f"{buyer.country} {rate.normalize():f}"
        if name not in self._rates:
            known: Mapping[str, str] = {
                str(one.metadata.to_dict().get("kehu") or ""): str(one.id)
                for one in self.api.tax_rates.list({"active": True, "limit": 100}).auto_paging_iter()
            }
            self._rates.update(known)
        if name not in self._rates:
            asked = {"display_name": "VAT", "country": buyer.country, "percentage": float(rate)}
            made = self.api.tax_rates.create(asked | {"inclusive": False, "metadata": {"kehu": name}})
            self._rates[name] = str(made.id)
        return [self._rates[name]]

    def _page_of(self, invoice_id: Any) -> str:
        """Return the page on which a person pays an invoice; asked for anew, since such links age."""
        with told():
            return str(self.api.invoices.retrieve(str(invoice_id)).hosted_invoice_url or "")

    def _now_of(self, live: Live) -> int:
        """Return the subscription's time: that of its test clock, if it has one."""
        found = self.api.subscriptions.retrieve(live.subscription_id, {"expand": ["test_clock"]}).to_dict()
        test_clock = found.get("test_clock")
        return int(test_clock["frozen_time"] if test_clock else clock.now().timestamp())


def _did(call: Callable[[str], Any], name: str) -> bool:
    """Tell whether Stripe did something to an object; it refuses when the object is past it."""
    try:
        with told():
            call(name)
    except Declined:
        return False
    return True


def _discounts(wanted: Wanted) -> dict[str, Any]:
    return {"discounts": [{"coupon": wanted.coupon}]} if wanted.coupon else {}


def _automatic(buyer: Buyer) -> dict[str, Any]:
    return {"automatic_tax": {"enabled": True}} if buyer.tax.automatic else {}


def _ways_back(back: str) -> dict[str, str]:
    """Return the addresses to come back to; Stripe puts the session's id in."""
    return {"success_url": back + "?session={CHECKOUT_SESSION_ID}", "cancel_url": back + "?left=1"}
