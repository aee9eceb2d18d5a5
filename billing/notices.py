"""Mails about billing, each once for its object, however many looks or events say the same."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from flask_babel import format_date, get_locale
from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from billing import addon_prices, facts, modes
from billing.entitlements import holding
from billing.models import Account, Addon, Invoice, Notice, Subscription
from billing.phases import Phase, Standing
from kehu.core import clock, context, mail, site
from kehu.core.i18n import _, _n
from kehu.core.ids import new_id
from kehu.core.money import show
from kehu.members.models import Member, Role
from plugins.results import BillingMode

MAIL = "billing/mail/notice"
BEFORE_TRIAL_END = (1, 3, 7)
AFTER_FAILURE = (12, 7, 3, 0)
BEFORE_CLOSING = (1, 7, 30)
BEFORE_ADDON_END = (1, 3)


def due(session: Session, found: Standing, now: dt.datetime) -> tuple[str, str, dt.datetime | None] | None:
    """Return the mail that a standing asks for: kind, what it is about, and the date in it."""
    if found.phase is Phase.TRIAL and found.until is not None:
        days = _reached(BEFORE_TRIAL_END, (found.until - now).total_seconds() / 86400)
        return (f"trial_{days}", facts.written(found.until) or "", found.until) if days is not None else None
    if found.phase in (Phase.GRACE, Phase.RESTRICTED):
        return _unpaid(session, found, now)
    if found.phase is Phase.ENDED:
        statement = select(Subscription.provider_id).order_by(Subscription.started_at.desc()).limit(1)
        last = session.execute(statement).scalar() or ""
        days = _reached(BEFORE_CLOSING, (found.until - now).total_seconds() / 86400) if found.until else None
        return (f"closing_{days}" if days is not None else "ended", last, found.until)
    return None


def _reached(steps: tuple[int, ...], left: float) -> int | None:
    """Return the step that so many days before an end have reached: the nearest one only."""
    return next((days for days in steps if 0 < left <= days), None)


def _unpaid(
    session: Session, found: Standing, now: dt.datetime
) -> tuple[str, str, dt.datetime | None] | None:
    statement = select(Invoice.provider_id, Invoice.made_at, Invoice.due_at).where(Invoice.status == "open")
    row = session.execute(statement.order_by(Invoice.made_at).limit(1)).first()
    if row is None:
        return None
    if found.phase is Phase.RESTRICTED:
        return "restricted", row.provider_id, None
    age = (now - (row.due_at or row.made_at)).total_seconds() / 86400
    days = next((days for days in AFTER_FAILURE if age >= days), 0)
    return f"failed_{days}", row.provider_id, found.until


def send_due(session: Session, account: Account, found: Standing) -> str | None:
    """Send the mail that is due, unless it was sent, and return its kind."""
    now = facts.now_of(facts.fact_of(context.tenant()))
    if found.access.write:
        _send_addons(session, account, now)
    wanted = due(session, found, now)
    if wanted is None:
        return None
    kind, about, date = wanted
    return kind if send(session, account, kind, about, date) else None


def _send_addons(session: Session, account: Account, now: dt.datetime) -> None:
    """Say that the days to try an add-on end, while nothing else brings it."""
    statement = select(Addon.slug, Addon.trial_until).where(Addon.trial_until > now).limit(200)
    for row in session.execute(statement):
        days = _reached(BEFORE_ADDON_END, (row.trial_until - now).total_seconds() / 86400)
        if days is not None and _tries(row.slug):
            about = f"{row.slug} {facts.written(row.trial_until)}"
            send(session, account, f"addon_{days}", about, row.trial_until, plugin=row.slug)


def _tries(slug: str) -> bool:
    manifest = addon_prices.sold(slug)
    if manifest is None:
        return False
    held = holding(context.tenant(), slug, manifest.pricing.included)
    return held is not None and held.kind == "trial"


def send(
    session: Session, account: Account, kind: str, about: str, date: dt.datetime | None, **more: str
) -> bool:
    """Send a mail to those who read mails about billing, unless it was sent for this object; tell whether it was due.

    :param more: what else stands in it.
    """
    if not _once(session, kind, about):
        return False
    tenant = context.tenant()
    for address in _readers(session, account):
        mail.send(
            session,
            address,
            MAIL,
            locale=tenant.locale,
            kind=kind,
            firm=tenant.name,
            date=facts.written(date),
            more=more,
        )
    return True


def _once(session: Session, kind: str, about: str) -> bool:
    statement = (
        insert(Notice)
        .values(tenant_id=context.tenant().id, id=new_id(), kind=kind, object=about, sent_at=clock.now())
        .on_conflict_do_nothing()
        .returning(Notice.id)
    )
    return session.execute(statement).first() is not None


def _readers(session: Session, account: Account) -> list[str]:
    """Return who reads mails about billing: the owners, and the address for invoices."""
    statement = (
        select(Member.email)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(
            Role.code == "owner", Member.state == "active", Member.deleted_at.is_(None), Member.email != ""
        )
    )
    found = list(session.execute(statement.order_by(Member.id).limit(20)).scalars())
    return list(dict.fromkeys([*found, *([account.invoice_email] if account.invoice_email else [])]))


# --- what stands in them ----------------------------------------------------------------------------------------


def text_of(
    kind: str, firm: str, date: str, plan: str = "", reason: str = "", plugin: str = ""
) -> tuple[str, str, str]:
    """Return subject, text and the words of the link of a mail, in the present language."""
    if kind == "called_off":
        return (
            _("%(firm)s: the smaller plan was called off", firm=firm),
            _(
                "%(firm)s was to have the plan %(plan)s from the next period on, but it does not fit: %(reason)s "
                "The present plan goes on. Choose the smaller plan again once it fits.",
                firm=firm,
                plan=plan,
                reason=reason,
            ),
            _("Look at plan and seats"),
        )
    stem, _line, days = kind.rpartition("_")
    if stem == "addon":
        return (
            _n(
                "%(plugin)s: the days to try end in %(num)s day",
                "%(plugin)s: the days to try end in %(num)s days",
                int(days),
                plugin=addon_prices.name_of(plugin),
            ),
            _(
                "%(firm)s can try %(plugin)s until %(date)s. Buy it until then, and work goes on without a break. "
                "Otherwise it is paused; its data is kept and can be exported.",
                firm=firm,
                plugin=addon_prices.name_of(plugin),
                date=date,
            ),
            _("Look at the price"),
        )
    if stem == "trial":
        return (
            _n(
                "%(firm)s: the trial ends in %(num)s day",
                "%(firm)s: the trial ends in %(num)s days",
                int(days),
                firm=firm,
            ),
            _(
                "The trial of %(firm)s ends on %(date)s. Choose a plan until then, and work goes on without a break. "
                "Without a plan everything can still be read and exported.",
                firm=firm,
                date=date,
            ),
            _("Choose a plan"),
        )
    if stem == "failed":
        return (
            _("%(firm)s: a payment failed", firm=firm),
            _(
                "The last invoice of %(firm)s could not be paid. All goes on until %(date)s; pay until then. "
                "Afterwards everything can be read and exported, but nothing changed.",
                firm=firm,
                date=date,
            ),
            _("Pay the invoice"),
        )
    if stem == "closing":
        return (
            _n(
                "%(firm)s is closed in %(num)s day",
                "%(firm)s is closed in %(num)s days",
                int(days),
                firm=firm,
            ),
            _(
                "The subscription of %(firm)s has ended. Until %(date)s everybody can read and export; "
                "then the firm is closed. Export your data, or start again.",
                firm=firm,
                date=date,
            ),
            _("Export or start again"),
        )
    if kind == "restricted":
        return (
            _("%(firm)s can only be read now", firm=firm),
            _(
                "An invoice of %(firm)s is still unpaid, so that nothing can be changed for now. "
                "Pay it, and writing works again at once.",
                firm=firm,
            ),
            _("Pay the invoice"),
        )
    return (
        _("%(firm)s: the subscription has ended", firm=firm),
        _(
            "The subscription of %(firm)s has ended. Until %(date)s everything can be read and exported; "
            "starting again goes on with the same data.",
            firm=firm,
            date=date,
        ),
        _("Start again"),
    )


_PHASES = {
    "trial": {Phase.TRIAL},
    "failed": {Phase.GRACE},
    "restricted": {Phase.RESTRICTED},
    "ended": {Phase.ENDED},
    "closing": {Phase.ENDED},
    "called": {Phase.ACTIVE, Phase.GRACE, Phase.RESTRICTED},
    "addon": {Phase.TRIAL, Phase.ACTIVE, Phase.GRACE, Phase.CONFIRMING},
}


@mail.values_for(MAIL)
def _letter(session: Session, values: mail.Values) -> mail.Values | None:
    """Complete a mail; one whose cause is gone meanwhile is not sent."""
    kind = str(values["kind"])
    tenant = context.tenant()
    if facts.standing(tenant).phase not in _PHASES[kind.partition("_")[0]]:
        return None
    slug = str(values.get("more", {}).get("plugin", ""))
    if slug and not _tries(slug):
        return None
    moment = facts.moment(values.get("date"))
    subject, text, action = text_of(
        kind, str(values["firm"]), day_of(moment, tenant.zone), **values.get("more", {})
    )
    if kind.partition("_")[0] in ("failed", "restricted"):
        text = " ".join(filter(None, (text, _open_text(session))))
    base = site.url_of(tenant)
    demo = modes.mode() is BillingMode.DEMO
    return {
        **values,
        "subject": subject,
        "text": text,
        "action": action,
        "url": f"{base}/settings/plugins/{slug}" if slug else f"{base}/settings/billing",
        "demo": demo,
    }


def _open_text(session: Session) -> str:
    """Say which invoice has waited longest, and how much of it is open."""
    statement = select(Invoice).where(Invoice.status == "open").order_by(Invoice.made_at).limit(1)
    row = session.execute(statement).scalar_one_or_none()
    if row is None:
        return ""
    amount = show(row.due, row.currency, str(get_locale() or "en"))
    return _("Open: %(amount)s of invoice %(number)s.", amount=amount, number=row.number)


def day_of(moment: dt.datetime | None, zone: str) -> str:
    """Return the day of a moment as people of the present language write it."""
    return str(format_date(moment.astimezone(ZoneInfo(zone)).date(), "long")) if moment is not None else ""
