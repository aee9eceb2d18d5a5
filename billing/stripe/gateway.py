"""The only module that speaks to Stripe. Whatever passes it is plain data, in both directions.

Objects of the SDK are no dicts since its version 15, and its decimals are no JSON: both end here.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import stripe

from billing.snapshot import (
    CreditNoteState,
    DisputeState,
    RefundState,
    Snapshot,
    SubscriptionState,
)
from billing.stripe import plain
from billing.stripe.words import Declined, Unanswered
from kehu.config import Settings
from kehu.core import clock

API_VERSION = stripe.api_version
"""Pinned by the SDK's version: the webhook endpoint is made with the same one."""

RETRIES = 2
TIMEOUTS = (3, 15)
"""Seconds to connect and to read; the SDK's own 80 would hold a worker for too long."""

TOLERANCE = 300
RECENT = dt.timedelta(days=40)
"""How far back invoices are fetched; older ones are fetched as well while they are open."""


class _Silence(logging.Filter):
    """Let nothing of the SDK through that is less than a warning: it writes whole requests and answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is written."""
        return record.levelno >= logging.WARNING


_SILENCE = _Silence()


def keep_quiet() -> None:
    """Let the SDK write no payloads, whatever levels are set and whatever STRIPE_LOG says."""
    logging.getLogger("stripe").addFilter(_SILENCE)
    stripe.log = None
    sys.modules["stripe._util"].STRIPE_LOG = None  # type: ignore[attr-defined]


class BadSignature(Exception):
    """Raised for a delivery that is not believed; `why` counts it: header, secret, old, body."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Gateway:
    """A client of one Stripe account."""

    def __init__(self, key: str, *, address: str = "", secrets: Sequence[str] = ()) -> None:
        keep_quiet()
        self.live = "_live_" in key
        self.secrets = tuple(secrets)
        addresses: Any = {"base_addresses": {"api": address}} if address else {}
        self._client = stripe.StripeClient(
            key,
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUTS),
            stripe_version=API_VERSION,
            **addresses,
        )
        self.api: Any = self._client.v1

    @classmethod
    def of(cls, settings: Settings) -> Gateway:
        """Build the gateway of an installation; start-up has checked key and address already."""
        secrets = [one.strip() for one in settings.stripe_webhook_secret.split(",") if one.strip()]
        return cls(settings.stripe_key, address=settings.stripe_url, secrets=secrets)

    # --- webhooks -----------------------------------------------------------------------------------------

    def verify(self, body: bytes, header: str) -> dict[str, Any]:
        """Return a delivery's event once one of our secrets signed it.

        :raises BadSignature: for everything else, whatever it is made of.
        """
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadSignature("body") from error
        self._check(text, header)
        try:
            event = json.loads(text, parse_constant=_no_json)
        except (ValueError, RecursionError) as error:
            raise BadSignature("body") from error
        usual = (
            isinstance(event, dict) and event.get("object") == "event" and isinstance(event.get("data"), dict)
        )
        if not usual or not isinstance(event.get("id"), str) or not isinstance(event.get("type"), str):
            # Arrays and the thin events of the second API say nothing that we could fetch.
            raise BadSignature("body")
        found: dict[str, Any] = event
        return found

    def _check(self, text: str, header: str) -> None:
        if not header:
            raise BadSignature("header")
        for secret in self.secrets:
            if _signed(text, header, secret, TOLERANCE):
                return
        if any(_signed(text, header, secret, None) for secret in self.secrets):
            # Ours, but older than five minutes: replayed, or our clock runs ahead.
            raise BadSignature("old")
        raise BadSignature("secret")

    # --- reading ------------------------------------------------------------------------------------------

    def fetch(self, customer_id: str) -> Snapshot:
        """Return all that counts of a customer, as it is now.

        :raises Unanswered: when it could not be asked.
        """
        with told():
            try:
                customer = self.api.customers.retrieve(customer_id, {"expand": ["tax_ids"]}).to_dict()
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                return Snapshot(customer_id=customer_id, gone=True)
            gone = bool(customer.get("deleted"))
            found = self._bought(customer_id)
            bills = {} if gone else self._bills(customer_id)
            notes, refunds, disputes = self._taken_back(customer_id)
            ahead = self._ahead(customer.get("test_clock"))
        ids = (customer.get("tax_ids") or {}).get("data") or []
        tax_id, tax_id_state = plain.tax_id(ids[0]) if ids else ("", "")
        return Snapshot(
            customer_id=customer_id,
            tax_id=tax_id,
            tax_id_state=tax_id_state,
            subscriptions=tuple(plain.subscription(one) for one in found),
            invoices=tuple(plain.invoice(one) for one in bills.values()),
            credit_notes=tuple(notes),
            refunds=tuple(refunds),
            disputes=tuple(disputes),
            gone=gone,
            ahead=ahead,
        )

    def subscriptions(self) -> Iterator[tuple[str, SubscriptionState]]:
        """Go through all subscriptions that have not ended, with their customers; of `raw` nothing is kept."""
        for found in self._all("/v1/subscriptions"):
            yield str(found["customer"]), replace(plain.subscription(found), raw={})

    def invoices(self) -> Iterator[tuple[str, str, str]]:
        """Go through the finished invoices of the last forty days: customer, id and status."""
        since = int((clock.now() - RECENT).timestamp())
        for found in self._all("/v1/invoices", created={"gte": since}):
            if found["status"] != "draft":
                yield str(found["customer"]), str(found["id"]), str(found["status"])

    def _all(self, path: str, **wanted: Any) -> Iterator[dict[str, Any]]:
        """Go through a list by pages of a hundred, as JSON: the SDK's objects cost four times what reading costs."""
        more, last = True, dict[str, Any]()
        while more:
            with told():
                answer: Any = self._client.raw_request("get", path, limit=100, **wanted, **last)
            page = json.loads(answer.body)
            yield from page["data"]
            more = page["has_more"]
            last = {"starting_after": page["data"][-1]["id"]} if more else {}

    def _bought(self, customer_id: str) -> list[Mapping[str, Any]]:
        wanted: Any = {"customer": customer_id, "status": "all", "limit": 100}
        wanted["expand"] = ["data.discounts.source.coupon"]
        return [one.to_dict() for one in self.api.subscriptions.list(wanted).auto_paging_iter()]

    def _bills(self, customer_id: str) -> dict[str, Mapping[str, Any]]:
        since = int((clock.now() - RECENT).timestamp())
        found: dict[str, Mapping[str, Any]] = {}
        for more in ({"created": {"gte": since}}, {"status": "open"}):
            wanted: Any = {"customer": customer_id, "limit": 100, **more}
            for one in self.api.invoices.list(wanted).auto_paging_iter():
                # A draft is nothing to pay yet, and its number is not given.
                if one.status != "draft":
                    found[one.id] = one.to_dict()
        return found

    def _taken_back(
        self, customer_id: str
    ) -> tuple[list[CreditNoteState], list[RefundState], list[DisputeState]]:
        """Return credit notes, refunds and disputes; the last two are found by the charges that name them."""
        wanted = {"customer": customer_id, "limit": 100}
        found = [one.to_dict() for one in self.api.credit_notes.list(wanted).auto_paging_iter()]
        by_note = {str(one["refund"]): str(note["id"]) for note in found for one in note.get("refunds") or []}
        refunds: list[RefundState] = []
        disputes: list[DisputeState] = []
        for charge in self.api.charges.list(wanted).auto_paging_iter():
            of = {"charge": charge.id, "limit": 100}
            if charge.amount_refunded:
                back = self.api.refunds.list(of).auto_paging_iter()
                refunds += [plain.refund(one.to_dict(), by_note.get(one.id, "")) for one in back]
            if charge.disputed:
                told_of = self.api.disputes.list(of).auto_paging_iter()
                disputes += [plain.dispute(one.to_dict()) for one in told_of]
        return [plain.credit_note(one) for one in found], refunds, disputes

    def _ahead(self, test_clock: Any) -> int:
        """Return how far a test clock runs ahead: in tests it is the customer's time."""
        if not isinstance(test_clock, str):
            return 0
        found = self.api.test_helpers.test_clocks.retrieve(test_clock)
        return int(found.frozen_time) - int(clock.now().timestamp())

    def invoice_page(self, invoice_id: str) -> str:
        """Return where Stripe shows an invoice; asked for at each click, since these addresses age.

        :raises Declined: when Stripe has no page of it.
        :raises Unanswered: when it could not be asked.
        """
        with told():
            found = self.api.invoices.retrieve(invoice_id).to_dict()
        address = found.get("hosted_invoice_url")
        if not isinstance(address, str):
            raise Declined("Stripe has no page of this invoice.", "no_page")
        return address

    def customer_of_charge(self, charge_id: str) -> str | None:
        """Return whom a charge belongs to: a dispute names nothing else."""
        with told():
            found = self.api.charges.retrieve(charge_id).to_dict()
        customer = found.get("customer")
        return customer if isinstance(customer, str) else None


def _no_json(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _signed(text: str, header: str, secret: str, tolerance: int | None) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, header, secret, tolerance))
    except (stripe.SignatureVerificationError, ValueError):
        return False


class told:  # noqa: N801 - reads as a word at the head of a block
    """Turn the SDK's errors into ours, so that nobody else needs to know them."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        if isinstance(error, stripe.StripeError) and error.http_status == 409:
            # Somebody asks with the same key at this moment; what comes of it is seen a little later.
            raise Unanswered(str(error)) from error
        if isinstance(error, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError):
            raise Declined(error.user_message or str(error), error.code or "refused") from error
        if isinstance(error, stripe.StripeError):
            # A 500 is saved with its key and would be repeated; a lost connection or a 429 is not.
            raise Unanswered(str(error), stored=(error.http_status or 0) >= 500) from error
