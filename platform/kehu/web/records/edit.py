"""The form with all fields of a record; only what the person changed is written."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import Duplicate, InvalidInput, StaleVersion
from kehu.core.i18n import _
from kehu.core.records.kinds import dump_value
from kehu.core.records.service import RecordService, service_for
from kehu.web.records import forms
from kehu.web.records.answers import done, done_toast, go_to, is_htmx, stands_alone, wants_page
from kehu.web.records.create import groups
from kehu.web.records.history import ChangeWriter
from kehu.web.records.inline import _is_int
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages


def edit(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Show the form with all fields, or save it."""
    service = service_for(pages.name, db.session())
    record = service.get(record_id, action="write")
    if request.method == "GET":
        return _form(pages, record, {}, {}, record.version)
    typed = forms.read(list(pages.type.editable.values()), request.form)
    seen = int(request.form["version"]) if _is_int(request.form.get("version", "")) else record.version
    try:
        _save(pages, service, record, forms.resolve_all(service.session, pages.type, dict(typed)), seen)
    except StaleVersion as error:
        return _form(
            pages, record, typed, _stale_texts(pages, error), record.version, status=409, stale=error
        )
    except (InvalidInput, Duplicate) as error:
        service.session.rollback()
        return _form(pages, record, typed, error.fields or {"_": [str(error.message)]}, seen, status=422)
    if service.session.info.get("audit_batch"):
        done_toast(service.session, _("Saved “%(name)s”", name=service.title_of(record)))
    if not is_htmx() or stands_alone():
        return go_to(pages.type.url(record_id))
    return done("kehu:close", "kehu:refresh")


def _save(
    pages: RecordPages, service: RecordService[Any], record: Any, typed: dict[str, Any], seen: int
) -> None:
    """Write what differs; what somebody else changed and this person left alone stays as it is."""
    loaded, errors = service.load(typed, new=False, record=record)
    if errors:
        raise InvalidInput(_("Some fields need another value."), fields=errors)
    changed = {key: typed[key] for key, value in loaded.items() if value != getattr(record, key)}
    if not changed:
        return
    try:
        with service.session.begin_nested():
            service.update(record.id, changed, version=seen)
    except StaleVersion as error:
        was, fields = error.details.get("was", {}), pages.type.by_key
        mine = {
            key: typed[key]
            for key in changed
            if not (key in was and dump_value(fields[key], loaded[key]) == was[key])
        }
        if any(key in error.details["conflicts"] for key in mine):
            raise
        if mine:
            service.update(record.id, mine)


def _stale_texts(pages: RecordPages, error: StaleVersion) -> dict[str, list[str]]:
    conflicts: dict[str, dict[str, Any]] = error.details["conflicts"]
    writer = ChangeWriter(
        [(pages.name, {key: [both["yours"], both["theirs"]] for key, both in conflicts.items()})]
    )
    who = error.details.get("changed_by") or _("Somebody else")
    return {
        change.key: [
            _(
                "%(who)s set this to “%(value)s” while you had it open. Save again to keep yours.",
                who=who,
                value=change.after,
            )
        ]
        for change in writer.changes(
            pages.name, {key: [both["yours"], both["theirs"]] for key, both in conflicts.items()}
        )
    }


def _form(
    pages: RecordPages,
    record: Any,
    typed: Mapping[str, Any],
    errors: Mapping[str, Sequence[str]],
    version: int,
    *,
    status: int = 200,
    stale: StaleVersion | None = None,
) -> ResponseReturnValue:
    fields = list(pages.type.editable.values())
    currency = getattr(record, "currency", "") or context.tenant().currency
    names = forms.names_of(pages.type, {**{one.key: getattr(record, one.key) for one in fields}, **typed})
    first = next((one.key for one in fields if one.key in errors), "")
    controls = {
        one.key: forms.control(
            one,
            getattr(record, one.key),
            currency=currency,
            names=names,
            error=" ".join(errors.get(one.key, ())),
            focus=one.key == first,
            raw=typed.get(one.key),
        )
        for one in fields
    }
    return render_page(
        "records/edit.html",
        {},
        status=status,
        pages=pages,
        title=service_for(pages.name, db.session()).title_of(record),
        groups=groups(pages, fields, controls),
        errors=dict(errors),
        labels={one.key: str(one.label) for one in fields},
        version=version,
        stale=stale,
        action=pages.url("edit", record_id=record.id),
        record_url=pages.type.url(record.id),
        as_page=wants_page(),
    )
