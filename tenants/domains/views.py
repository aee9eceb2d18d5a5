"""The page «Address»: the name under the base domain, and a domain of the firm's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, redirect, request
from sqlalchemy import select

from kehu.accounts import signin
from kehu.accounts.firm_views import handover_url
from kehu.accounts.services import AccountService
from kehu.core import clock, context, db, site
from kehu.core.errors import InvalidInput, TooMany
from kehu.core.i18n import _, _l
from kehu.settings.pages import SettingsPage, register
from kehu.web import limits
from kehu.web.access import needs, public
from kehu.web.render import render_page
from kehu.web.toasts import toast
from tenants.domains.looking import PREFIX, record_name
from tenants.domains.models import SERVING, Domain
from tenants.domains.permissions import RIGHT
from tenants.domains.renaming import KEPT, AddressService
from tenants.domains.services import AGAIN, GRACE, DomainService
from tenants.views import blueprint

PAGE = "/settings/address"

register(
    SettingsPage(
        key="address",
        label=_l("Address"),
        text=_l("The name under which the firm is reached, and a domain of its own"),
        url=PAGE,
        icon="world",
        permission=RIGHT,
        order=15,
    )
)


def _page(status: int = 200, errors: Mapping[str, Any] | None = None) -> Response:
    session, tenant = db.session(), context.tenant()
    domain = DomainService(session).find()
    asked = domain is not None and domain.asked_at is not None
    busy = asked and (domain.checked_at is None or domain.checked_at < domain.asked_at)  # type: ignore[union-attr, operator]
    return render_page(
        "domains/settings.html",
        status=status,
        errors=errors or {},
        form={key: value for key, value in request.form.items() if key != "current"},
        tenant=tenant,
        base_domain=current_app.extensions["kehu.settings"].base_domain,
        old=AddressService(session).old(),
        kept=KEPT.days,
        grace=GRACE.days,
        domain=domain,
        busy=busy and clock.now() - domain.asked_at < AGAIN * 6,  # type: ignore[union-attr, operator]
        records=_records(domain),
    )


def _records(domain: Domain | None) -> list[tuple[str, str, str, bool]]:
    """Return the records that name servers need: kind, name, value, and whether the last check missed it."""
    if domain is None:
        return []
    target = current_app.extensions["kehu.settings"].base_domain
    return [
        ("CNAME", domain.host, target, domain.error == "target"),
        ("TXT", record_name(domain.host), f"{PREFIX}{domain.token}", domain.error == "txt"),
    ]


@blueprint.get(PAGE)
@needs(RIGHT)
def address() -> Any:
    """Show where the firm is reached."""
    return _page()


@blueprint.post(PAGE)
@needs(RIGHT)
def address_post() -> Any:
    """Rename the address."""
    user = signin.signed_in_user()
    host_was = site.sub_domain()
    try:
        limits.count(limits.entry_rate(), "password", str(user.id))
        AccountService(db.session()).confirm_password(user, request.form.get("current", ""))
        tenant = AddressService(db.session()).rename(request.form.get("address", ""))
    except InvalidInput as error:
        return _page(error.status, error.fields)
    except TooMany as error:
        return _page(error.status, {"current": [str(error.message)]})
    toast(_("The firm is reached at %(address)s now.", address=site.base_of(tenant)))
    if host_was:
        return redirect(handover_url(user, tenant.address, PAGE), 303)
    return redirect(PAGE, 303)


@blueprint.post(f"{PAGE}/domain")
@needs(RIGHT)
def domain_post() -> Any:
    """Claim a domain."""
    base = current_app.extensions["kehu.settings"].base_domain
    try:
        DomainService(db.session()).claim(request.form.get("host", ""), base)
    except InvalidInput as error:
        return _page(error.status, error.fields)
    toast(_("Now set the two records at your name servers, then have them checked."))
    return redirect(PAGE, 303)


@blueprint.post(f"{PAGE}/domain/check")
@needs(RIGHT)
def domain_check() -> Any:
    """Have the domain checked."""
    DomainService(db.session()).ask()
    return redirect(PAGE, 303)


@blueprint.post(f"{PAGE}/domain/remove")
@needs(RIGHT)
def domain_remove() -> Any:
    """Remove the domain; who is on it goes on at the name under the base domain."""
    tenant = context.tenant()
    there = site.host() == site.domain_of(tenant)
    DomainService(db.session()).remove()
    toast(_("The domain is removed. The firm is reached at %(address)s.", address=site.base_of(tenant)))
    if there:
        return redirect(handover_url(signin.signed_in_user(), tenant.address, PAGE), 303)
    return redirect(PAGE, 303)


@blueprint.get("/domain-served")
@public
def domain_served() -> Response:
    """Tell a proxy that makes certificates on demand whether a domain is one of ours: 200, else 404."""
    host = request.args.get("domain", "")[:255].lower().rstrip(".")
    served = select(Domain.host).where(Domain.host == host, Domain.state.in_(SERVING))
    found = db.session().execute(served).first() is not None
    if not found:  # A proxy asks from one address; who knocks with made-up names must not use up its rate.
        limits.count("120 per minute", "domain-served", limits.address())
    return Response("yes" if found else "no", 200 if found else 404, content_type="text/plain")
