"""Create a record: the least that is needed, all fields on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import Duplicate, InvalidInput
from kehu.core.i18n import _
from kehu.core.records.fields import Field
from kehu.core.records.service import service_for
from kehu.web.records import forms
from kehu.web.records.answers import done, done_toast, go_to, is_htmx, wants_page
from kehu.web.records.once import new_key, once
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


def new(pages: RecordPages) -> ResponseReturnValue:
    """Show the form for a new record, or create one."""
    full = request.values.get("full") == "1"
    fields = form_fields(pages, full)
    if request.method == "GET":
        return _form(pages, fields, dict(request.args), {}, new_key(), full)
    values = forms.read(list(pages.type.editable.values()), request.form)
    session = db.session()
    try:
        with once(session, request.form.get("idempotency_key")) as sending:
            if sending.again:
                return _lead_on(pages, sending.url)
            made = service_for(pages.name, session).create(
                _given(forms.resolve_all(session, pages.type, dict(values)))
            )
            sending.url = pages.type.url(made.id)
    except (InvalidInput, Duplicate) as error:
        session.rollback()  # The form is drawn from what is kept; its key may be used again.
        return _form(
            pages,
            fields,
            values,
            error.fields or {"_": [str(error.message)]},
            request.form.get("idempotency_key", ""),
            full,
        )
    title = service_for(pages.name, session).title_of(made)
    done_toast(session, _("Created %(thing)s “%(name)s”", thing=pages.type.label, name=title))
    return _lead_on(pages, sending.url)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was not filled in, so that defaults hold."""
    return {key: value for key, value in values.items() if value not in ("", [])}


def _lead_on(pages: RecordPages, url: str) -> ResponseReturnValue:
    if request.values.get("stay") == "1" and is_htmx():
        return done("kehu:close", "kehu:refresh")
    target = url if pages.options.after_create == "record" and url else pages.path
    return go_to(target) if is_htmx() else redirect(target, 303)


def form_fields(pages: RecordPages, full: bool) -> list[Field]:
    """Return the fields that the form asks for: all, or the quick ones and those that nothing else fills in."""
    editable = pages.type.editable.values()
    return [one for one in editable if full or one.quick or (one.required and one.default is None)]


def _form(
    pages: RecordPages,
    fields: Sequence[Field],
    values: Mapping[str, Any],
    errors: Mapping[str, Sequence[str]],
    key: str,
    full: bool,
) -> ResponseReturnValue:
    # A field that was preset or is wrong is asked for too.
    more = [
        one
        for one in pages.type.editable.values()
        if one not in fields and (one.key in errors or values.get(one.key))
    ]
    fields = [*fields, *more]
    names = forms.names_of(pages.type, values)
    first = next((one.key for one in fields if one.key in errors), fields[0].key if fields else "")
    controls = {
        one.key: forms.control(
            one,
            _default(pages, one),
            currency=context.tenant().currency,
            names=names,
            error=" ".join(errors.get(one.key, ())),
            focus=one.key == first,
            raw=values.get(one.key),
        )
        for one in fields
    }
    return render_page(
        "records/new.html",
        {},
        status=422 if errors else 200,
        pages=pages,
        groups=groups(pages, fields, controls),
        errors=dict(errors),
        labels={one.key: str(one.label) for one in fields},
        key=key,
        full=full,
        stay=request.values.get("stay", ""),
        action=pages.url("new"),
        full_url=pages.url("new", **{**_plain(values), "full": "1", "stay": request.values.get("stay", "")}),
        as_page=wants_page(),
    )


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        key: value for key, value in values.items() if isinstance(value, str) and value and len(value) < 500
    }


def _default(pages: RecordPages, field: Field) -> Any:
    if field.key == pages.type.owner:
        return context.actor().member_id
    return field.default() if callable(field.default) else field.default


def groups(
    pages: RecordPages, fields: Sequence[Field], controls: Mapping[str, dict[str, Any]]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return controls by section, in the order of the declaration."""
    labels = {"main": "", **{key: str(label) for key, label in pages.type.sections.items()}}
    found: dict[str, list[dict[str, Any]]] = {}
    for one in fields:
        found.setdefault(one.section, []).append(controls[one.key])
    return [(labels.get(key, key), inner) for key, inner in found.items()]
