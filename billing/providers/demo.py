"""The demo: no money moves. Payments can be let fail, and time can be let pass."""

from __future__ import annotations

import datetime as dt

from billing.facts import moment
from billing.phases import POLICY
from billing.providers.ledger import LedgerProvider


class DemoProvider(LedgerProvider):
    """The provider of the mode demo."""

    name = "demo"

    def let_fail(self, fails: bool) -> None:
        """Say whether payments fail from now on."""
        self._state()["fails"] = fails
        self._done()

    @property
    def fails(self) -> bool:
        """Whether payments fail."""
        return bool(self._state().get("fails"))

    def run_ahead(self, span: dt.timedelta) -> None:
        """Let time pass."""
        self._state()["ahead"] += int(span.total_seconds())
        self._done()

    def to_period_end(self, trial_ends_at: dt.datetime | None) -> None:
        """Let time pass to shortly after the end of the period, or of the trial; a month where both are over."""
        sub = self._live(self._state())
        end = moment(sub["period_end"]) if sub is not None else trial_ends_at
        span = (end - self.now()) if end is not None else dt.timedelta(0)
        if span < -POLICY.leeway:
            span = dt.timedelta(days=30)
        self.run_ahead(max(span, dt.timedelta(0)) + POLICY.leeway + dt.timedelta(minutes=1))
