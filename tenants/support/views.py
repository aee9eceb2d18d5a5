"""The owner's page «Support access», and an operator's way in and out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Response, g, redirect, request, session
from sqlalchemy.orm import Session

from kehu.accounts import signin
from kehu.accounts.operators import operator, operator_only
from kehu.core import context, db, hooks
from kehu.core.context import TenantInfo
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _, _l, _n
from kehu.core.ids import parse_id
from kehu.settings.pages import SettingsPage, register
from kehu.web.access import needs, user_only
from kehu.web.render import render_page
from kehu.web.toasts import toast
from tenants.console.registry import Section, add
from tenants.console.views import blueprint as console
from tenants.support.edge import COOKIE, LEAVE, to_console
from tenants.support.permissions import RIGHT
from tenants.support.services import HOURS, SupportService
from tenants.views import blueprint

PAGE = "/settings/support"

register(
    SettingsPage(
        key="support",
        label=_l("Support access"),
        text=_l("Let the support of whoever runs Kehu look into the firm, for a while"),
        url=PAGE,
        icon="lifebuoy",
        permission=RIGHT,
        order=96,
    )
)


def _long(hours: int) -> str:
    if hours < 24:
        return _n("%(num)s hour", "%(num)s hours", hours)
    return _n("%(num)s day", "%(num)s days", hours // 24)


def _page(status: int = 200, errors: Mapping[str, Any] | None = None) -> Response:
    service = SupportService(db.session())
    hours = [(str(number), _long(number)) for number in HOURS]
    return render_page(
        "support/settings.html",
        status=status,
        grant=service.open_grant(),
        visits=service.visits(),
        hours=hours,
        errors=errors or {},
        form=request.form.to_dict(),
    )


@blueprint.get(PAGE)
@needs(RIGHT)
def support() -> Any:
    """Show whether support may come in, and who was inside."""
    return _page()


@blueprint.post(PAGE)
@needs(RIGHT)
def support_grant() -> Any:
    """Let support in."""
    try:
        SupportService(db.session()).grant(
            request.form.get("hours", ""), writes=request.form.get("writes") == "1"
        )
    except InvalidInput as error:
        return _page(error.status, error.fields)
    toast(_("Support may come in. You can end it here at any time."))
    return redirect(PAGE, 303)


@blueprint.post(f"{PAGE}/end")
@needs(RIGHT)
def support_end() -> Any:
    """Let nobody in any more."""
    SupportService(db.session()).end()
    toast(_("Support access has ended; who was inside is out."))
    return redirect(PAGE, 303)


# --- the operator ---------------------------------------------------------------------------------------------


def _section(own: Session, tenant: TenantInfo) -> Mapping[str, Any]:
    service = SupportService(own)
    return {"tenant": tenant, "grant": service.open_grant(), "visits": service.visits()}


@console.post("/operator/tenants/<uuid:tenant_id>/support/enter")
@operator_only
def enter(tenant_id: uuid.UUID) -> Any:
    """Go into a firm that lets support in."""
    operator()
    tenant = hooks.tenant_by_id(tenant_id)
    if tenant is None:
        raise NotFound(_("There is no such firm."))
    user = signin.signed_in_user()
    with db.unit_of_work(tenant=tenant, source="support") as own:
        visit = SupportService(own).enter(
            user, uuid.UUID(session["kehu_sid"]), request.form.get("reason", "")
        )
        visit_id = visit.id
    session[COOKIE], session["tenant_id"], session["kehu_firms"] = str(visit_id), str(tenant.id), []
    return redirect("/", 303)


@blueprint.get(LEAVE)
@user_only
def support_leave() -> Any:
    """Leave the firm."""
    visit_id, tenant = parse_id(session.pop(COOKIE, None)), context.current().tenant
    if visit_id is None or tenant is None:
        return redirect("/", 303)
    with db.unit_of_work(tenant=tenant, actor=None, source="support") as own:
        SupportService(own).leave(visit_id, g.user_id)
    signin.choose_firm(next(iter(firms := signin.firms_of(g.user_id)), None), firms)
    toast(_("You left the firm."))
    return to_console(f"/operator/tenants/{tenant.id}")


def join() -> None:
    """Put this part into the console."""
    add(
        Section(
            key="support", title=_l("Support access"), template="support/_firm.html", load=_section, order=15
        )
    )
