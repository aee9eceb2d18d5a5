"""The public pages and the founding of firms."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, current_app, g, redirect, request, session
from flask_babel import get_locale

from kehu.accounts import signin
from kehu.accounts.firm_views import handover_url
from kehu.core import context, db, hooks, mail
from kehu.core.context import TenantInfo
from kehu.core.errors import InvalidInput, TooMany
from kehu.core.i18n import LOCALES, _
from kehu.web import limits
from kehu.web.access import public, user_only
from kehu.web.render import render_page
from tenants import places
from tenants.signup import Pending, SignupService, read_firm

blueprint = Blueprint("tenants", __name__, template_folder="templates")

WAITING = "kehu_signup"
FIRST_PAGE = "/start"


def landing() -> Response:
    """Return the page that says what Kehu is, for people who are not signed in."""
    return render_page("tenants/landing.html")


@blueprint.get("/welcome")
@public
def welcome() -> Any:
    """Say what Kehu is."""
    return landing()


@blueprint.get("/prices")
@public
def prices() -> Any:
    """Say what it costs here."""
    offer = hooks.first("kehu_price_list", currency=_proposed()["currency"])
    return render_page("tenants/prices.html", offer=offer)


# --- signing up -------------------------------------------------------------------------------------------


def _service() -> SignupService:
    return SignupService(db.session(), str(current_app.config["SECRET_KEY"]))


def _locale() -> str:
    return str(get_locale() or "en")


def _proposed(zone: str = "") -> dict[str, str]:
    tags = [tag for tag, _quality in request.accept_languages]
    return places.propose(tags, zone, _locale())


@blueprint.get("/signup/proposal")
@public
def proposal() -> Any:
    """Return country, currency and zone for the time zone of a browser."""
    found = _proposed(request.args.get("zone", "")[:60])
    return {key: found[key] for key in ("country", "currency", "zone")}


def _form_page(
    template: str, status: int = 200, error: InvalidInput | None = None, kept: dict[str, str] | None = None
) -> Response:
    locale = _locale()
    errors = dict(error.fields) if error is not None else {}
    return render_page(
        template,
        status=status,
        errors=errors,
        form=kept or request.form.to_dict(),
        proposed=_proposed(),
        countries=places.countries(locale),
        currencies=places.currencies(locale),
        zones=[(zone, zone.replace("_", " ")) for zone in places.zones()],
        languages=list(LOCALES.items()),
        # What is wrong must be in sight.
        open_details=bool({"address", "country", "currency", "zone", "locale"} & errors.keys()),
        base_domain=current_app.extensions["kehu.settings"].base_domain,
    )


@blueprint.get("/signup")
@public
def signup() -> Any:
    """Ask for name, firm, address and password."""
    if g.get("user_id") is not None:
        return redirect("/firms/new", 303)
    return _form_page("tenants/signup.html")


@blueprint.post("/signup")
@public
def signup_post() -> Any:
    """Take a sign-up; with mail, a code comes next, whether the address is known or not."""
    service, form = _service(), request.form.to_dict()
    try:
        limits.count(limits.entry_rate(), "signup", limits.address())
        if not mail.configured():
            return _without_mail(service, form)
        pending = service.begin(form, _proposed())
    except InvalidInput as error:
        return _form_page("tenants/signup.html", 422, error)
    except TooMany as error:
        # What was typed is kept for the time after the wait.
        response = _form_page(
            "tenants/signup.html", 429, InvalidInput(error.message, fields={"_": [str(error.message)]})
        )
        response.headers["Retry-After"] = str(error.details["retry_after"])
        return response
    session[WAITING] = pending.seal(service.secret_key)
    return redirect("/signup/code", 303)


def _without_mail(service: SignupService, form: dict[str, str]) -> Any:
    pending = service.read(form, _proposed())
    if service.accounts.by_email(pending.email) is not None:
        message = _("This address has an account already. Log in, then found the firm.")
        raise InvalidInput(message, fields={"email": [message]})
    return _enter(service, pending, confirmed=False)


def _enter(service: SignupService, pending: Pending, *, confirmed: bool) -> Any:
    user, firm = service.finish(pending, confirmed=confirmed)
    session.pop(WAITING, None)
    signin.sign_in(user, joined=firm)
    signin.remember_firm(user, firm.id)
    if signin.host_address():
        return redirect(handover_url(user, firm.address, FIRST_PAGE), 303)
    return redirect(FIRST_PAGE, 303)


@blueprint.get("/signup/code")
@public
def code() -> Any:
    """Ask for the code of the mail."""
    pending = Pending.unseal(session.get(WAITING), str(current_app.config["SECRET_KEY"]))
    if pending is None:
        return redirect("/signup", 303)
    return _code_page(pending)


def _code_page(pending: Pending, error: str = "", status: int = 200) -> Response:
    catcher = current_app.extensions["kehu.settings"].development
    return render_page("tenants/code.html", status=status, email=pending.email, error=error, catcher=catcher)


@blueprint.post("/signup/code")
@public
def code_post() -> Any:
    """Check the code, create person and firm, and let the person in."""
    service = _service()
    pending = Pending.unseal(session.get(WAITING), service.secret_key)
    if pending is None:
        return redirect("/signup", 303)
    limits.check("10 per hour", "signup-code", pending.id)
    given = "".join(request.form.get("code", "").split())[:20]
    if not hmac.compare_digest(given.encode(), pending.code.encode()):
        limits.count("10 per hour", "signup-code", pending.id)
        message = _("This code is not the one of the mail. Look for the newest mail and type its six digits.")
        return _code_page(pending, message, 422)
    try:
        return _enter(service, pending, confirmed=True)
    except InvalidInput as error:
        if "email" in error.fields:
            return _code_page(pending, str(error.fields["email"][0]), 422)
        firm = pending.firm
        kept = {
            "name": pending.person,
            "email": pending.email,
            "firm": firm.name,
            "address": firm.address,
            "country": firm.country,
            "currency": firm.currency,
            "zone": firm.zone,
            "locale": firm.locale,
        }
        return _form_page("tenants/signup.html", 422, error, kept)


# --- another firm for a person who has an account ---------------------------------------------------------


@blueprint.get("/firms/new")
@user_only
def new_firm() -> Any:
    """Ask for the name of another firm."""
    return _form_page("tenants/new_firm.html")


@blueprint.post("/firms/new")
@user_only
def new_firm_post() -> Any:
    """Create another firm for the person who is signed in."""
    limits.count(limits.entry_rate(), "firm", str(g.user_id))
    user = signin.signed_in_user()
    known = signin.firms_of(user.id)
    service = _service()
    try:
        with context.use(actor=context.SYSTEM):
            made = service.found(read_firm(request.form.to_dict(), _proposed()), user)
    except InvalidInput as error:
        return _form_page("tenants/new_firm.html", 422, error)
    db.bind_tenant(made)
    signin.remember_firm(user, made.id)
    return go_to(made, [made, *known], FIRST_PAGE)


def go_to(firm: TenantInfo, firms: list[TenantInfo], target: str) -> Any:
    """Go on in a firm, on its sub-domain if the browser is on one."""
    address = signin.host_address()
    if address and address != firm.address:
        return redirect(handover_url(signin.signed_in_user(), firm.address, target), 303)
    signin.choose_firm(firm, firms)
    return redirect(target, 303)
