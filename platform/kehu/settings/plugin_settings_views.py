"""The settings of one plugin: a form made from what the plugin declares."""

from __future__ import annotations

from typing import Any

from flask import redirect, request

from kehu.addons import settings
from kehu.core import context, db, hooks
from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.records.fields import Field
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.records import forms
from kehu.web.records.display import plain_text
from kehu.web.render import render_page
from kehu.web.toasts import toast
from plugins.results import SettingsSchema


def _plugin(slug: str) -> tuple[str, SettingsSchema]:
    record, schema = hooks.host().installed.get(slug), settings.schema_of(slug)
    if record is None or record.manifest is None or schema is None or slug not in hooks.enabled():
        raise NotFound(_("This plugin has no settings here."))
    return record.manifest.name, schema


@blueprint.get("/settings/plugins/<slug>/settings")
@needs("plugins:manage")
def plugin_settings(slug: str) -> Any:
    """Show what may be set."""
    return _form(slug, settings.shown(db.session(), slug), {})


@blueprint.post("/settings/plugins/<slug>/settings")
@needs("plugins:manage")
def save_plugin_settings(slug: str) -> Any:
    """Keep the settings; what can't be kept is shown again as it was typed."""
    name, schema = _plugin(slug)
    raw = forms.read(schema.fields, request.form)
    try:
        settings.save(db.session(), slug, raw, request.form.get("seen", ""))
    except InvalidInput as error:
        return _form(slug, {}, error.fields, raw, status=422, seen=request.form.get("seen", ""))
    except Conflict as error:
        return _form(slug, {}, {}, raw, status=422, problem=str(error.message))
    toast(_("The settings of %(plugin)s are kept.", plugin=name))
    return redirect("/settings/plugins", 303)


def _standing(slug: str, schema: SettingsSchema) -> dict[str, str]:
    """Return the settings as they are, in words."""
    values = settings.shown(db.session(), slug)
    return {field.key: _in_words(field, values.get(field.key)) for field in schema.fields}


def _in_words(field: Field, value: Any) -> str:
    if value in (None, ""):
        return "–"
    if field.kind == "bool":
        return _("Yes") if value else _("No")
    labels = {one.value: str(one.label) for one in field.choices()}
    return str(plain_text(field, value, currency=context.tenant().currency, labels=labels))


def _form(
    slug: str,
    values: dict[str, Any],
    errors: Any,
    raw: dict[str, Any] | None = None,
    *,
    status: int = 200,
    seen: str = "",
    problem: str = "",
) -> Any:
    name, schema = _plugin(slug)
    return render_page(
        "settings/plugin_settings.html",
        status=status,
        name=name,
        slug=slug,
        errors=errors,
        problem=problem,
        seen=seen or settings.mark(db.session(), slug),
        standing=_standing(slug, schema) if problem else {},
        specs=[
            forms.control(
                field,
                values.get(field.key),
                currency=context.tenant().currency,
                error=" ".join(errors.get(field.key, ())),
                raw=None if raw is None else raw.get(field.key, ""),
            )
            for field in schema.fields
        ],
        labels={field.key: str(field.label) for field in schema.fields},
    )
