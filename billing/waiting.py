"""A change that waits for the end of its period: whether it fits on its day, and how it is called off and told."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask_babel import force_locale
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from billing import facts, notices
from billing.accounts import AccountService
from billing.catalogue import Plan, catalogue
from billing.models import Account, Seat, Subscription
from billing.seats import HELD, SeatService
from kehu.core import context
from kehu.core.errors import Conflict
from kehu.core.i18n import _, _n


class WaitingService:
    """Look after the change that waits for the end of the period of the present tenant."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.accounts = AccountService(session)

    def find(self) -> Subscription | None:
        """Return the subscription that runs, if a change waits for the end of its period."""
        row = self.accounts.subscription()
        return row if row is not None and row.live and row.pending else None

    @staticmethod
    def day_of(row: Subscription) -> dt.datetime | None:
        """Return when the change begins to hold."""
        return facts.moment((row.pending or {}).get("at")) or row.period_end

    @staticmethod
    def plan_of(row: Subscription) -> Plan | None:
        """Return the plan that waits."""
        return catalogue().plan((row.pending or {}).get("plan"))

    def problem(self, account: Account, row: Subscription) -> str:
        """Return why the change does not fit as things are now, in the present language; empty when it fits."""
        plan = self.plan_of(row)
        if plan is None:
            return _("The plan is not offered any more.")
        try:
            self.fits(plan)
            SeatService(self.session).may_reduce(account, int((row.pending or {}).get("seats") or row.seats))
        except Conflict as error:
            return str(error.message)
        return ""

    def fits(self, plan: Plan) -> None:
        """Refuse a plan that has no room for the viewers of the firm.

        :raises Conflict: says how many.
        """
        viewers = self.session.execute(
            select(func.count()).select_from(Seat).where(Seat.state.in_(HELD), Seat.kind == "viewer")
        ).scalar_one()
        most = int(plan.features["viewers"])
        if viewers > most:
            raise Conflict(
                _n(
                    "%(plan)s has room for %(num)s viewer, you have %(now)s. Park some first.",
                    "%(plan)s has room for %(num)s viewers, you have %(now)s. Park some first.",
                    most,
                    plan=plan.name,
                    now=viewers,
                )
            )

    def remember(self, row: Subscription, plan: Plan) -> None:
        """Note in the trail which plan waits, and from when on it holds."""
        changes: dict[str, list[Any]] = {
            "plan": [row.plan, plan.ref],
            "at": [None, facts.written(row.period_end)],
        }
        self.accounts.note("waits", changes)

    def keep(self, row: Subscription) -> None:
        """Note in the trail that the present plan stays: the firm took its wish back."""
        self.accounts.note("kept", {"plan": [(row.pending or {}).get("plan"), row.plan]})

    def call_off(self, account: Account, row: Subscription, reason: str) -> None:
        """Note that the change is called off and tell it once: in the history, on the page, and by mail.

        :param reason: in the firm's language.
        """
        pending = row.pending or {}
        self.accounts.note("called_off", {"reason": [None, reason]})
        about = f"{row.provider_id} {facts.written(self.day_of(row))}"
        plan = self.plan_of(row)
        name = plan.name if plan is not None else str(pending.get("plan") or "")
        notices.send(self.session, account, "called_off", about, None, plan=name, reason=reason)

    def reason(self, account: Account, row: Subscription) -> str:
        """Return why the change does not fit in the language of the firm, whoever looks."""
        with force_locale(context.tenant().locale):
            return self.problem(account, row)
