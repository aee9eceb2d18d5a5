"""Edit one value where it stands, on a record or in a list; a stale one asks which of two values counts."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kehu.core import context, db
from kehu.core.errors import Duplicate, InvalidInput, StaleVersion
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import formulas
from kehu.core.records.fields import Field, FieldError
from kehu.core.records.kinds import load_value
from kehu.core.records.service import RecordService, service_for
from kehu.web.records import forms
from kehu.web.records.answers import done_toast
from kehu.web.records.cells import RowWriter, short_id
from kehu.web.records.detail import fact_html, fact_of
from kehu.web.records.display import Displayer
from kehu.web.render import render_page
from kehu.web.toasts import add_trigger

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


def field(pages: RecordPages, record_id: uuid.UUID, key: str) -> ResponseReturnValue:
    """Answer the editor of a value (GET), or save it and answer its display (POST)."""
    spec = pages.type.editable.get(key)
    if spec is None:
        abort(404)
    service = service_for(pages.name, db.session())
    if request.method == "GET":
        record = service.get(record_id, action="write")
        return _editor(pages, record, spec)
    return _save(pages, service, record_id, spec)


def _in_list() -> bool:
    return request.args.get("in") == "list"


def _save(
    pages: RecordPages, service: RecordService[Any], record_id: uuid.UUID, spec: Field
) -> ResponseReturnValue:
    values = forms.read([spec], request.form)
    values.setdefault(spec.key, "")
    typed = values[spec.key]
    version = request.form.get("version", "")
    try:
        # A record that a look-up names as new comes first; it goes again if the write is refused.
        record = service.update(
            record_id,
            forms.resolve_all(service.session, pages.type, dict(values)),
            version=int(version) if _is_int(version) else None,
        )
    except StaleVersion as error:
        return _conflict(pages, record_id, spec, typed, error)
    except (InvalidInput, Duplicate) as error:
        messages = (
            error.fields.get(spec.key)
            or [text for texts in error.fields.values() for text in texts]
            or [str(error.message)]
        )
        service.session.rollback()
        record = service.get(record_id, action="write")
        return _editor(pages, record, spec, typed=typed, error=" ".join(messages), status=422)
    if service.session.info.get("audit_batch"):
        label, title = str(spec.label), service.title_of(record)
        done_toast(service.session, _("Changed %(field)s of “%(name)s”", field=label, name=title))
    closing = {"HX-Trigger": "kehu:close"} if request.form.get("mine") else {}
    response = render_page("records/value.html", {}, element=_element(pages, record, spec), cell_id="")
    response.headers.extend(closing)
    if (spec.key == pages.type.title or formulas.of_type(pages.name)) and not _in_list():
        add_trigger(response, "kehu:refresh")  # Heading, crumb and tab bear the name too; formulas follow.
    return response


def _is_int(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _editor(
    pages: RecordPages, record: Any, spec: Field, *, typed: Any = None, error: str = "", status: int = 200
) -> ResponseReturnValue:
    currency = spec.currency_on(record) or context.tenant().currency
    names = forms.names_of(pages.type, {spec.key: typed if typed is not None else getattr(record, spec.key)})
    control = forms.control(
        spec,
        getattr(record, spec.key),
        currency=currency,
        names=names,
        error=error,
        focus=True,
        raw=typed,
        spare=1,
    )
    return render_page(
        "records/editor.html",
        {},
        status=status,
        control=control,
        url=_url(pages, record.id, spec),
        version=request.form.get("version") or record.version,
        error=error,
        label=_("%(field)s of %(name)s", field=spec.label, name=getattr(record, pages.type.title)),
    )


def _url(pages: RecordPages, record_id: uuid.UUID, spec: Field) -> str:
    more = {"in": "list"} if _in_list() else {}
    return pages.url("field", record_id=record_id, key=spec.key, **more)


def _names(pages: RecordPages, record: Any, spec: Field) -> dict[uuid.UUID, str]:
    return forms.names_of(pages.type, {spec.key: getattr(record, spec.key)})


def _element(pages: RecordPages, record: Any, spec: Field) -> Markup:
    """Return the value's element anew: a cell of a list, or a fact of a record."""
    names = _names(pages, record, spec)
    if not _in_list():
        return fact_html(fact_of(Displayer(pages.type), spec, record, names, _url(pages, record.id, spec)))
    value = getattr(record, spec.key)
    row = {
        "id": record.id,
        spec.key: value,
        spec.currency_from: getattr(record, spec.currency_from, ""),
        f"{spec.key}__title": names.get(value) if spec.kind in ("member", "ref") else None,
    }
    return RowWriter(pages, [spec]).one_cell(row, spec.key)


def _conflict(
    pages: RecordPages, record_id: uuid.UUID, spec: Field, typed: Any, error: StaleVersion
) -> ResponseReturnValue:
    """Ask which value counts: the one in the database or the one just typed."""
    service = service_for(pages.name, db.session())
    record = service.get(record_id, action="write")
    displayer = Displayer(pages.type, linked=False)
    names = {**_names(pages, record, spec), **forms.names_of(pages.type, {spec.key: typed})}
    mine = _loaded(service, spec, typed, record)
    theirs = getattr(record, spec.key)
    currency = spec.currency_on(record) or context.tenant().currency

    def shown(value: Any) -> Markup:
        found = parse_id(value) if spec.kind in ("member", "ref") else None
        return displayer.html(spec, value, title=names.get(found) if found else None, currency=currency)

    return render_page(
        "records/conflict.html",
        {},
        status=409,
        label=str(spec.label),
        title=service.title_of(record),
        mine=shown(mine),
        theirs=shown(theirs),
        same=mine == theirs,
        who=error.details.get("changed_by") or _("Somebody else"),
        when=error.details.get("changed_at"),
        url=_url(pages, record_id, spec),
        version=record.version,
        sent=_sent(spec),
        cell_id=f"{short_id(record_id)}-{spec.key}" if _in_list() else f"fact-{spec.key}",
        element=_element(pages, record, spec),
    )


def _loaded(service: RecordService[Any], spec: Field, typed: Any, record: Any) -> Any:
    try:
        return load_value(spec, typed, service.load_context({}, record))
    except FieldError:
        return None


def _sent(spec: Field) -> list[tuple[str, str]]:
    """Return what the form sent for the field, to send it once more."""
    wanted = (spec.key, f"{forms.PRESENT}{spec.key}")
    return [
        (key, value)
        for key, value in request.form.items(multi=True)
        if key in wanted or key.startswith(f"{spec.key}.")
    ]
