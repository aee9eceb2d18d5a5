"""The platform's own suggestions; they come by the same class as those of plugins."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from babel.dates import format_date
from flask_babel import get_locale
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.db import tenant_id
from kehu.core.i18n import _, _n
from kehu.core.records import scope
from kehu.core.records.types import get as get_type
from kehu.core.tables import metadata
from kehu.merging.finding import DoublesService
from plugins.results import NextStep, Suggestion

RHYTHM = {"A": 30, "B": 90, "C": 180}
"""Value class -> after so many days without contact somebody should be in touch (CUS-10)."""
USUAL = 120
WITHIN = 60
"""A term that ends within so many days is worth a word."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """For what next steps are looked for.

    :param object: `customers` or `deals`.
    """

    object: str
    record: Any

    @property
    def id(self) -> Any:
        """The record's id."""
        return self.record.id

    @property
    def customer_id(self) -> Any:
        """The customer, or whose deal it is; None for a deal of nobody."""
        return self.record.id if self.object == "customers" else self.record.customer_id


def of(session: Session, subject: Subject) -> list[Suggestion]:
    """Return what the platform suggests, within what the actor sees."""
    makers: dict[str, tuple[Callable[[Session, Subject], Iterable[Suggestion]], ...]] = {
        "customers": (_quiet, _terms, _double),
        "deals": (_no_step, _overdue),
    }
    return [one for make in makers[subject.object] for one in make(session, subject)]


def _seen(name: str, statement: Select[Any]) -> Select[Any] | None:
    actor, table = context.actor(), metadata.tables[name]
    reach = actor.scope(f"{name}:read")
    if reach is None:
        return None
    return statement.where(
        table.c.tenant_id == tenant_id(),
        table.c.deleted_at.is_(None),
        scope.condition(get_type(name), table.c, actor, reach),
    )


def _is_planned(session: Session, **links: Any) -> bool:
    row = metadata.tables["activities"]
    mine = [row.c[key] == value for key, value in links.items()]
    statement = select(row.c.id).where(
        row.c.tenant_id == tenant_id(), row.c.deleted_at.is_(None), row.c.done_at.is_(None), *mine
    )
    return session.execute(statement.limit(1)).first() is not None


def _quiet(session: Session, subject: Subject) -> Iterable[Suggestion]:
    """Suggest a call where nobody was in touch for longer than the customer's class allows."""
    record, row = subject.record, metadata.tables["activities"]
    if record.type_class not in ("existing", "prospect") or record.do_not_contact == "all":
        return
    bound = RHYTHM.get(record.value_class or "", USUAL)
    statement = _seen(
        "activities",
        select(row.c.done_at)
        .where(row.c.customer_id == record.id, row.c.done_at.is_not(None))
        .order_by(row.c.done_at.desc())
        .limit(1),
    )
    if statement is None or _is_planned(session, customer_id=record.id):
        return
    last = session.execute(statement).scalar()
    days = (clock.now() - (last or record.created_at)).days
    if days < bound:
        return
    if last is None:
        reason = _n(
            "Nobody has been in touch since it was added %(num)s day ago.",
            "Nobody has been in touch since it was added %(num)s days ago.",
            days,
        )
    elif record.value_class in RHYTHM:
        reason = _(
            "No contact for %(days)s days; class %(mark)s should hear from us every %(bound)s.",
            days=days,
            mark=record.value_class,
            bound=bound,
        )
    else:
        reason = _n("No contact for %(num)s day.", "No contact for %(num)s days.", days)
    subject_line = _("Call %(name)s", name=record.name)
    yield Suggestion(
        key="kehu.quiet",
        title=subject_line,
        reason=reason,
        score=min(90, 40 + 25 * days // bound),
        icon="phone",
        step=NextStep(kind="call", subject=subject_line, days=1),
    )


def _terms(session: Session, subject: Subject) -> Iterable[Suggestion]:
    """Suggest a word on a warranty or contract that ends soon, while no deal is open."""
    today, term, deal = (
        clock.today(context.tenant().tz),
        metadata.tables["owned_item_terms"],
        metadata.tables["deals"],
    )
    open_deal = (
        select(deal.c.id)
        .where(
            deal.c.tenant_id == tenant_id(),
            deal.c.customer_id == subject.id,
            deal.c.status == "open",
            deal.c.deleted_at.is_(None),
        )
        .exists()
    )
    statement = _seen(
        "owned_item_terms",
        select(term.c.id, term.c.name, term.c.effective_end)
        .where(
            term.c.customer_id == subject.id,
            term.c.state == "active",
            term.c.item_in_use,
            term.c.effective_end >= today,
            term.c.effective_end <= today + dt.timedelta(days=WITHIN),
            ~open_deal,
        )
        .order_by(term.c.effective_end, term.c.id)
        .limit(3),
    )
    for row in session.execute(statement) if statement is not None else ():
        title = _("Offer to renew “%(name)s”", name=row.name)
        day = format_date(row.effective_end, "medium", locale=get_locale())
        yield Suggestion(
            key=f"kehu.term:{row.id}",
            title=title,
            reason=_("It ends on %(day)s, and no deal is open.", day=day),
            score=70 + max(0, 20 - (row.effective_end - today).days // 3),
            icon="shield-check",
            step=NextStep(kind="call", subject=title, days=1),
        )


def _double(session: Session, subject: Subject) -> Iterable[Suggestion]:
    """Suggest to compare a customer with one who looks the same, as soon as it was entered."""
    if context.actor().scope("customers:write") is None:
        return
    for match in DoublesService(session, "customers").of(subject.record)[:1]:
        other = match.second if match.first.id == subject.id else match.first
        yield Suggestion(
            key=f"kehu.double:{other.id}",
            title=_("Compare with “%(name)s”", name=other.name),
            reason=_("It looks like the same customer, entered twice."),
            score=90 if match.certain else 75,
            icon="git-merge",
            url=f"/customers/{subject.id}/merge/{other.id}",
        )


def _no_step(session: Session, subject: Subject) -> Iterable[Suggestion]:
    """Suggest a next step for an open deal that has none."""
    deal = subject.record
    if deal.status != "open" or _is_planned(session, deal_id=deal.id):
        return
    days = (clock.now() - deal.stage_since).days
    reason = _n(
        "Nothing is planned; the deal has been in its stage for %(num)s day.",
        "Nothing is planned; the deal has been in its stage for %(num)s days.",
        days,
    )
    yield Suggestion(
        key="kehu.no_step",
        title=_("Plan the next step"),
        reason=reason if days else _("Nothing is planned"),
        score=min(95, 60 + days),
        icon="calendar-event",
        step=NextStep(kind="call", subject=_("Follow up on %(name)s", name=deal.name), days=1),
    )


def _overdue(_session: Session, subject: Subject) -> Iterable[Suggestion]:
    """Suggest to look anew at the day on which a deal should have closed."""
    deal, today = subject.record, clock.today(context.tenant().tz)
    if deal.status != "open" or deal.expected_close is None or deal.expected_close >= today:
        return
    day = format_date(deal.expected_close, "medium", locale=get_locale())
    yield Suggestion(
        key=f"kehu.overdue:{deal.expected_close.isoformat()}",
        title=_("Set a new day for the close"),
        reason=_("It should have closed on %(day)s.", day=day),
        score=65,
        icon="calendar-due",
        url=f"/deals/{deal.id}/edit",
    )
