"""Pages for whoever runs the installation, under a path of their own."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, current_app, redirect

from kehu.accounts.operators import operator_only
from kehu.accounts.signin import signed_in_user
from kehu.addons.operating import OperatorService
from kehu.core.i18n import _
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.api_version import API_VERSION

blueprint = Blueprint("addons", __name__)


@blueprint.get("/operator/plugins")
@operator_only
def operator_plugins() -> Any:
    """Show all plugins of the installation with their states, faults and firms."""
    service = OperatorService(signed_in_user())
    blocked = current_app.extensions["kehu.settings"].plugins_block
    return render_page(
        "addons/operator.html",
        plugins=service.plugins(),
        faults=service.faults(),
        held=service.held(),
        api=str(API_VERSION),
        blocked=[slug.strip() for slug in blocked.split(",") if slug.strip()],
    )


@blueprint.post("/operator/plugins/<slug>/resume/<uuid:tenant_id>")
@operator_only
def operator_resume(slug: str, tenant_id: uuid.UUID) -> Any:
    """Let a plugin run again in one firm."""
    tenant = OperatorService(signed_in_user()).resume(tenant_id, slug)
    toast(_("%(plugin)s runs again for %(firm)s.", plugin=slug, firm=tenant.name))
    return redirect("/operator/plugins", 303)
