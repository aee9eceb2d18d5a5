"""The page of plugins: what is installed, on or off here, and what went wrong."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from kehu.accounts.signin import own_path
from kehu.addons.services import PluginService
from kehu.core import db
from kehu.core.i18n import _
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.render import render_page
from kehu.web.toasts import toast


def _back() -> Any:
    target = own_path(request.form.get("next"))
    return redirect(target if target != "/" else "/settings/plugins", 303)


@blueprint.get("/settings/plugins")
@needs("plugins:manage")
def plugins() -> Any:
    """Show the installed plugins."""
    return render_page("settings/plugins.html", cards=PluginService(db.session()).cards())


@blueprint.post("/settings/plugins/<slug>/on")
@needs("plugins:manage")
def plugin_on(slug: str) -> Any:
    """Switch a plugin on."""
    plan = PluginService(db.session()).enable(slug)
    toast(_("%(plugin)s is on.", plugin=", ".join(step.name for step in plan.steps) or slug))
    return _back()


@blueprint.post("/settings/plugins/<slug>/off")
@needs("plugins:manage")
def plugin_off(slug: str) -> Any:
    """Switch a plugin off."""
    plan = PluginService(db.session()).disable(slug)
    toast(_("%(plugin)s is off. Its data stays.", plugin=", ".join(step.name for step in plan.steps) or slug))
    return _back()
