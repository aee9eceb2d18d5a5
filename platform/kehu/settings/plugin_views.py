"""The page of plugins: what is installed, on or off here, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import redirect, request, send_from_directory

from kehu.accounts.signin import own_path
from kehu.addons import cards, purge, samples
from kehu.addons.services import PluginService
from kehu.addons.starter_rows import proposed_pipelines
from kehu.addons.states import TenantState
from kehu.core import db, hooks
from kehu.core.context import actor
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _, _l, _n
from kehu.core.records.types import registered
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.records.answers import done_toast
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.finder import manifest_path

DAY = 86_400


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
    plan = PluginService(db.session()).enable(slug, request.form.getlist("agreed") or None)
    toast(_("%(plugin)s is on.", plugin=", ".join(step.name for step in plan.steps) or slug))
    return _back()


@blueprint.post("/settings/plugins/<slug>/off")
@needs("plugins:manage")
def plugin_off(slug: str) -> Any:
    """Switch a plugin off."""
    plan = PluginService(db.session()).disable(slug, dependants="dependants" in request.form)
    toast(_("%(plugin)s is off. Its data stays.", plugin=", ".join(step.name for step in plan.steps) or slug))
    return _back()


WORDS: Mapping[str, Any] = {
    TenantState.AVAILABLE: _l("Not switched on"),
    TenantState.LOCKED: _l("Not part of your plan"),
    TenantState.ENABLING: _l("Being switched on"),
    TenantState.ENABLED: _l("On"),
    TenantState.UPGRADE_PENDING: _l("Being brought up to date"),
    TenantState.UPGRADE_ERROR: _l("Could not be brought up to date"),
    TenantState.QUARANTINED: _l("Rests after repeated faults"),
    TenantState.SUSPENDED: _l("Paused for now"),
    TenantState.DISABLED: _l("Off, data kept"),
    TenantState.PURGE_SCHEDULED: _l("Data is going to be removed"),
}
"""State -> what it is called."""


STANDING: Mapping[str, Any] = {
    "experimental": _l("experimental"),
    "stable": _l("stable"),
    "deprecated": _l("about to be withdrawn"),
}
"""What the author says of a plugin -> in words."""

OFFERS: Mapping[str, Any] = {
    "pipelines": _l("New pipeline"),
    "roles": _l("New role"),
    "texts": _l("Texts"),
    "samples": _l("On request"),
}
"""What a firm gets with a plugin -> the word in front of it."""


@blueprint.get("/settings/plugins/<slug>")
@needs("plugins:manage")
def plugin(slug: str) -> Any:
    """Show all that an admin decides about one plugin."""
    return _page(slug)


@blueprint.get("/settings/plugins/<slug>/pictures/<name>")
@needs("plugins:manage")
def picture(slug: str, name: str) -> Any:
    """Send one of the pictures that a plugin shows of itself."""
    card = PluginService(db.session()).card(slug)
    record = hooks.host().installed.get(slug)
    if record is None or name not in {file for file, _text in card.pictures}:
        raise NotFound(_("There is no such picture."))
    return send_from_directory(manifest_path(record.module).parent / "pictures", name, max_age=DAY)


def _touched(codes: Iterable[str]) -> list[str]:
    """Return what rights of a manifest are over, in words and each once."""
    types = registered()
    names = dict.fromkeys(code.partition(":")[0] for code in codes)
    return [str(types[name].plural) if name in types else name for name in names]


def _page(slug: str, problem: str = "", status: int = 200) -> Any:
    service = PluginService(db.session())
    card = service.card(slug)
    was_here = card.state not in (TenantState.AVAILABLE, TenantState.LOCKED)
    able = card.manifest.capabilities if card.manifest else ()
    plan = None if card.on or not card.installed else service.plan(slug)
    session = db.session()
    return render_page(
        "settings/plugin.html",
        status=status,
        card=card,
        states=WORDS,
        offers=OFFERS,
        places=purge.WORDS,
        sample=samples.state(db.session(), slug) if card.on and card.usable and not card.held else None,
        touched=_touched,
        standing=STANDING,
        proposed=proposed_pipelines(session, slug)
        if card.on and card.usable and actor().may("pipelines:write")
        else (),
        hosts=[one.partition(":")[2] for one in able if one.startswith(("http:", "send:"))],
        plan=plan,
        offer=cards.offer(slug),
        brings=cards.brings(slug),
        off=service.plan_off(slug) if card.on else None,
        preview=service.purge_preview(slug) if was_here and not card.on else None,
        problem=problem,
        typed=request.form.get("name", ""),
    )


@blueprint.post("/settings/plugins/<slug>/resume")
@needs("plugins:manage")
def plugin_resume(slug: str) -> Any:
    """Let a plugin that rests run again."""
    PluginService(db.session()).resume(slug)
    toast(_("%(plugin)s is tried again.", plugin=slug))
    return _back()


@blueprint.post("/settings/plugins/<slug>/purge")
@needs("plugins:manage")
def plugin_purge(slug: str) -> Any:
    """Have the data of a plugin removed in 30 days; another name than the plugin's is shown again as it was typed."""
    try:
        PluginService(db.session()).schedule_purge(slug, request.form.get("name", ""))
    except InvalidInput as error:
        return _page(slug, str(error.message), 422)
    toast(_("The data is removed in 30 days. Until then you can call it back here."))
    return _back()


@blueprint.post("/settings/plugins/<slug>/keep")
@needs("plugins:manage")
def plugin_keep(slug: str) -> Any:
    """Call a purge back."""
    PluginService(db.session()).call_back(slug)
    toast(_("The data is kept."))
    return _back()


@blueprint.post("/settings/plugins/<slug>/sample")
@needs("plugins:manage")
def plugin_sample(slug: str) -> Any:
    """Fill the firm with a plugin's sample data."""
    count = samples.SampleService(db.session()).fill(slug)
    toast(_n("%(num)s sample record was made.", "%(num)s sample records were made.", count))
    return _back()


@blueprint.post("/settings/plugins/<slug>/no-sample")
@needs("plugins:manage")
def plugin_no_sample(slug: str) -> Any:
    """Put a plugin's sample data into the trash, but for what somebody made his own."""
    report = samples.SampleService(db.session()).remove(slug)
    done_toast(
        db.session(),
        _n(
            "%(num)s sample record went into the trash.",
            "%(num)s sample records went into the trash.",
            report.removed,
        ),
    )
    if report.kept:
        toast(_("Kept, since somebody changed them: %(names)s", names=", ".join(report.kept[:5])))
    return _back()
