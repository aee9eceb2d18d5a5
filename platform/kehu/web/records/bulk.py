"""Many records at once: what the bulk bar offers, the questions it asks, and the doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, abort, make_response, request
from flask.typing import ResponseReturnValue

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _n
from kehu.core.records.fields import Field, FieldError
from kehu.core.records.kinds import load_value
from kehu.core.records.service import service_for
from kehu.views import bulk as work
from kehu.views import repair
from kehu.views.bulk import Order, Picked
from kehu.views.models import BulkRun
from kehu.web.records import forms, query
from kehu.web.records.answers import done, undo_url
from kehu.web.render import render_page
from kehu.web.toasts import toast

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

ASK_OVER = 50
JOB_OVER = 500
SETTABLE = frozenset({"choice", "member"})


@dataclass(frozen=True, kw_only=True)
class Action:
    """One entry of the bulk bar; `dialog` ones ask for a value first."""

    name: str
    label: str
    icon: str
    url: str
    dialog: bool = True


def bulk_actions(pages: RecordPages) -> list[Action]:
    """Return what the member may do with many records of a type."""
    actor, found = context.actor(), []

    def add(name: str, label: str, icon: str, *, dialog: bool = True) -> None:
        found.append(
            Action(name=name, label=label, icon=icon, url=f"{pages.path}/bulk/{name}", dialog=dialog)
        )

    if actor.may(f"{pages.name}:write"):
        for one in _settable(pages):
            if one.key == pages.type.owner:
                add(f"set.{one.key}", _("Change %(field)s", field=str(one.label).lower()), "user")
        if "tags" in pages.type.editable:
            add("tag", _("Tag"), "tag")
        if any(one.key != pages.type.owner for one in _settable(pages)):
            add("set", _("Change a field"), "edit")
    if actor.may(f"{pages.name}:write") and repair.can_repair(pages.type):
        add("repair", _("Tidy up"), "circle-check", dialog=False)
    if actor.may(f"{pages.name}:export"):
        add("export", _("Export"), "download", dialog=False)
    if actor.may(f"{pages.name}:delete"):
        add("trash", _("Move to trash"), "trash", dialog=False)
    return found


def _settable(pages: RecordPages) -> list[Field]:
    return [
        one
        for one in pages.type.editable.values()
        if one.kind in SETTABLE and one.key not in pages.options.hidden
    ]


def act(pages: RecordPages, action: str) -> ResponseReturnValue:
    """Ask what to do (GET), or do it with the selected records (POST)."""
    if action not in {"set", "tag", "export", "trash", "repair"} and not action.startswith("set."):
        abort(404)
    if request.method == "GET":
        said = request.args.get("count", "")
        return _ask(pages, action, {}, int(said) if said.isdecimal() and len(said) < 9 else 0)
    picked = _picked(pages)
    if action == "export":
        return _export(pages, picked)
    if action == "trash":
        return _run(pages, Order(action="trash"), picked)
    if action == "repair":
        return _run(pages, Order(action="repair"), picked) if repair.can_repair(pages.type) else abort(404)
    order, errors = _order(pages, action)
    if errors:
        return _ask(pages, action, errors, work.count(pages.type, picked), status=422)
    return _run(pages, order, picked)


def _picked(pages: RecordPages) -> Picked:
    """Return which records were selected: some by id, or all that match the list's query."""
    if request.form.get("all") == "1":
        return Picked(query=query.filters_only(query.parse(request.form.get("query", ""))))
    ids = work.parse_ids(request.form.get("ids", ""))
    if not ids:
        raise InvalidInput(_("Select at least one row first."))
    return Picked(ids=ids)


def _order(pages: RecordPages, action: str) -> tuple[Order, dict[str, list[str]]]:
    """Read what to change from the form."""
    if action == "tag":
        spec = pages.type.editable.get("tags")
        actor_tags = {"add": request.form.get("add", ""), "remove": request.form.get("remove", "")}
        if spec is None:
            abort(404)
        if not any(text.strip() for text in actor_tags.values()):
            return Order(action="tag"), {"add": [_("Write a tag to add or to remove.")]}
        loaded, errors = {}, {}
        for key, raw in actor_tags.items():
            try:
                loaded[key] = load_value(spec, raw, work.load_context())
            except FieldError as error:
                errors[key] = [str(error)]
        return Order(action="tag", add=loaded.get("add", []), remove=loaded.get("remove", [])), errors
    key = action.removeprefix("set.") if action.startswith("set.") else request.form.get("field", "")
    field = next((one for one in _settable(pages) if one.key == key), None)
    if field is None:
        return Order(action="set"), {"field": [_("Choose a field.")]}
    value = request.form.get(key, "")
    service = service_for(pages.name, db.session())
    _loaded, errors = service.load({key: value}, new=False)
    return Order(action="set", values={key: value}), errors


def _run(pages: RecordPages, order: Order, picked: Picked) -> ResponseReturnValue:
    session = db.session()
    context.actor().require(f"{pages.name}:{'delete' if order.action == 'trash' else 'write'}")
    total = work.count(pages.type, picked)
    if total == 0:
        raise InvalidInput(_("None of the selected records exists any more. Load the list again."))
    if order.action == "repair" and request.form.get("confirmed") != str(total):
        return _rehearse(pages, order, picked, total)
    if total > ASK_OVER and request.form.get("confirmed") != str(total) and not _asked(order, total):
        return _confirm(pages, order, total)
    if total > JOB_OVER:
        run = work.start(session, pages.name, order, picked, total)
        return _progress(run, first=True)
    outcome = work.apply(session, pages.type, order, work.ids_of(session, pages.type, picked))
    toast(sentence(pages, order, outcome.changed), undo_url=undo_url(session) if outcome.changed else None)
    if outcome.refused:
        toast(
            _n(
                "%(num)s record was left as it is: %(why)s",
                "%(num)s records were left as they are: %(why)s",
                outcome.refused,
                why=outcome.reason,
            ),
            "warn",
        )
    return done("kehu:close", "kehu:list")


def _asked(order: Order, total: int) -> bool:
    """Tell whether the dialog of a change named the number already: its own button says how many."""
    return order.action in ("set", "tag") and request.form.get("said") == str(total)


def _confirm(pages: RecordPages, order: Order, total: int) -> ResponseReturnValue:
    title = question(pages, order, total)
    sent = [
        (key, value)
        for key, value in request.form.items(multi=True)
        if key not in ("csrf_token", "confirmed", "said", "ids", "all", "query", "count")
    ]
    return render_page(
        "records/bulk_confirm.html",
        {},
        status=409,
        title=title,
        total=total,
        action=request.path,
        sent=sent,
        danger=order.action == "trash",
    )


def _rehearse(pages: RecordPages, order: Order, picked: Picked, total: int) -> ResponseReturnValue:
    """Show what tidying up would change before it is done."""
    session = db.session()
    found = repair.rehearse(
        session, pages.type, work.ids_of(session, pages.type, picked, limit=repair.LOOKED)
    )
    return render_page(
        "records/bulk_repair.html",
        {},
        status=409,
        title=question(pages, order, total),
        total=total,
        action=request.path,
        found=found,
    )


def words_of(pages: RecordPages, number: int) -> dict[str, str]:
    """Return number and object of a sentence, apart, since languages order them differently."""
    thing = pages.type.label if number == 1 else pages.type.plural
    return {"num": f"{number:,}", "things": str(thing).lower()}


def question(pages: RecordPages, order: Order, total: int) -> str:
    """Return what a confirmation asks, with object and number."""
    said = words_of(pages, total)
    if order.action == "trash":
        return _("Move %(num)s %(things)s to the trash", **said)
    if order.action == "tag":
        return _("Tag %(num)s %(things)s", **said)
    if order.action == "repair":
        return _("Tidy up %(num)s %(things)s", **said)
    return _("Change %(num)s %(things)s", **said)


def sentence(pages: RecordPages, order: Order, changed: int) -> str:
    """Return what a toast says after a bulk change."""
    said = words_of(pages, changed)
    if order.action == "trash":
        return _("Moved %(num)s %(things)s to the trash", **said)
    if order.action == "tag":
        return _("Tagged %(num)s %(things)s", **said)
    if order.action == "repair":
        return _("Looked through %(num)s %(things)s and tidied them up", **said)
    return _("Changed %(num)s %(things)s", **said)


def _ask(
    pages: RecordPages, action: str, errors: Mapping[str, list[str]], total: int, *, status: int = 200
) -> ResponseReturnValue:
    context.actor().require(f"{pages.name}:write")
    fields = _settable(pages)
    if action.startswith("set."):
        fields = [one for one in fields if one.key == action.removeprefix("set.")]
    if action in ("export", "trash", "repair") or (action != "tag" and not fields):
        abort(404)
    controls = [
        forms.control(
            one,
            None,
            raw=request.form.get(one.key, _first(pages, one)),
            error=" ".join(errors.get(one.key, ())),
            focus=len(fields) == 1,
        )
        for one in fields
        if one.key != pages.type.owner or action.startswith("set.")
    ]
    picked_field = request.values.get("field") or (controls[0]["name"] if controls else "")
    return render_page(
        "records/bulk_dialog.html",
        {},
        status=status,
        pages=pages,
        action=action,
        url=pages.url("bulk", action=action),
        controls=controls,
        single=action.startswith("set."),
        field=picked_field,
        errors=errors,
        total=total,
        title=question(pages, Order(action="tag" if action == "tag" else "set"), total),
        typed={key: request.form.get(key, "") for key in ("add", "remove")},
    )


def _first(pages: RecordPages, field: Field) -> str | None:
    """Return what a field starts with: of an owner who asks, since “nobody” should be meant."""
    return str(context.actor().member_id) if field.key == pages.type.owner else None


def _export(pages: RecordPages, picked: Picked) -> Response:
    """Lead to the file of the selected records."""
    context.actor().require(f"{pages.name}:export")
    if picked.ids is None:
        url = f"{pages.path}/export.csv?{query.write(picked.query)}"
    else:
        session = db.session()
        run = work.keep_selection(session, pages.name, picked.ids)
        url = f"{pages.path}/export.csv?selection={run.id}"
    response = make_response("", 204)
    response.headers["HX-Redirect"] = url
    return response


def _progress(run: BulkRun, *, first: bool = False) -> Response:
    response = render_page("records/bulk_progress.html", {}, run=run, first=first, message="")
    if first:
        response.headers["HX-Retarget"] = "#dialog"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def progress(run_id: Any) -> ResponseReturnValue:
    """Answer how far a bulk run is; the last answer offers Undo."""
    from kehu.web.records.pages import pages_of

    run = work.get_run(db.session(), run_id)
    pages = pages_of(run.object)
    message = ""
    if run.state == "done" and run.action in ("undo", "rewind"):
        taken = run.plan.get("tally", {}).get("taken", 0)
        message = _n("%(num)s record is as it was before.", "%(num)s records are as they were before.", taken)
    elif run.state == "done" and pages is not None:
        message = sentence(pages, Order(action=run.action), run.done - run.refused)
    return render_page("records/bulk_progress.html", {}, run=run, first=False, message=message)
