"""What a firm can order: a plan, seats, an end and its undoing. Each order passes the phase and the seats first."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import addon_prices, coupons, facts, modes, notices
from billing.accounts import AccountService
from billing.catalogue import INTERVALS, Coupon, Plan, catalogue
from billing.mirror import converge
from billing.models import Account, Addon, Subscription
from billing.permissions import RIGHT
from billing.phases import Buy, Standing
from billing.providers import addons
from billing.providers.base import AddonWish, Outcome, Party, Preview, Provider, Wish
from billing.providers.demo import DemoProvider
from billing.providers.manual import ManualProvider
from billing.seats import SeatService
from billing.stripe.orders import StripeOrders
from billing.waiting import WaitingService
from kehu.core import clock, context
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.i18n import _, _n
from plugins.results import BillingMode

FRESH = dt.timedelta(minutes=10)
"""How long a price that was shown holds."""

MOST_SEATS = 10_000


def provider_for(session: Session) -> Provider:
    """Return who takes the money in this installation.

    :raises Forbidden: while billing is off.
    """
    if modes.mode() is BillingMode.DEMO:
        return DemoProvider(session)
    if modes.mode() is BillingMode.MANUAL:
        return ManualProvider(session)
    if modes.mode() is BillingMode.STRIPE:
        return StripeOrders(session)
    raise Forbidden(_("Billing is switched off in this installation."))


class PurchaseService:
    """Order for the present tenant.

    :param provider: who takes the money; that of the mode by default.
    """

    def __init__(self, session: Session, provider: Provider | None = None) -> None:
        context.actor().require(RIGHT)
        self.session = session
        self.provider = provider or provider_for(session)
        self.accounts = AccountService(session)
        self.seats = SeatService(session)
        self.waiting = WaitingService(session)

    # --- asking -------------------------------------------------------------------------------------------------

    def wish(self, plan: str, interval: str, seats: str, currency: str = "", code: str = "") -> Wish:
        """Return what a form asks for.

        :param code: of a coupon; it counts with a firm's first plan.

        :raises InvalidInput: names the field and the remedy.
        """
        account = self.seats.locked()
        errors: dict[str, list[str]] = {}
        chosen = catalogue().current(plan)
        now = self.accounts.subscription()
        kept = catalogue().plan(now.plan) if now is not None and now.live else None
        if kept is not None and kept.key == plan:
            chosen = kept  # A firm keeps the version that it chose.
        if chosen is None:
            errors["plan"] = [_("Choose one of the plans.")]
        if interval not in INTERVALS:
            errors["interval"] = [_("Choose whether to pay by month or by year.")]
        count = int(seats) if seats.isdecimal() and len(seats) < 7 else 0
        if not 1 <= count <= MOST_SEATS:
            errors["seats"] = [_("Write a number of seats from 1 to %(most)s.", most=MOST_SEATS)]
        wanted = currency or account.currency
        if wanted != account.currency and self._bought():
            errors["currency"] = [
                _(
                    "Your firm pays in %(currency)s; a second currency is not possible.",
                    currency=account.currency,
                )
            ]
        elif wanted not in catalogue().currencies:
            errors["currency"] = [_("Choose a currency of the list.")]
        if chosen is not None and 1 <= count < chosen.minimum_seats:
            errors["seats"] = [
                _n(
                    "%(plan)s begins at %(num)s seat.",
                    "%(plan)s begins at %(num)s seats.",
                    chosen.minimum_seats,
                    plan=chosen.name,
                )
            ]
        coupon = self._coupon(code, now, self._bought(), errors)
        if errors or chosen is None:
            raise InvalidInput(_("Some answers need another look; what you typed is kept."), fields=errors)
        running = now if now is not None and now.live else None
        return Wish(
            plan=chosen,
            interval=interval,
            currency=wanted,
            seats=count,
            addons=self._addons(running, chosen, interval, wanted),
            coupon=coupon,
        )

    def _addons(
        self, now: Subscription | None, plan: Plan, interval: str, currency: str
    ) -> tuple[AddonWish, ...]:
        """Return the add-ons that stay on the bill with a plan: all but those that it brings."""
        rows = now.addons if now is not None else ()
        rows = [one for one in rows if not addon_prices.comes_with(one["slug"], plan.key)]
        return addons.held(self.session, rows, interval, currency)

    @staticmethod
    def _coupon(
        code: str, now: Subscription | None, bought: bool, errors: dict[str, list[str]]
    ) -> Coupon | None:
        if not code.strip():
            return None
        if now is not None and now.live:
            errors["coupon"] = [_("A coupon counts with the first order of a plan; yours runs already.")]
            return None
        if bought:  # Else it would come back with every end and new beginning.
            errors["coupon"] = [
                _("A coupon is for a firm's first plan, and yours had one. Leave this empty.")
            ]
            return None
        found = coupons.valid(code, clock.today(context.tenant().tz))
        if found is None:
            errors["coupon"] = [
                _("There is no such coupon, or its time is over. Look at its letters, or leave this empty.")
            ]
        return found

    def preview(self, wish: Wish, at: dt.datetime | None = None) -> Preview:
        """Return what a wish costs, once phase and seats allow it.

        :raises Conflict: with what is in the way.
        """
        account = self.seats.locked()
        self._allowed(account, wish)
        return self.provider.preview(self.party(account), wish, at)

    def what_stops(self, wanted: Plan) -> list[str]:
        """Return the features that a firm has now and would not have with another plan."""
        plan = facts.plan_of(facts.fact_of(context.tenant()))
        if plan is None:
            return []
        return [key for key, value in plan.features.items() if int(wanted.features[key]) < int(value)]

    def addons_that_stop(self, wanted: Plan) -> list[str]:
        """Return the add-ons that come with the present plan and would have a price with another one."""
        plan, held = facts.plan_of(facts.fact_of(context.tenant())), self.accounts.subscription()
        if plan is None:
            return []
        bought = {one["slug"] for one in held.addons} if held is not None and held.live else set()
        return [
            slug
            for slug in addon_prices.all_sold()
            if slug not in bought
            and addon_prices.comes_with(slug, plan.key)
            and not addon_prices.comes_with(slug, wanted.key)
        ]

    def _allowed(self, account: Account, wish: Wish) -> None:
        found = self.standing()
        buy = found.access.buy
        if buy is Buy.PAY:
            raise Conflict(_("An invoice is open. Pay it first; then seats and plan can be changed."))
        if buy is Buy.FINISH:
            raise Conflict(_("The first payment is open. Finish or cancel it first."))
        if buy not in (Buy.YES, Buy.AGAIN):
            raise Conflict(_("Nothing can be ordered now."))
        self.seats.may_reduce(account, wish.seats)
        self.waiting.fits(wish.plan)
        subscription = self.accounts.subscription()
        if (
            subscription is not None
            and subscription.live
            and self._is_less(subscription, wish)
            and self._open()
        ):
            raise Conflict(_("An invoice is open. Pay it first; then you can take less."))

    @staticmethod
    def _is_less(subscription: Subscription, wish: Wish) -> bool:
        plan = catalogue().plan(subscription.plan)
        cheaper = plan is not None and wish.plan.price("month", wish.currency) < plan.price(
            "month", wish.currency
        )
        gone = {one["slug"] for one in subscription.addons} - set(wish.slugs)
        return wish.seats < subscription.seats or cheaper or bool(gone)

    # --- ordering -----------------------------------------------------------------------------------------------

    def order(self, wish: Wish, at: dt.datetime, total: int) -> Outcome:
        """Order what a preview showed.

        :param at: the moment of the preview; parts of a period are reckoned from it.
        :param total: what it said is due now.
        :raises Conflict: when the preview is too old or the price has moved: it has to be shown again.
        """
        self._may_order()
        account = self.seats.locked()
        now = self.preview(wish, at)
        age = facts.now_of(facts.fact_of(context.tenant())) - at
        if age > FRESH or abs(now.total - total) > wish.seats:
            raise Conflict(_("The price was shown too long ago, or has moved. Look at it again."))
        account.currency = wish.currency
        outcome = self.provider.order(self.party(account), wish, at)
        row = self.accounts.subscription()
        if now.later and outcome.state == "done" and row is not None:
            self.waiting.remember(row, wish.plan)
            outcome = Outcome(state="waits")
        self.check()
        return outcome

    def set_version(self, ref: str, reason: str) -> Outcome:
        """Let the firm have a version of a plan of an operator's choice; interval, seats and add-ons stay.

        :raises Conflict: when nothing runs, the firm has this version, or what is in the way of a change of plan.
        """
        plan, now = catalogue().plan(ref), self.accounts.subscription()
        if plan is None or now is None or not now.live:
            raise Conflict(_("The version can be set while a plan runs."))
        if now.plan == ref:
            raise Conflict(_("The firm has this version."))
        kept = self._addons(now, plan, now.interval, now.currency)
        wish = Wish(plan=plan, interval=now.interval, currency=now.currency, seats=now.seats, addons=kept)
        shown = self.preview(wish)
        self.accounts.note("operator", {"version": [ref, reason]})
        return self.order(wish, shown.at, shown.total)

    def cancel(self) -> Outcome:
        """End the subscription with its period."""
        return self._act(self.provider.cancel)

    def undo_cancel(self) -> Outcome:
        """Let it go on."""
        return self._act(self.provider.undo_cancel)

    def call_off(self) -> Outcome:
        """Call a change off that waits for the end of the period."""
        row = self.waiting.find()
        if row is None:
            raise Conflict(_("There is no change that waits."))
        self.waiting.keep(row)
        return self._act(self.provider.call_off)

    def pay_open(self) -> Outcome:
        """Pay what is open; writing works again at once."""
        return self._act(self.provider.pay_open)

    def _act(self, act: Any) -> Outcome:
        self._may_order()
        account = self.seats.locked()
        outcome: Outcome = act(self.party(account))
        self.check()
        return outcome

    def _may_order(self) -> None:
        if not self.provider.self_service and context.actor().kind != "system":
            raise Conflict(_("Whoever runs this installation sets plan and seats. Ask there."))

    def check(self) -> Standing:
        """Ask the provider how things are, and write it down."""
        account = self.seats.locked()
        self._review(account)
        found = converge(self.session, self.provider.fetch(self.party(account)))
        notices.send_due(self.session, account, found)
        return found

    def _review(self, account: Account) -> None:
        """Make the change that waits once its day has come; one that does not fit then is called off, and told."""
        row = self.waiting.find()
        day = self.waiting.day_of(row) if row is not None else None
        if row is None or day is None or self.provider.now() < day - self.provider.lead:
            return
        reason = self.waiting.reason(account, row)
        if not reason:
            self.provider.carry_out(self.party(account))
            return
        self.waiting.call_off(account, row, reason)
        self.provider.call_off(self.party(account))

    # --- parts --------------------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """Return where the firm stands now."""
        return facts.standing(context.tenant())

    def party(self, account: Account) -> Party:
        """Return the firm as its provider needs to know it."""
        tenant = context.tenant()
        trial = account.trial_ends_at if not self._bought() else None
        return Party(
            tenant_id=tenant.id,
            name=account.legal_name or tenant.name,
            country=account.country or tenant.country,
            currency=account.currency,
            address=account.address,
            email=account.invoice_email,
            tax_id=account.tax_id,
            tax_id_state=account.tax_id_state,
            trial_ends_at=trial,
            customer_id=account.stripe_customer_id,
            paid_floor=account.seats_paid_floor,
            addon_floors=self._addon_floors(),
        )

    def _addon_floors(self) -> dict[str, int]:
        """Return how often each add-on is paid until the end of the present period."""
        subscription = self.accounts.subscription()
        if subscription is None or not subscription.live or subscription.period_end is None:
            return {}
        statement = select(Addon.slug, Addon.paid_quantity).where(Addon.paid_until == subscription.period_end)
        return {row.slug: row.paid_quantity for row in self.session.execute(statement.limit(200))}

    def _bought(self) -> bool:
        """Tell whether the firm ever had a subscription that began."""
        statement = select(Subscription.id).where(
            Subscription.status.not_in(("incomplete", "incomplete_expired"))
        )
        return self.session.execute(statement.limit(1)).first() is not None

    def _open(self) -> bool:
        accounts = AccountService(self.session)
        return bool(accounts.open_invoices(accounts.subscription()))


def default_seats(session: Session, account: Account) -> int:
    """Return how many seats a form proposes: those that are bought, else those that are taken."""
    return account.seats_billed or max(account.seats_used, 1)


def months_saved(plan: Plan, currency: str) -> int:
    """Return how many months a year costs less than twelve months, rounded down."""
    month, year = plan.price("month", currency), plan.price("year", currency)
    return (12 * month - year) // month
