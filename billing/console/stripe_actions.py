"""What operators do when the mirror of a firm and Stripe disagree, or an order hangs."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from billing.accounts import AccountService
from billing.console.firm import on_stripe
from billing.stripe import sync
from billing.stripe.models import Sync
from billing.stripe.operations import RUN, OperationService
from billing.stripe.tasks import RECONCILE_ONE
from kehu.core import clock, jobs
from kehu.core.errors import Conflict
from kehu.core.i18n import _, _l
from tenants.console.registry import REASON, Action, add


def _customer(session: Session) -> str:
    account = AccountService(session).find()
    if account is None or not account.stripe_customer_id:
        raise Conflict(_("The firm is no customer at Stripe yet."))
    return account.stripe_customer_id


def replay(session: Session, values: Mapping[str, str]) -> str:
    """Fetch the customer anew; its parked and failed events are done with it."""
    customer = _customer(session)
    if session.get(Sync, customer) is None:
        sync.know(session, customer, AccountService(session).tenant.id)
    sync.want(session, customer)
    AccountService(session).note("replayed", {REASON: [None, values[REASON]]})
    return _("%(customer)s is fetched anew.", customer=customer)


def reconcile(session: Session, values: Mapping[str, str]) -> str:
    """Compare the customer with Stripe by a job."""
    customer = _customer(session)
    jobs.enqueue(session, RECONCILE_ONE, customer_id=customer)
    AccountService(session).note("compared", {REASON: [None, values[REASON]]})
    return _(
        "%(customer)s is compared with Stripe; the page of health shows what differs.", customer=customer
    )


def retry(session: Session, values: Mapping[str, str]) -> str:
    """Carry the open order out once more; its saved key keeps it from charging twice."""
    found = OperationService(session).open()
    if found is None:
        raise Conflict(_("No order of the firm is open."))
    if found.state == "sent" and found.sent_at is not None and clock.now() - found.sent_at < sync.LEASE:
        raise Conflict(_("This order was sent a moment ago. Wait a minute, then try again."))
    jobs.enqueue(session, RUN, operation_id=found.id)
    AccountService(session).note("retried", {"order": [None, found.kind], REASON: [None, values[REASON]]})
    return _("The order is carried out once more.")


def join() -> None:
    """Put these acts into the console."""
    add(
        Action(
            key="replay",
            label=_l("Fetch from Stripe anew"),
            text=_l("Replays events that are parked or failed: the customer is fetched as it is now."),
            run=replay,
            order=55,
            offered=on_stripe,
        ),
        Action(
            key="reconcile",
            label=_l("Compare with Stripe"),
            text=_l("Compares this customer alone, keeps what differs, and fetches it anew."),
            run=reconcile,
            order=56,
            offered=on_stripe,
        ),
        Action(
            key="retry",
            label=_l("Carry the open order out again"),
            text=_l("For an order that hangs; nothing is charged twice."),
            run=retry,
            order=57,
            offered=on_stripe,
        ),
    )
