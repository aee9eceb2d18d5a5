"""What operators do to a firm's billing; the same services as behind `kehu billing`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from billing import facts
from billing.accounts import AccountService
from billing.catalogue import catalogue
from billing.console.listing import billed
from billing.periods import end_of_day
from billing.web import words
from kehu.core import context
from kehu.core.context import TenantInfo
from kehu.core.i18n import _, _l
from tenants.console.registry import REASON, Action, Field, add


def end_of(day: str) -> dt.datetime | None:
    """Return the end of a day where the present firm is, or None for no day."""
    return end_of_day(dt.date.fromisoformat(day), context.tenant().tz) if day else None


def _held(tenant: TenantInfo) -> bool:
    return bool(facts.fact_of(tenant).get("held"))


def hold(session: Session, values: Mapping[str, str]) -> str:
    """Put the firm on hold."""
    AccountService(session).hold(values[REASON])
    return _("The firm is on hold.")


def release(session: Session, values: Mapping[str, str]) -> str:
    """Take the hold back."""
    found = AccountService(session).release(values[REASON])
    return _("The hold is taken back; the phase is “%(phase)s”.", phase=words.PHASES[found.phase][0])


def override(session: Session, values: Mapping[str, str]) -> str:
    """Give or take a feature."""
    feature = values["feature"]
    AccountService(session).override(feature, int(values["value"]), values[REASON], end_of(values["until"]))
    return _("“%(feature)s” is set to %(value)s.", feature=words.feature_name(feature), value=values["value"])


def extend_trial(session: Session, values: Mapping[str, str]) -> str:
    """Let the trial end later."""
    until = end_of(values["until"])
    assert until is not None
    AccountService(session).extend_trial(until, values[REASON])
    return _("The trial goes on until %(day)s.", day=values["until"])


def _features() -> Sequence[tuple[str, str]]:
    return [(key, words.feature_name(key)) for key in catalogue().features]


def join() -> None:
    """Put these acts into the console."""
    add(
        Action(
            key="hold",
            label=_l("Put on hold"),
            text=_l("Nobody writes; the owner alone reads and exports. For disputes and abuse."),
            run=hold,
            danger=True,
            order=70,
            offered=billed,
            fits=lambda tenant: not _held(tenant),
        ),
        Action(
            key="release",
            label=_l("Take the hold back"),
            text=_l("The phase is what it would be without the hold."),
            run=release,
            order=70,
            offered=billed,
            fits=_held,
        ),
        Action(
            key="override",
            label=_l("Set a feature"),
            text=_l("Gives a feature whatever the plan says (1), takes one (0), or sets a number."),
            run=override,
            fields=(
                Field(name="feature", label=_l("Feature"), kind="select", options=_features),
                Field(name="value", label=_l("Value"), kind="number"),
                Field(
                    name="until",
                    label=_l("Last day"),
                    kind="date",
                    required=False,
                    help=_l("For good without one."),
                ),
            ),
            order=50,
            offered=billed,
        ),
        Action(
            key="extend-trial",
            label=_l("Extend the trial"),
            text=_l("Only a firm without a plan has a trial. A later day is needed than the present one."),
            run=extend_trial,
            fields=(Field(name="until", label=_l("Last day"), kind="date"),),
            order=40,
            offered=billed,
            fits=lambda tenant: not facts.fact_of(tenant).get("status"),
        ),
    )
