"""What a firm asks its provider for: written down under the account's lock before the provider hears of it.

Each operation names its end in full, so that whoever repeats it after a crash asks for the same thing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import phases, quantities
from billing.accounts import AccountService
from billing.addon_prices import lookup_key, meter_keys
from billing.catalogue import Plan, catalogue
from billing.models import Account, Subscription
from billing.phases import Buy, Standing
from billing.stripe.models import Operation
from kehu.core import clock, context, jobs
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.ids import new_id

RUN = "billing.operations.run"
OPEN = ("pending", "sent")
OPERATORS = ("credit", "refund", "end")
"""What only an operator asks for; no newer wish takes its place."""

STUCK = dt.timedelta(minutes=5)
REFUSED_FOR = dt.timedelta(hours=6)
"""So long details that the provider refused are not told again by themselves."""


class OperationService:
    """Write down what the present firm asks for."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.accounts = AccountService(session)

    def open(self) -> Operation | None:
        """Return the operation that is under way."""
        return self.session.execute(select(Operation).where(Operation.state.in_(OPEN))).scalar_one_or_none()

    def find(self, operation_id: uuid.UUID) -> Operation | None:
        """Return an operation of this firm."""
        return self.session.execute(
            select(Operation).where(Operation.id == operation_id)
        ).scalar_one_or_none()

    def subscribe(self, plan: Plan, interval: str, seats: int, back: str, coupon: str = "") -> Operation:
        """Ask for a first plan, or for one after the end of the last.

        :param back: the address to which the person comes back from the provider's page.
        :param coupon: the provider's name of a coupon.
        """
        account, standing = self._locked()
        if standing.access.buy is Buy.FINISH:
            raise Conflict(_("The first payment is open. Finish or cancel it first."))
        if standing.access.buy not in (Buy.YES, Buy.AGAIN) or self._live_row(paid=True):
            raise Conflict(_("There is a plan already. Change its seats instead."))
        wanted = self._wanted(account, plan, interval, seats)
        trial = account.trial_ends_at if standing.phase.value == "trial" else None
        desired = wanted | {"back": back, "trial": trial.isoformat() if trial else "", "coupon": coupon}
        return self._begin("subscribe", desired)

    def change(
        self,
        plan: Plan,
        interval: str,
        seats: int,
        at: int,
        shown: int | None = None,
        addons: Sequence[Mapping[str, Any]] | None = None,
    ) -> Operation:
        """Ask for other seats or another plan; fewer take effect for newcomers at once.

        :param at: the moment that the preview was worked out for.
        :param shown: what the preview said is due now; a price that has moved calls the change off.
        :param addons: all paid add-ons that are wanted: slug, version, per, quantity, lookup key, and how often each is
            paid until the end of the period; None leaves them as they are.
        """
        account, standing = self._locked()
        row = self._live_row(paid=True)
        if row is None or standing.access.buy is not Buy.YES:
            raise Conflict(_("Seats can be changed while a plan runs and nothing is unpaid."))
        desired = self._wanted(account, plan, interval, seats) | {"at": at, "shown": shown}
        if addons is not None:
            desired["addons"] = [dict(one) for one in addons]
        fewer = desired["seats"] < row.seats
        if fewer and not standing.access.reduce:
            raise Conflict(_("Seats can be given back once the open invoice is paid."))
        if fewer and account.seats_used > desired["seats"]:
            raise Conflict(self._too_few(account.seats_used))
        made = self._begin("change", desired)
        if fewer:
            account.seats_cap = desired["seats"]
        return made

    def abandon(self) -> Operation:
        """Ask for the first payment to be called off while it is open."""
        account, standing = self._locked()
        if standing.access.buy is not Buy.FINISH:
            raise Conflict(_("No first payment is open. Load the page again."))
        return self._begin("abandon", {"page": account.checkout_id})

    def later(self, row: Subscription) -> Operation:
        """Ask for the change that waited for the end of the period; seats stay as many unless it named a number."""
        pending = row.pending or {}
        plan = catalogue().plan(pending.get("plan"))
        if plan is None:
            raise Conflict(_("The plan is not offered any more."))
        account, _standing = self._locked()
        wanted = self._wanted(account, plan, pending["interval"], int(pending.get("seats") or row.seats))
        addons = [
            one
            | {
                "meters": meter_keys(
                    self.session, one["slug"], one["version"], pending["interval"], account.currency
                ),
                "key": lookup_key(one["slug"], one["version"], pending["interval"], account.currency),
                "paid": 0,
            }
            for one in self._with_seats(row.addons, wanted["seats"])
        ]
        return self._begin("later", wanted | {"until": pending["at"], "addons": addons})

    @staticmethod
    def _with_seats(rows: Sequence[Mapping[str, Any]], seats: int) -> list[dict[str, Any]]:
        """Return add-ons of a subscription with as many seats as it is going to have."""
        return [{**one, "quantity": seats if one["per"] == "seat" else 1} for one in rows]

    def keep(self) -> None:
        """Take a change back that was to be made now, while nobody has begun to make it."""
        found = self.open()
        if found is not None and found.kind == "later":
            self._supersede(found)

    def cancel(self, *, undo: bool = False) -> Operation:
        """Ask for the end with the paid period, or for going on after all."""
        _account, _standing = self._locked()
        row = self._live_row(paid=True)
        if row is None or (row.cancel_at is None) == undo:
            raise Conflict(_("There is nothing to cancel.") if not undo else _("Nothing was cancelled."))
        return self._begin("undo" if undo else "cancel", {"subscription": row.provider_id})

    def pay(self, invoice_id: str) -> Operation:
        """Ask for another try at an open invoice."""
        self._locked()
        return self._begin("pay", {"invoice": invoice_id})

    def card(self, back: str, *, papers: bool = False) -> Operation:
        """Ask for the page where another card is given, or for the one with all papers."""
        account, _standing = self._locked()
        if not account.stripe_customer_id:
            raise Conflict(_("There is no card yet. Choose a plan first."))
        return self._begin("card", {"back": back, "papers": papers})

    def details(self) -> Operation:
        """Ask the provider to take over what stands on invoices, and how the firm is taxed."""
        return self._begin("details", self._told_of(self.accounts.lock()))

    def told_in_vain(self) -> bool:
        """Tell whether the provider refused just these details a short time ago: asking again at once helps nobody."""
        statement = select(Operation.desired).where(
            Operation.kind == "details",
            Operation.state == "failed",
            Operation.error != "superseded",
            Operation.ended_at > clock.now() - REFUSED_FOR,
        )
        now = self._told_of(self.accounts.lock())
        latest = statement.order_by(Operation.ended_at.desc()).limit(1)
        return self.session.execute(latest).scalar() == now

    @staticmethod
    def _told_of(account: Account) -> dict[str, Any]:
        told = ("country", "legal_name", "address", "invoice_email", "tax_id")
        return {name: getattr(account, name) for name in told} | {"state": account.tax_id_state}

    # --- the operator ---------------------------------------------------------------------------------------

    def give_back(self, request_id: uuid.UUID, kind: str, desired: Mapping[str, Any]) -> Operation:
        """Ask for a credit note (`credit`), or for one whose money goes back to the payer (`refund`).

        :param request_id: becomes the operation's id: the same request twice is one operation.
        """
        self.accounts.lock()
        return self.find(request_id) or self._begin(kind, desired, request_id)

    def end(self) -> Operation | None:
        """Ask for the end at once; None while another operation is being carried out."""
        self.accounts.lock()
        found = self.open()
        if found is not None and (found.state == "sent" or found.attempts or found.kind in OPERATORS):
            return None
        row = self._live_row(paid=False)
        return self._begin("end", {"subscription": row.provider_id if row is not None else ""})

    # --- inside -------------------------------------------------------------------------------------------

    def _locked(self) -> tuple[Account, Standing]:
        account = self.accounts.lock()
        return account, self.accounts.refresh(account)

    def _live_row(self, *, paid: bool) -> Subscription | None:
        row = self.session.execute(
            select(Subscription).where(Subscription.live.is_(True))
        ).scalar_one_or_none()
        return None if row is not None and paid and row.status not in phases.COUNTED else row

    def _wanted(self, account: Account, plan: Plan, interval: str, seats: int) -> dict[str, Any]:
        if (interval, account.currency) not in plan.prices:
            raise InvalidInput(
                _("Choose a plan of the list."), fields={"plan": [_("Choose a plan of the list.")]}
            )
        if not 1 <= seats <= 10_000:
            text = _("Write a number of seats between 1 and 10,000.")
            raise InvalidInput(text, fields={"seats": [text]})
        number = quantities.billed(seats, plan.minimum_seats)
        return {"plan": plan.ref, "interval": interval, "currency": account.currency, "seats": number}

    @staticmethod
    def _too_few(used: int) -> str:
        return _n(
            "%(num)d person has a seat. Park or remove people first, then give seats back.",
            "%(num)d people have a seat. Park or remove people first, then give seats back.",
            used,
        )

    def _begin(self, kind: str, desired: Mapping[str, Any], made_as: uuid.UUID | None = None) -> Operation:
        """Write an operation down; the same once more is the one that runs, another one has to wait."""
        found = self.open()
        if found is not None:
            if found.kind == kind and found.desired == desired and made_as is None:
                return found
            self._supersede(found, given=kind in ("credit", "refund"))
        who = context.current().actor
        made = Operation(
            id=made_as or new_id(),
            kind=kind,
            desired=dict(desired),
            state="pending",
            actor_id=who.member_id if who else None,
            actor_name=who.name if who else "system",
            made_at=clock.now(),
        )
        self.session.add(made)
        jobs.enqueue(self.session, RUN, operation_id=made.id)
        return made

    def _supersede(self, found: Operation, *, given: bool = False) -> None:
        """Let a newer wish replace one that was not sent yet, unless an operator asked for it.

        :param given: the newer one is an operator's, which waits its turn.
        """
        if found.state == "sent" or found.attempts or given or found.kind in OPERATORS:
            raise Conflict(
                _(
                    "%(name)s is changing the plan at this moment. Try again in a minute.",
                    name=found.actor_name,
                )
            )
        found.state, found.ended_at, found.error = "failed", clock.now(), "superseded"
        self.session.flush()  # Its place is free before the next one takes it.


def stuck(session: Session) -> list[uuid.UUID]:
    """Return operations of the present firm that nobody seems to carry out any more."""
    statement = select(Operation.id).where(Operation.state.in_(OPEN), Operation.made_at < clock.now() - STUCK)
    return list(session.execute(statement.limit(10)).scalars())
