"""Paid add-ons of a firm: trying them once, buying them, taking them off the bill, and having them back.

What is on the bill is what the provider shows (`billing_subscriptions.addons`); `billing_addons` remembers the days
to try and until when something is paid that was taken off the bill.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from billing import addon_prices, facts
from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.entitlements import Holding, entitled, holding
from billing.mirror import SWITCH_ON
from billing.models import Addon, Subscription
from billing.periods import trial_end
from billing.permissions import RIGHT
from billing.phases import COUNTED, Paid
from billing.providers.addons import held, wish_for
from billing.providers.base import Outcome, Preview, Wish
from billing.purchases import PurchaseService
from kehu.addons import installs
from kehu.addons.models import AddonPeriod
from kehu.addons.plan import unusable
from kehu.addons.services import PluginService
from kehu.core import context, hooks, jobs
from kehu.core import db as core_db
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from plugins.manifest import Manifest
from plugins.records import State


class AddonService:
    """Look after the paid add-ons of the present tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.accounts = AccountService(session)

    # --- looking ------------------------------------------------------------------------------------------

    def manifest(self, slug: str) -> Manifest:
        """Return the manifest of an add-on that has a price.

        :raises NotFound: when no plugin of the name has one.
        """
        found = addon_prices.sold(slug)
        if found is None:
            raise NotFound(_("There is no paid add-on of this name."))
        return found

    def row(self, slug: str) -> Addon | None:
        """Return what is remembered of an add-on."""
        return self.session.execute(select(Addon).where(Addon.slug == slug)).scalar_one_or_none()

    def holding(self, manifest: Manifest) -> Holding | None:
        """Return why the firm has an add-on, whatever its phase."""
        return holding(context.tenant(), manifest.slug, manifest.pricing.included)

    def subscription(self) -> Subscription | None:
        """Return the subscription on whose bill add-ons can stand."""
        found = self.accounts.subscription()
        return found if found is not None and found.live and found.status in COUNTED else None

    def on_bill(self, slug: str) -> bool:
        """Tell whether an add-on stands on the bill."""
        found = self.subscription()
        return found is not None and any(one["slug"] == slug for one in found.addons)

    def trial_days(self, manifest: Manifest) -> int:
        """Return how many days to try can still be had: each firm gets them once."""
        row = self.row(manifest.slug)
        if row is not None and (row.trial_started_at is not None or row.paid_quantity):
            return 0
        tried = select(AddonPeriod.id).where(
            AddonPeriod.slug == manifest.slug, AddonPeriod.trial_until.is_not(None)
        )
        if self.session.execute(tried.limit(1)).first() is not None:
            return 0
        return manifest.pricing.trial_days

    def tried_until(self, slug: str) -> dt.datetime | None:
        """Return when the days to try end that run now."""
        row, now = self.row(slug), facts.now_of(facts.fact_of(context.tenant()))
        return row.trial_until if row is not None and row.trial_until and row.trial_until > now else None

    # --- trying -------------------------------------------------------------------------------------------

    def start_trial(self, slug: str) -> dt.datetime:
        """Begin the days to try, which each firm has once for an add-on, and return when they end.

        :raises Conflict: when they were had, or nothing can be tried now.
        """
        context.actor().require(RIGHT)
        manifest = self.manifest(slug)
        self._runs(slug)
        self.accounts.lock()
        tenant = context.tenant()
        access = facts.standing(tenant).access
        if (
            not access.write
            or access.plugins in (Paid.SUSPENDED, Paid.OFF)
            or not entitled(tenant, "plugins")
        ):
            raise Conflict(_("Nothing can be tried now. Look under Settings, Plan and seats first."))
        if self.holding(manifest) is not None:
            raise Conflict(_("Your firm has %(plugin)s already.", plugin=addon_prices.name_of(slug)))
        days = self.trial_days(manifest)
        if not days:
            raise Conflict(
                _("The days to try %(plugin)s were had already.", plugin=addon_prices.name_of(slug))
            )
        row = self._kept(slug)
        now = facts.now_of(facts.fact_of(tenant))
        row.trial_started_at, row.trial_until = now, trial_end(now, tenant.tz, days)
        self.accounts.note("addon_trial", {slug: [None, facts.written(row.trial_until)]})
        self._refresh()
        return row.trial_until

    # --- buying -------------------------------------------------------------------------------------------

    def wish(self, slug: str, *, on: bool) -> Wish:
        """Return what the firm has with an add-on on its bill, or without it.

        :raises Conflict: while there is no plan whose bill it could stand on, or no price.
        """
        manifest, found = self.manifest(slug), self.subscription()
        plan = catalogue().plan(found.plan) if found is not None else None
        if found is None or plan is None:
            raise Conflict(_("Choose a plan first; add-ons stand on its bill."))
        others = [one for one in found.addons if one["slug"] != slug]
        kept = held(self.session, others, found.interval, found.currency)
        pricing = manifest.pricing
        mine = next((one for one in found.addons if one["slug"] == slug), None)
        version, per = (mine["version"], mine["per"]) if mine else (pricing.version, pricing.per)
        new = (wish_for(self.session, slug, version, per, found.interval, found.currency),) if on else ()
        return Wish(
            plan=plan,
            interval=found.interval,
            currency=found.currency,
            seats=found.seats,
            addons=(*kept, *new),
        )

    def preview(self, slug: str) -> tuple[Wish, Preview]:
        """Return what buying an add-on costs now and at the next bill.

        :raises Conflict: with what is in the way.
        """
        self._runs(slug)
        return self._shown(slug)

    def _shown(self, slug: str) -> tuple[Wish, Preview]:
        if self.on_bill(slug):
            raise Conflict(_("%(plugin)s is on your bill already.", plugin=addon_prices.name_of(slug)))
        wish = self.wish(slug, on=True)
        return wish, PurchaseService(self.session).preview(wish)

    def buy(self, slug: str, at: dt.datetime, total: int) -> Outcome:
        """Put an add-on on the bill, as its preview showed it, and let it be switched on once it is there.

        :raises Conflict: when the price was shown too long ago or has moved.
        """
        purchases = PurchaseService(self.session)
        purchases.seats.locked()
        if self.on_bill(slug):
            return Outcome(state="done")  # Pressed twice, or by two at once.
        outcome = purchases.order(self.wish(slug, on=True), at, total)
        if outcome.state != "refused" and not self.on_bill(slug):
            self._kept(slug).wanted = True  # The provider still has to show it.
        return outcome

    def remove(self, slug: str) -> Outcome:
        """Take an add-on off the bill; what is paid stays usable until the period ends."""
        purchases = PurchaseService(self.session)
        account = purchases.seats.locked()
        if not self.on_bill(slug):
            raise Conflict(_("%(plugin)s is not on your bill.", plugin=addon_prices.name_of(slug)))
        wish = self.wish(slug, on=False)
        outcome = purchases.order(wish, purchases.preview(wish).at, 0)
        self._kept(slug).wanted = False
        self.session.flush()  # The account is worked out anew by statements.
        self.accounts.refresh(account)
        return outcome

    def undo(self, slug: str) -> Outcome:
        """Put an add-on back on the bill while what is paid of it lasts; nothing is due now.

        :raises Conflict: when it would cost something: the price has to be looked at first.
        """
        _wish, shown = self._shown(slug)
        if shown.total:
            raise Conflict(_("That costs something now. Look at the price first."))
        return self.buy(slug, shown.at, 0)

    def switch_on(self, slug: str) -> str:
        """Switch on what was bought or is tried, and return what stands against it, if anything does."""
        if not context.actor().may("plugins:manage"):
            return _("Somebody who looks after plugins can switch it on now.")
        try:
            PluginService(self.session).enable(slug)
        except Conflict as error:
            return str(error.message)
        return ""

    # --- parts --------------------------------------------------------------------------------------------

    def _runs(self, slug: str) -> None:
        """Let nobody pay, or use up days to try, for what can't be switched on here now.

        :raises Conflict: when its tables are missing, its migration failed, or it rests after faults.
        """
        record, row = hooks.host().installed.get(slug), installs.rows(self.session).get(slug)
        ready = record is not None and installs.standing(record, row).state is State.READY
        if not ready or installs.resting(row):
            name = addon_prices.name_of(slug)
            raise Conflict(unusable(name))

    def _kept(self, slug: str) -> Addon:
        row = self.row(slug)
        if row is None:
            row = Addon(slug=slug, wanted=False)
            self.session.add(row)
            self.session.flush()  # It is looked for by statements.
        return row

    def _refresh(self) -> None:
        self.session.flush()  # The account is worked out anew by statements.
        self.accounts.refresh(self.accounts.lock())


@jobs.tenant_task(SWITCH_ON, queue="plugins")
def switch_on_later(_tenant_id: object, slug: str) -> str:
    """Switch on what was bought, once the provider shows it on the bill."""
    with context.use(actor=context.SYSTEM):
        return AddonService(core_db.session()).switch_on(slug)
