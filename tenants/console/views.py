"""Pages of the console."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, redirect, request

from kehu.accounts.operators import operator, operator_only
from kehu.core.errors import InvalidInput, KehuError
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of
from kehu.web.toasts import toast
from tenants.console import firm as firm_parts
from tenants.console.listing import listing
from tenants.console.registry import REASON, Columns, Filter, all_of
from tenants.console.services import ConsoleService

blueprint = Blueprint("console", __name__)

STATES = ("active", "suspended", "closed")


@blueprint.get("/operator")
@operator_only
def start() -> Any:
    """Begin with the firms."""
    return redirect("/operator/tenants", 303)


@blueprint.get("/operator/tenants")
@operator_only
def tenants() -> Any:
    """List the firms."""
    wanted = {key: value for key, value in request.args.items() if value}
    found = listing(wanted)
    kept = {key: value for key, value in wanted.items() if key != "after"}
    return render_page(
        "console/tenants.html",
        lines=found.lines,
        wanted=wanted,
        heads=[head for part in all_of(Columns) for head in part.heads.items()],
        filters=all_of(Filter),
        states=[(state, state_name(state)) for state in STATES],
        state_name=state_name,
        next_url=f"/operator/tenants?{urlencode({**kept, 'after': str(found.after)})}" if found.after else "",
        first_url=f"/operator/tenants?{urlencode(kept)}" if "after" in wanted else "",
    )


def state_name(state: str) -> str:
    """Return the state of a firm in words."""
    return {"active": _("In use"), "suspended": _("Suspended"), "closed": _("Closed")}[state]


@blueprint.get("/operator/tenants/<uuid:tenant_id>")
@operator_only
def tenant(tenant_id: uuid.UUID) -> Any:
    """Show one firm."""
    return _page(tenant_id)


@blueprint.post("/operator/tenants/<uuid:tenant_id>/<key>")
@operator_only
def act(tenant_id: uuid.UUID, key: str) -> Any:
    """Do something to a firm."""
    given = request.form.to_dict()
    try:
        said = ConsoleService(operator()).act(tenant_id, key, given)
    except InvalidInput as error:
        return _page(tenant_id, error.status, key, given, error.fields, str(error.message))
    except KehuError as error:
        return _page(tenant_id, error.status, key, given, {}, str(error.message))
    toast(said)
    return redirect(f"/operator/tenants/{tenant_id}", 303)


def _page(
    tenant_id: uuid.UUID,
    status: int = 200,
    asked: str = "",
    given: Mapping[str, str] | None = None,
    errors: Mapping[str, Any] | None = None,
    refused: str = "",
) -> Response:
    return render_page(
        "console/tenant.html",
        status=status,
        found=ConsoleService(operator()).firm(tenant_id),
        asked=asked,
        given=given or {},
        errors=errors or {},
        refused=refused,
        reason=REASON,
        request_id=str(new_id()),
        state_name=state_name,
    )


def _pages() -> Iterable[NavItem]:
    yield NavItem(key="tenants", label=_("Firms"), url="/operator/tenants", icon="building")
    yield NavItem(key="health", label=_("Health"), url="/operator/health", icon="activity")


def join(app: Flask) -> None:
    """Put the console into the application."""
    from tenants.console import health, health_views  # noqa: F401 - its pages stand on the blueprint

    app.register_blueprint(blueprint)
    health.join()
    shell_of(app).operator.insert(0, _pages)
    firm_parts.join()
