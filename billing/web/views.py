"""Settings, Plan and seats: where a firm stands, what it can have, what it costs, who holds a seat."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, redirect, request
from flask_babel import get_locale
from sqlalchemy import select

from billing import addon_prices, coupons, facts, modes, taxes
from billing.accounts import AccountService
from billing.catalogue import FEATURES, Plan, catalogue
from billing.models import Account, CreditNote, Invoice
from billing.offers import way_back
from billing.papers import draw, draw_credit_note
from billing.permissions import RIGHT
from billing.phases import Buy
from billing.providers.base import Outcome, Preview, Wish
from billing.providers.demo import DemoProvider
from billing.purchases import PurchaseService, default_seats, months_saved
from billing.seats import SeatService
from billing.stripe.operations import OperationService
from billing.stripe.orders import waiting_page
from billing.web import sealed, words
from billing.web.overview import Overview, overview
from kehu.core import context, db
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _, _l
from kehu.members.services import MemberService
from kehu.members.views import back_text, count_mail
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.results import BillingMode
from tenants import places

blueprint = Blueprint("billing", __name__, template_folder="../templates")
PAGE = "/settings/billing"
DETAILS = ("legal_name", "country", "address", "invoice_email", "tax_id")
"""What a firm says of itself for its invoices."""

register(
    SettingsPage(
        key="billing",
        label=_l("Plan and seats"),
        text=_l("What this costs, and who holds a seat"),
        url=PAGE,
        icon="credit-card",
        permission=RIGHT,
        order=25,
    )
)


@blueprint.before_request
def _only_where_something_is_billed() -> None:
    """Let nothing but the page itself exist while billing is off."""
    if modes.mode() is BillingMode.OFF and request.endpoint != "billing.show":
        abort(404)


def _back(message: str = "", level: str = "ok") -> Response:
    if message:
        toast(message, level)
    return redirect(PAGE, 303)  # type: ignore[return-value]


def _account() -> Account:
    session = db.session()
    return AccountService(session).find() or SeatService(session).locked()


# --- the page -----------------------------------------------------------------------------------------------------


@blueprint.get(PAGE)
@needs(RIGHT)
def show() -> Any:
    """Show where the firm stands, the plans, who holds a seat, invoices and history."""
    if modes.mode() is BillingMode.OFF:
        return render_page("billing/off.html", limit=modes.seat_limit())
    return _whole_page()


def _whole_page(errors: Mapping[str, Any] | None = None, typed: Mapping[str, str] | None = None) -> Response:
    """Return the page, with what was typed about invoices when that could not be kept."""
    session = db.session()
    account = _account()
    found = overview(session, account)
    currency = found.account.currency
    return render_page(
        "billing/show.html",
        status=422 if errors else 200,
        errors=errors or {},
        details=_typed(typed) if typed is not None else found.account,
        countries=_countries(),
        found=found,
        phase=words.PHASES[found.standing.phase],
        access=found.standing.access,
        currency=currency,
        seats=default_seats(session, found.account),
        saved={plan.ref: months_saved(plan, currency) for plan in found.plans},
        demo=DemoProvider(session) if modes.mode() is BillingMode.DEMO else None,
        said=words,
        manual=modes.mode() is BillingMode.MANUAL,
        names=FEATURES,
        intervals=list(words.INTERVALS.items()),
        open_invoice=next(iter(found.open), None),
        over=facts.fact_of(context.tenant()).get("over"),
        waiting=_waiting(PurchaseService(session), account),
        coupon=_coupon(found),
    )


def _countries() -> list[tuple[str, str]]:
    """Return all countries by name, in the reader's language."""
    return places.countries(str(get_locale() or "en"))


def _granted(wish: Wish | None, preview: Preview | None) -> str:
    """Return in words what the coupon of a wish takes off, and until when."""
    if wish is None or preview is None:
        return ""
    return words.coupon_text(coupons.granted(wish.coupon, preview.at), preview.at, context.tenant().zone)


def _coupon(found: Overview) -> str:
    """Return the coupon of the subscription in words, while it takes something off."""
    if not found.running or found.subscription is None:
        return ""
    tenant = context.tenant()
    return words.coupon_text(found.subscription.coupon, facts.now_of(facts.fact_of(tenant)), tenant.zone)


def _stops(service: PurchaseService, plan: Plan) -> list[str]:
    """Return what a firm would not have any more, or less of, with another plan."""
    lost = [words.feature_text(key, plan.features[key]) for key in service.what_stops(plan)]
    named = map(addon_prices.name_of, service.addons_that_stop(plan))
    return [*lost, *(_("%(plugin)s, which can be bought then", plugin=name) for name in named)]


def _waiting(service: PurchaseService, account: Account) -> dict[str, Any] | None:
    """Return the plan that waits for the end of the period, what stops then, and why it would not fit."""
    row = service.waiting.find()
    plan = service.waiting.plan_of(row) if row is not None else None
    if row is None:
        return None
    pending = row.pending or {}
    seats = int(pending.get("seats") or row.seats)
    return {
        "name": words.plan_name(pending.get("plan")),
        "text": words.line_text({"code": "seats", "plan": str(pending.get("plan")), "seats": seats}),
        "day": service.waiting.day_of(row),
        "stops": _stops(service, plan) if plan is not None else [],
        "problem": service.waiting.problem(account, row),
    }


# --- choosing -----------------------------------------------------------------------------------------------------


@blueprint.get(f"{PAGE}/plan")
@needs(RIGHT)
def choose() -> Any:
    """Show what a plan with so many seats costs, before anything is ordered."""
    return _preview_page(request.args.to_dict())


def _preview_page(
    values: dict[str, str],
    message: str = "",
    status: int = 200,
    details_errors: Mapping[str, Any] | None = None,
) -> Response:
    session = db.session()
    service = PurchaseService(session)
    account = _account()
    errors: dict[str, Any] = {}
    wish: Wish | None = None
    preview: Preview | None = None
    try:
        wish = service.wish(
            values.get("plan", ""),
            values.get("interval", "month"),
            values.get("seats", "") or str(default_seats(session, account)),
            values.get("currency", ""),
            values.get("coupon", ""),
        )
        preview = service.preview(wish)
    except InvalidInput as error:
        errors, status = error.fields, 422
    except Conflict as error:
        message, status = message or str(error.message), 422 if status == 200 else status
    return render_page(
        "billing/choose.html",
        status=status,
        wish=wish,
        preview=preview,
        errors=errors,
        message=message,
        values=values,
        account=account,
        details=_typed(values) if "legal_name" in values else account,
        details_errors=details_errors or {},
        plans=[(plan.key, plan.name) for plan in catalogue().newest()],
        intervals=list(words.INTERVALS.items()),
        currencies=[(one, one) for one in catalogue().currencies],
        fixed=bool(account.seats_billed),
        first=(now := service.accounts.subscription()) is None or not now.live,
        token=sealed.seal(wish, preview) if wish is not None and preview is not None else "",
        stops=_stops(service, wish.plan) if wish is not None else [],
        tax_text=taxes.reason(preview.tax_note) if preview is not None else "",
        coupon=_granted(wish, preview),
        country=dict(_countries()).get(account.country or context.tenant().country, ""),
        said=words,
        next=way_back(values.get("next", "")),
    )


@blueprint.post(f"{PAGE}/plan")
@needs(RIGHT)
def choose_post() -> Any:
    """Order what was shown."""
    values = request.form.to_dict()
    service = PurchaseService(db.session())
    try:
        wish = service.wish(
            values.get("plan", ""),
            values.get("interval", ""),
            values.get("seats", ""),
            values.get("currency", ""),
            values.get("coupon", ""),
        )
        shown = sealed.unseal(values.get("token", ""), wish)
        if shown is None:
            return _preview_page(values, status=422, message=_("Look at the price first, then confirm it."))
        wrong = _kept_details(values)
        if wrong:
            return _preview_page(values, status=422, details_errors=wrong)
        outcome = service.order(wish, *shown)
    except InvalidInput:
        return _preview_page(values, status=422)
    except Conflict as error:
        db.session().rollback()
        return _preview_page(values, str(error.message), 422)
    if outcome.state == "refused":
        return _answer(outcome)
    back = way_back(values.get("next", ""))
    if outcome.url:
        return redirect(f"{outcome.url}?{urlencode({'next': back})}" if back else outcome.url, 303)
    toast(_ordered(outcome))
    return redirect(back or PAGE, 303)


def _kept_details(values: Mapping[str, str]) -> Mapping[str, Any]:
    """Keep what a first order says for its invoices, and return what is wrong with it."""
    if "legal_name" not in values:
        return {}
    try:
        AccountService(db.session()).set_details(values)
    except InvalidInput as error:
        return error.fields
    return {}


def _typed(values: Mapping[str, str]) -> dict[str, str]:
    return {name: values.get(name, "") for name in DETAILS}


def _ordered(outcome: Outcome) -> str:
    if outcome.state == "needs_action":
        return _("One step is left: the first payment.")
    if outcome.state == "waits":
        return _("It begins when the present period ends. You can take this back at no cost until then.")
    return _("Done. The plan and the seats are as you chose.")


def _answer(outcome: Outcome, done: str = "") -> Response:
    if outcome.state == "refused":
        return _back(outcome.reason, "bad")
    if outcome.url:
        return redirect(outcome.url, 303)  # type: ignore[return-value]
    return _back(done)


# --- what can be done with a subscription -------------------------------------------------------------------------


@blueprint.post(f"{PAGE}/cancel")
@needs(RIGHT)
def cancel() -> Any:
    """End the subscription with its period."""
    service = PurchaseService(db.session())
    first = service.standing().access.buy is Buy.FINISH
    done = (
        _("The order is called off; nothing was paid.")
        if first
        else _("Cancelled. All goes on until the end of the period.")
    )
    return _answer(service.cancel(), done)


@blueprint.post(f"{PAGE}/undo")
@needs(RIGHT)
def undo() -> Any:
    """Let a cancelled subscription go on."""
    return _answer(PurchaseService(db.session()).undo_cancel(), _("The subscription goes on."))


@blueprint.post(f"{PAGE}/call-off")
@needs(RIGHT)
def call_off() -> Any:
    """Call a change off that waits for the end of the period."""
    return _answer(PurchaseService(db.session()).call_off(), _("The plan stays as it is."))


@blueprint.post(f"{PAGE}/pay")
@needs(RIGHT)
def pay() -> Any:
    """Pay what is open."""
    return _answer(PurchaseService(db.session()).pay_open(), _("Paid. Everything works again."))


@blueprint.post(f"{PAGE}/check")
@needs(RIGHT)
def check() -> Any:
    """Ask the provider again."""
    found = PurchaseService(db.session()).check()
    return _back(_("Looked again: %(phase)s.", phase=str(words.PHASES[found.phase][0])))


@blueprint.post(f"{PAGE}/details")
@needs(RIGHT)
def details() -> Any:
    """Keep what stands on invoices."""
    values = request.form.to_dict()
    try:
        changed = AccountService(db.session()).set_details(values)
    except InvalidInput as error:
        return _whole_page(error.fields, values)
    known = modes.mode() is BillingMode.STRIPE and (_account().stripe_customer_id or _account().tax_id)
    if changed and known:  # A tax id is checked before anything is bought with it.
        made = OperationService(db.session()).details()
        return redirect(waiting_page(made.id), 303)
    return _back(_("What stands on invoices is saved."))


@blueprint.get(f"{PAGE}/invoices/<uuid:invoice_id>.pdf")
@needs(RIGHT)
def invoice(invoice_id: uuid.UUID) -> Any:
    """Show an invoice as a paper."""
    session = db.session()
    row = session.execute(select(Invoice).where(Invoice.id == invoice_id)).scalar_one_or_none()
    if row is None or modes.mode() is BillingMode.STRIPE:
        abort(404)  # Stripe numbers and draws its invoices itself.
    return _paper(draw(row, _account(), context.tenant()), row.number)


@blueprint.get(f"{PAGE}/credit-notes/<uuid:note_id>.pdf")
@needs(RIGHT)
def credit_note(note_id: uuid.UUID) -> Any:
    """Show a credit note as a paper."""
    session = db.session()
    row = session.execute(select(CreditNote).where(CreditNote.id == note_id)).scalar_one_or_none()
    if row is None or modes.mode() is BillingMode.STRIPE:
        abort(404)
    of = session.execute(select(Invoice).where(Invoice.provider_id == row.invoice_id)).scalar_one()
    paper = draw_credit_note(row, of, _account(), context.tenant())
    return _paper(paper, row.number)


def _paper(paper: bytes, number: str) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{number}.pdf"'}
    return Response(paper, mimetype="application/pdf", headers=headers)


# --- the demo -----------------------------------------------------------------------------------------------------


@blueprint.post(f"{PAGE}/demo")
@needs(RIGHT)
def demo() -> Any:
    """Let something happen in the demo: a payment, one that fails, time that passes."""
    if modes.mode() is not BillingMode.DEMO:
        abort(404)
    session = db.session()
    provider, act = DemoProvider(session), request.form.get("act", "")
    service = PurchaseService(session, provider)
    if act == "pay":
        provider.let_fail(False)
        return _answer(service.pay_open(), _("Paid, in the demo: no money moved."))
    if act == "fail":
        provider.let_fail(True)
        return _back(_("From now on payments fail, until you press “Pay”."), "info")
    if act == "week":
        provider.run_ahead(dt.timedelta(days=7))
    elif act == "month":
        provider.to_period_end(_account().trial_ends_at)
    else:
        abort(404)
    found = service.check()
    return _back(_("Time has passed: %(phase)s.", phase=str(words.PHASES[found.phase][0])), "info")


# --- people -------------------------------------------------------------------------------------------------------


@blueprint.post(f"{PAGE}/people/<uuid:member_id>/park")
@needs("members:manage")
def park(member_id: uuid.UUID) -> Any:
    """Park a person, which frees the seat."""
    changed = MemberService(db.session()).park(member_id)
    return _back(_("%(name)s is parked; the seat is free. What you pay stays as it is.", name=changed.name))


@blueprint.post(f"{PAGE}/people/<uuid:member_id>/unpark")
@needs("members:manage")
def unpark(member_id: uuid.UUID) -> Any:
    """Let a parked person in again."""
    count_mail()
    try:
        changed = MemberService(db.session()).unpark(member_id)
    except Conflict as error:
        db.session().rollback()
        return _back(str(error.message), "bad")
    return _back(back_text(changed))
