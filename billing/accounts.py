"""A firm's account: made when it is first needed, locked before anything changes, and told to each request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing import facts, modes, tax_ids
from billing.catalogue import catalogue
from billing.models import Account, Addon, Invoice, Override, Subscription
from billing.overseat import stopped
from billing.periods import trial_end
from billing.phases import COUNTED, Phase, Standing
from billing.taxes import rate_of
from kehu.accounts.services import valid_email
from kehu.addons.tasks import follow
from kehu.core import audit, clock, context, hooks
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.text import clean
from plugins.results import BillingMode
from tenants import places
from tenants.console.tasks import raise_task
from tenants.models import Tenant


def left_open(invoice: Invoice, subscription: Subscription | None) -> bool:
    """Tell whether an invoice is one that the subscription that counts has left open.

    What an earlier one left open is owed, but neither stops the present one nor is collected in its place.
    """
    if invoice.status != "open":
        return False
    return subscription is None or invoice.made_at >= subscription.started_at


class AccountService:
    """Look after the account of the present tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tenant = context.tenant()

    def find(self) -> Account | None:
        """Return the account, or None while nobody needed one."""
        return self.session.execute(select(Account)).scalar_one_or_none()

    def lock(self) -> Account:
        """Return the account with its row locked until the transaction ends; made if there is none.

        Whoever gives or takes a seat, or changes what is paid for, comes through here first: one at a time.
        """
        statement = select(Account).with_for_update().execution_options(populate_existing=True)
        found = self.session.execute(statement).scalar_one_or_none()
        if found is None:
            made = self._make()
            found = self.session.execute(statement).scalar_one()
            if made:
                self._begin(found)
        elif modes.mode() is not BillingMode.OFF and not self._fits(found) and not self._is_customer(found):
            self.adopt(found)
            self.refresh(found)
        return found

    @staticmethod
    def _fits(account: Account) -> bool:
        return account.mode == modes.mode().value and account.livemode == modes.live()

    def _is_customer(self, account: Account) -> bool:
        """Tell whether a firm has anything with the kind of billing that its account is of."""
        if account.stripe_customer_id:
            return True
        return self.session.execute(select(Subscription.id).limit(1)).first() is not None

    @staticmethod
    def adopt(account: Account) -> None:
        """Let an account be of the mode that is served now, once nothing binds it to another one."""
        account.mode, account.livemode = modes.mode().value, modes.live()

    def _make(self) -> bool:
        moment = clock.now()
        values = {
            "tenant_id": self.tenant.id,
            "mode": modes.mode().value,
            "livemode": modes.live(),
            "currency": catalogue().currency_for(self.tenant.currency),
            "country": self.tenant.country,
            "phase": Phase.TRIAL.value,
            "trial_ends_at": self._trial_end(moment),
            "created_at": moment,
        }
        statement = insert(Account).values(**values).on_conflict_do_nothing().returning(Account.tenant_id)
        return self.session.execute(statement).first() is not None

    def _trial_end(self, moment: dt.datetime) -> dt.datetime:
        """Return the end of the trial: counted from the sign-up, or from now for a firm that is older than billing."""
        made: dt.datetime | None = self.session.execute(
            select(Tenant.created_at).where(Tenant.id == self.tenant.id)
        ).scalar()
        days = catalogue().trial.days
        from_signup = trial_end(made or moment, self.tenant.tz, days)
        return from_signup if from_signup > moment else trial_end(moment, self.tenant.tz, days)

    def _begin(self, account: Account) -> None:
        from billing.seats import SeatService  # Seats are counted under the lock of an account.

        account.seats_cap = catalogue().trial.seats
        SeatService(self.session).begin(account)
        self.refresh(account)

    def leave_checkout(self, account: Account) -> None:
        """Forget the page of the first payment: it was paid, called off, or ran out."""
        account.checkout_id, account.checkout_url, account.checkout_until = "", "", None

    # --- what each request knows --------------------------------------------------------------------------

    def subscription(self) -> Subscription | None:
        """Return the subscription that counts: the live one, else the latest."""
        statement = select(Subscription).order_by(Subscription.live.desc(), Subscription.started_at.desc())
        return self.session.execute(statement.limit(1)).scalar_one_or_none()

    def open_invoices(self, subscription: Subscription | None) -> list[Invoice]:
        """Return what the subscription that counts has left open, the oldest first."""
        statement = select(Invoice).where(Invoice.status == "open").order_by(Invoice.made_at, Invoice.id)
        found = self.session.execute(statement.limit(100)).scalars()
        return [one for one in found if left_open(one, subscription)]

    def open_since(self, subscription: Subscription) -> dt.datetime | None:
        """Return since when the oldest open invoice waits: from its day, or from the day that it was due."""
        found = [
            (row.due_at or row.made_at) if subscription.by_invoice else row.made_at
            for row in self.open_invoices(subscription)
        ]
        return min(found, default=None)

    def refresh(self, account: Account) -> Standing:
        """Work the phase out anew and tell it to the requests; a change of phase stands in the trail."""
        self.session.flush()  # The rows are read back by statements.
        fact = self._fact(account)
        found = facts.standing_by(fact)
        if account.phase != found.phase.value:
            audit.write(
                self.session,
                object="billing",
                record_id=self.tenant.id,
                action="phase",
                title=self.tenant.name,
                changes={"phase": [account.phase, found.phase.value]},
            )
            account.phase = fact["last"] = found.phase.value
        if self.tenant.settings.get(facts.NAME) != fact:
            account.version += 1
            follow(
                self.session
            )  # What is lost is paused, and what is back is on, without waiting for the sweep.
            hooks.first("kehu_keep_fact", tenant_id=self.tenant.id, name=facts.NAME, value=fact)
            self.tenant = context.tenant()
        return found

    def _fact(self, account: Account) -> dict[str, Any]:
        fact: dict[str, Any] = {
            "mode": account.mode,
            "last": account.phase,
            "ahead": account.clock_ahead,
        }
        subscription = self.subscription()
        if subscription is not None:
            since = self.open_since(subscription)
            fact |= {
                "status": subscription.status,
                "plan": subscription.plan,
                "started": facts.written(subscription.started_at),
                "cancel": facts.written(subscription.cancel_at),
                "stopped": facts.written(subscription.stopped_at),
                "open": facts.written(since),
                "by_invoice": subscription.by_invoice,
            }
        fact |= {
            "trial": facts.written(account.trial_ends_at),
            "ended": facts.written(account.ended_at),
            "checkout": facts.written(account.checkout_until),
            "held": account.held_at is not None,
            "over": facts.written(account.over_seat_since),
            "stop": [str(one) for one in stopped(self.session, account, facts.now_of(fact))],
            "grants": self._grants(),
            "addons": self._addons(subscription),
        }
        return {key: value for key, value in fact.items() if value not in (None, False, 0, {}, [])}

    def _grants(self) -> dict[str, list[Any]]:
        rows = self.session.execute(select(Override.feature, Override.value, Override.until).limit(100))
        return {row.feature: [row.value, facts.written(row.until)] for row in rows}

    def _addons(self, subscription: Subscription | None) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        rows = self.session.execute(select(Addon.slug, Addon.trial_until, Addon.paid_until).limit(200))
        for row in rows:
            had = {"trial": facts.written(row.trial_until), "kept": facts.written(row.paid_until)}
            found[row.slug] = {key: value for key, value in had.items() if value}
        if subscription is not None and subscription.live and subscription.status in COUNTED:
            for one in subscription.addons:
                found.setdefault(one["slug"], {})["item"] = 1
        return found

    # --- what operators do --------------------------------------------------------------------------------

    def hold(self, reason: str) -> Standing:
        """Put the firm on hold: nobody writes, the owner alone reads and exports."""
        account = self.lock()
        account.held_at, account.held_reason = clock.now(), reason
        self.note("held", {"reason": [None, reason]})
        return self.refresh(account)

    def release(self, reason: str) -> Standing:
        """Take the hold back; the phase is what it would be without."""
        account = self.lock()
        before, account.held_at, account.held_reason = account.held_reason, None, ""
        self.note("released", {"reason": [before, reason]})
        return self.refresh(account)

    def override(self, feature: str, value: int, reason: str, until: dt.datetime | None = None) -> None:
        """Give or take a feature, whatever the plan says."""
        account = self.lock()
        row = self.session.execute(select(Override).where(Override.feature == feature)).scalar_one_or_none()
        before = row.value if row is not None else None
        if row is None:
            row = Override(feature=feature)
            self.session.add(row)
        who = context.current().actor
        row.value, row.reason, row.until = value, reason, until
        row.actor, row.at = who.name if who else "system", clock.now()
        self.note("override", {feature: [before, value], "reason": [None, reason]})
        self.refresh(account)

    def extend_trial(self, until: dt.datetime, reason: str) -> Standing:
        """Let the trial end later, also one that is over.

        :raises Conflict: once there was a subscription: then Stripe or the ledger counts, not the trial.
        :raises InvalidInput: for "until", when that is no later end.
        """
        account = self.lock()
        if self.subscription() is not None:
            raise Conflict(_("The firm has, or had, a plan; a trial can't be extended any more."))
        before = account.trial_ends_at
        if until <= max(clock.now(), before or clock.now()):
            text = _("Write a later day than the present end of the trial.")
            raise InvalidInput(text, fields={"until": [text]})
        account.trial_ends_at = until
        self.note("trial", {"until": [facts.written(before), facts.written(until)], "reason": [None, reason]})
        return self.refresh(account)

    def set_details(self, values: Mapping[str, str]) -> bool:
        """Keep what stands on invoices, and return whether anything changed.

        :param values: the country stays as it is where none is given: tax follows it from the next bill on.
        :raises InvalidInput: names the field: an address of mail that is none, a tax id of another form, a country
            that is none.
        """
        account = self.lock()
        country = values.get("country", "") or account.country or self.tenant.country
        if country not in dict(places.countries("en")):
            wrong = _("Choose a country of the list.")
            raise InvalidInput(wrong, fields={"country": [wrong]})
        new = {
            "country": country,
            "legal_name": clean(values.get("legal_name", ""))[:200],
            "address": clean(values.get("address", ""), lines=True)[:500],
            "invoice_email": values.get("invoice_email", "").strip(),
            "tax_id": tax_ids.written(country, clean(values.get("tax_id", ""))),
        }
        if wrong := tax_ids.problem(country, new["tax_id"]):
            raise InvalidInput(
                _("Some answers need another look; what you typed is kept."), fields={"tax_id": [wrong]}
            )
        if new["invoice_email"]:
            new["invoice_email"] = valid_email(new["invoice_email"])
        changes = {
            key: [getattr(account, key), value]
            for key, value in new.items()
            if getattr(account, key) != value
        }
        if changes.keys() & {"tax_id", "country"}:
            # Nobody has checked it yet, so tax is charged until somebody did.
            account.tax_id_state = tax_ids.PENDING if new["tax_id"] else ""
        for key, value in new.items():
            setattr(account, key, value)
        if changes:
            self.note("details", changes)
        if "country" in changes:
            self._tell_of_move(*changes["country"])
        return bool(changes)

    def _tell_of_move(self, before: str | None, after: str) -> None:
        """Let an operator look at a firm that pays, and says that it is where less tax is charged."""
        rates = [rate_of(country or self.tenant.country, "")[0] for country in (before, after)]
        if rates[1] >= rates[0] or self.subscription() is None:
            return
        what = (
            f"{self.tenant.name} ({self.tenant.address}) changed its country from {before} to {after}, where "
            "less tax is charged. Ask for proof of its seat."
        )
        about = f"{self.tenant.id}:{before}:{after}:{clock.now().date()}"
        raise_task(self.session, "tax_country", about, what, self.tenant.id)

    def judge_tax_id(self, looked_up: str, verified: bool, reason: str) -> None:
        """Say that the operator looked a tax id up in its register: from now on it counts, or does not.

        :param looked_up: the id; the firm may have written another one meanwhile.
        :raises Conflict: when the firm gave none or another one, or the provider looks it up itself.
        """
        account = self.lock()
        if modes.mode() is BillingMode.STRIPE:
            raise Conflict(_("Stripe looks tax ids up by itself; nothing is to be done here."))
        if not account.tax_id:
            raise Conflict(_("The firm gave no tax id."))
        if tax_ids.written(account.country or self.tenant.country, looked_up) != account.tax_id:
            raise Conflict(_("The firm's tax id is %(number)s. Look this one up.", number=account.tax_id))
        before = account.tax_id_state
        account.tax_id_state = tax_ids.VERIFIED if verified else tax_ids.UNVERIFIED
        self.note("tax_id", {"state": [before, account.tax_id_state], "reason": [None, reason]})

    def note(self, action: str, changes: dict[str, list[Any]]) -> None:
        """Write an entry of the firm's trail."""
        audit.write(
            self.session,
            object="billing",
            record_id=self.tenant.id,
            action=action,
            title=self.tenant.name,
            changes=changes,
        )
