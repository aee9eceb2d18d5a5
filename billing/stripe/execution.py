"""Carrying operations out: asked with a saved key while no transaction is open, then mirrored.

Seats appear only where the provider's answer shows them: in the mirror.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from flask_babel import force_locale

from billing import facts, kinds, mirror, modes, phases, tax_ids, taxes
from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.models import Account
from billing.purchases import PurchaseService
from billing.snapshot import Snapshot
from billing.stripe import disputes, items, operations, orders, sync, taxing
from billing.stripe.models import Operation
from billing.stripe.operations import OPEN, RUN, OperationService
from billing.stripe.words import (
    Buyer,
    Declined,
    Live,
    Outcome,
    Provider,
    Unanswered,
    Wanted,
    WantedAddon,
    provider,
)
from billing.waiting import WaitingService
from kehu.core import clock, context, db, jobs, schedule
from kehu.core.i18n import _
from plugins.results import BillingMode

log = structlog.get_logger(__name__)

RECOVER = "billing.operations.recover"
RETURNED = "billing.stripe.returned"
KEY_LIVES = dt.timedelta(hours=23)
"""The provider forgets keys after a day; what is older is looked up, not repeated."""


def start() -> None:
    """Let operations that nobody carries out any more be picked up again."""
    schedule.register(schedule.Schedule(name=RECOVER, task=RECOVER, every=dt.timedelta(minutes=10)))


@jobs.tenant_task(RECOVER)
def recover(_tenant_id: uuid.UUID) -> None:
    """Queue operations again whose job was lost, or whose worker was killed."""
    disputes.end_lost(db.session())
    taxing.follow(db.session())
    for operation_id in operations.stuck(db.session()):
        jobs.enqueue(db.session(), RUN, queueing_lock=f"operation:{operation_id}", operation_id=operation_id)
    if WaitingService(db.session()).find() is not None:
        PurchaseService(db.session()).check()


@jobs.tenant_task(orders.DUE)
def due(_tenant_id: uuid.UUID) -> None:
    """Look whether the day of a change has come that waits for the end of the period."""
    if modes.mode() is BillingMode.STRIPE:
        PurchaseService(db.session()).check()


def buyer_of(account: Account) -> Buyer:
    """Return the firm as the provider's customer, with the fixed tax of its country."""
    tenant = context.tenant()
    country = account.country or tenant.country
    form = tax_ids.FORMS.get(country)
    return Buyer(
        tenant_id=str(tenant.id),
        name=account.legal_name or tenant.name,
        email=account.invoice_email,
        country=country,
        customer_id=account.stripe_customer_id or "",
        locale=tenant.locale,
        address=account.address,
        tax_id=account.tax_id if account.tax_id_state != tax_ids.INVALID else "",
        tax_kind=form.kind if form is not None else "",
        tax=taxes.treatment(country, account.tax_id_state),
    )


def wanted_of(desired: Mapping[str, Any]) -> Wanted:
    """Return what an operation asks for."""
    plan = catalogue().plan(desired["plan"])
    if plan is None:
        raise Declined(f"{desired['plan']} is no longer in the catalogue", "unknown_plan")
    trial = desired.get("trial")
    return Wanted(
        plan=plan.ref,
        interval=desired["interval"],
        currency=desired["currency"],
        seats=int(desired["seats"]),
        price_key=plan.lookup_key(desired["interval"], desired["currency"]),
        coupon=desired.get("coupon", ""),
        trial_until=dt.datetime.fromisoformat(trial) if trial else None,
        addons=_addons_of(desired),
    )


def _addons_of(desired: Mapping[str, Any]) -> tuple[WantedAddon, ...] | None:
    if desired.get("addons") is None:
        return None
    return tuple(
        WantedAddon(
            slug=one["slug"],
            price_key=one["key"],
            quantity=int(one["quantity"]),
            meters=tuple(one.get("meters", ())),
        )
        for one in desired["addons"]
    )


@jobs.tenant_task(RETURNED, queue="events", one_transaction=False)
def returned(_tenant_id: uuid.UUID, session_id: str) -> None:
    """Look at what a person did on a page of Stripe, if the page was this firm's, and fetch the customer."""
    with db.unit_of_work() as session:
        customer_id = AccountService(session).lock().stripe_customer_id
    if not customer_id:
        return
    asked = provider()
    with contextlib.suppress(Declined):
        if session_id.startswith("cs_"):
            asked.came_back(customer_id, session_id)
    with db.unit_of_work() as session:
        sync.want(session, customer_id)


@jobs.tenant_task(RUN, queue="events", one_transaction=False)
def run_later(_tenant_id: uuid.UUID, operation_id: str) -> None:
    """Carry an operation out; a provider that does not answer is asked again by the queue."""
    run(provider(), uuid.UUID(operation_id))


def run(asked: Provider, operation_id: uuid.UUID) -> str:
    """Carry an operation of the present firm out and return its state.

    :raises Unanswered: when the provider did not answer; the operation stays and may be run again.
    """
    with db.unit_of_work() as session:
        account = AccountService(session).lock()
        row = OperationService(session).find(operation_id)
        if row is None or row.state not in OPEN:
            return row.state if row is not None else "failed"
        too_old = row.sent_at is not None and clock.now() - row.sent_at > KEY_LIVES
        row.state, row.attempts = "sent", row.attempts + 1
        row.sent_at = row.sent_at or clock.now()
        kind, desired, key = row.kind, dict(row.desired), f"op:{row.id}:{row.round}"
        buyer, floor = buyer_of(account), account.seats_paid_floor
    if too_old and kind != "abandon":
        return _decide(asked, operation_id, buyer, kind, desired)
    try:
        if not buyer.customer_id:
            buyer = _known(asked, buyer, f"op:customer:{buyer.tenant_id}:{operation_id}")
        if kind in ("subscribe", "details"):
            buyer = _detailed(asked, buyer, key)
        outcome = _ask(asked, buyer, kind, desired, key, floor)
    except Declined as refusal:
        log.warning("billing_declined", code=refusal.code, kind=kind)
        return _end(asked, operation_id, buyer, "failed", error=refusal.code)
    except Unanswered as failure:
        if failure.stored:
            return _decide(asked, operation_id, buyer, kind, desired, again=True)
        raise
    return _end(asked, operation_id, buyer, outcome.state, outcome=outcome)


def _known(asked: Provider, buyer: Buyer, key: str) -> Buyer:
    """Make the customer once, and keep its id before anything is bought with it."""
    made = asked.customer(buyer, key)
    with db.unit_of_work() as session:
        account = AccountService(session).lock()
        account.stripe_customer_id = account.stripe_customer_id or made
        kinds.mark(session)
        sync.know(session, account.stripe_customer_id, context.tenant().id)
        return buyer_of(account)


def _detailed(asked: Provider, buyer: Buyer, key: str) -> Buyer:
    """Tell what stands on invoices, and return the buyer with what that says of its tax."""
    state = asked.details(buyer, key)
    with db.unit_of_work() as session:
        account = AccountService(session).lock()
        if account.tax_id == buyer.tax_id:
            account.tax_id_state = state
        found = buyer_of(account)
    if found.tax.reverse != buyer.tax.reverse:
        asked.details(found, key)  # It was checked at once; the exemption follows.
    return found


def _ask(
    asked: Provider, buyer: Buyer, kind: str, desired: Mapping[str, Any], key: str, floor: int
) -> Outcome:
    if kind == "subscribe":
        return asked.subscribe(buyer, wanted_of(desired), key, desired["back"])
    if kind == "abandon":
        return asked.abandon(buyer, desired["page"])
    if kind == "pay":
        return asked.pay(desired["invoice"], key)
    if kind == "card":
        back = desired["back"]
        url = asked.papers(buyer, back) if desired.get("papers") else asked.card(buyer, key, back)
        return Outcome(state="needs_action", url=url)
    if kind in ("credit", "refund"):
        return _give_back(asked, kind, desired, key)
    return _ask_of_live(asked, buyer, kind, desired, key, floor)


def _give_back(asked: Provider, kind: str, desired: Mapping[str, Any], key: str) -> Outcome:
    return asked.give_back(
        desired["invoice"],
        int(desired["amount"]),
        key,
        refund=kind == "refund",
        paid=bool(desired["paid"]),
        reason=desired["reason"],
        request_id=desired["request"],
    )


def _ask_of_live(
    asked: Provider, buyer: Buyer, kind: str, desired: Mapping[str, Any], key: str, floor: int
) -> Outcome:
    """Ask for what concerns the subscription that runs."""
    live = _running(asked.fetch(buyer.customer_id))
    if kind == "details":
        if live is not None:
            asked.tax(live, buyer)
        return Outcome(state="done")
    if kind == "end":
        return asked.end(live, key) if live is not None else Outcome(state="done")
    if live is None:
        raise Declined("nothing runs", "no_subscription")
    if kind == "later":
        return asked.swap(live, wanted_of(desired), key, late=_is_late(live, desired))
    if kind == "change":
        return _change(asked, buyer, live, desired, key, floor)
    return asked.undo_cancel(live, key) if kind == "undo" else asked.cancel(live, key)


def _change(
    asked: Provider, buyer: Buyer, live: Live, desired: Mapping[str, Any], key: str, floor: int
) -> Outcome:
    """Set seats or plan, unless the price has moved since it was shown."""
    wanted = wanted_of(desired)
    paid = {one["slug"]: int(one["paid"]) for one in desired.get("addons") or ()}
    steps, before, at = items.steps(live, wanted, floor, paid), live, int(desired["at"])
    if len(steps) == 2:
        # What is paid already comes back first, at no cost; then Stripe can say what the rest costs.
        asked.change(live, wanted, steps[:1], key, at)
        live, steps = _running(asked.fetch(buyer.customer_id)) or live, steps[1:]
    if desired.get("shown") is not None and steps and steps[0].charge:
        now = asked.preview(buyer, wanted, live, steps, at)
        if abs(now.total - int(desired["shown"])) > wanted.seats:
            if live is not before:
                asked.change(live, wanted, [items.as_it_was(before)], key, at)
            raise Declined("the price has moved", "price_moved")
    return asked.change(live, wanted, steps, key, at)


def _is_late(live: Live, desired: Mapping[str, Any]) -> bool:
    """Tell whether the period that a smaller plan waited for has begun already, and was billed at the old price."""
    until = facts.moment(desired["until"])
    return until is not None and live.since is not None and live.since >= until


def _running(snapshot: Snapshot) -> Live | None:
    for one in snapshot.subscriptions:
        if one.status in phases.COUNTED:
            return items.live_of(one)
    return None


def _decide(
    asked: Provider,
    operation_id: uuid.UUID,
    buyer: Buyer,
    kind: str,
    desired: Mapping[str, Any],
    again: bool = False,
) -> str:
    """Look whether the end was reached; a key that is used up is never asked with again.

    :param again: the provider keeps a failure of its own under the key: ask with a new one if the end was not reached.
    """
    snapshot = asked.fetch(buyer.customer_id) if buyer.customer_id else Snapshot(customer_id="")
    if _reached(snapshot, kind, desired):
        return _end(asked, operation_id, buyer, "done", snapshot=snapshot)
    if not again:
        return _end(asked, operation_id, buyer, "failed", error="too_old", snapshot=snapshot)
    with db.unit_of_work() as session:
        AccountService(session).lock()
        row = OperationService(session).find(operation_id)
        assert row is not None
        row.round += 1
    raise Unanswered("the provider keeps its failure; the next try has a new key")


def _reached(snapshot: Snapshot, kind: str, desired: Mapping[str, Any]) -> bool:
    running = [one for one in snapshot.subscriptions if one.status in phases.COUNTED]
    if kind in ("credit", "refund"):
        return any(one.request_id == desired["request"] for one in snapshot.credit_notes)
    if kind == "end":
        return not running
    if kind == "details":
        return False  # It costs nothing to tell it once more, with a new key.
    if kind in ("subscribe", "change", "later"):
        wanted = tuple(desired[name] for name in ("plan", "interval", "seats"))
        named = desired.get("addons") if kind == "change" else None
        addons = {one["slug"]: int(one["quantity"]) for one in named or ()}
        return any(
            (one.plan, one.interval, one.seats) == wanted
            and (named is None or addons == {had.slug: had.quantity for had in one.addons})
            for one in running
        )
    if kind == "pay":
        return any(
            one.provider_id == desired["invoice"] and one.status == "paid" for one in snapshot.invoices
        )
    if kind == "abandon":
        return False  # Closing what is closed does no harm: it is asked for again.
    return any((one.cancel_at is not None) == (kind == "cancel") for one in running)


def _end(
    asked: Provider,
    operation_id: uuid.UUID,
    buyer: Buyer,
    state: str,
    outcome: Outcome | None = None,
    error: str = "",
    snapshot: Snapshot | None = None,
) -> str:
    """Mirror the customer and close the operation in one transaction."""
    if snapshot is None and buyer.customer_id:
        snapshot = asked.fetch(buyer.customer_id)
    with db.unit_of_work() as session:
        accounts = AccountService(session)
        account = accounts.lock()
        row = OperationService(session).find(operation_id)
        assert row is not None
        if row.state in OPEN:
            url = outcome.url if outcome is not None else ""
            row.state, row.url, row.error, row.ended_at = state, url, error, clock.now()
            _checkout(accounts, account, row, outcome)
            if row.kind == "later":
                _waited(WaitingService(session), account, error)
            session.flush()  # Its place is free before the next one takes it.
        if row.kind in ("subscribe", "details"):
            account.tax_told = buyer.told if state != "failed" else account.tax_told
            if error == "tax_id_invalid":
                account.tax_id_state = tax_ids.INVALID
        if snapshot is not None and snapshot.customer_id:
            mirror.converge(session, snapshot)
            taxing.take_over(session, snapshot)
        disputes.end_lost(session)
        taxing.follow(session)
        return row.state


def _waited(waiting: WaitingService, account: Account, error: str) -> None:
    """Forget the change that waited: it is made, or Stripe refused it and the present plan goes on."""
    found = waiting.find()
    if found is None:
        return
    if error:
        with force_locale(context.tenant().locale):
            waiting.call_off(account, found, _("Stripe refused the change (%(code)s).", code=error))
    found.pending = None


def _checkout(accounts: AccountService, account: Account, row: Operation, outcome: Outcome | None) -> None:
    """Keep the page of the first payment, so that it can be finished or called off; what is paid forgets it."""
    if row.kind == "subscribe" and outcome is not None and outcome.until is not None:
        ahead = dt.timedelta(seconds=account.clock_ahead)
        account.checkout_id, account.checkout_url = outcome.page, outcome.url
        account.checkout_until = outcome.until + ahead
    elif row.kind == "abandon" and row.state == "done":
        accounts.leave_checkout(account)
