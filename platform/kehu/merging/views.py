"""Pages: likely doubles of all records or of one, the comparison of two, and the way back."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from kehu.core import audit, context, db, jobs
from kehu.core.errors import InvalidInput, NotFound, StaleVersion
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records.types import get as get_type
from kehu.core.records.types import registered
from kehu.merging import choosing, joining, listing, parting, services, settings_views
from kehu.merging.choosing import Choice
from kehu.merging.finding import LOOK, OBJECTS, DoublesService
from kehu.merging.services import MergeService
from kehu.merging.showing import shared
from kehu.web.access import needs
from kehu.web.records.answers import done, done_toast, go_to, is_htmx
from kehu.web.records.display import Displayer
from kehu.web.records.titles import pointers, titles
from kehu.web.render import render_page
from kehu.web.toasts import toast

__all__ = ["blueprint", "joining"]

blueprint = Blueprint("merging", __name__)
blueprint.register_blueprint(settings_views.blueprint)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One field of the comparison, drawn."""

    key: str
    label: str
    keep: Markup
    drop: Markup
    pick: str
    both: bool


def doubles(name: str) -> Response:
    """Show who may be there twice, the likeliest first."""
    found = DoublesService(db.session(), name).likely()
    return render_page("merging/doubles.html", {}, matches=found, **shared(name))


def look(name: str) -> ResponseReturnValue:
    """Look through all records now, behind the page."""
    jobs.enqueue(db.session(), LOOK, queueing_lock=f"{LOOK}:{context.tenant().id}")
    toast(_("All records are being looked through; what is likely stands here in a moment."), "info")
    return redirect(f"/{name}/doubles", 303)


def reject(name: str) -> ResponseReturnValue:
    """Remember that two records are not the same."""
    session = db.session()
    first, second = parse_id(request.form.get("first")), parse_id(request.form.get("second"))
    if first is None or second is None or first == second:
        raise NotFound(_("This record does not exist, or you may not see it."))
    DoublesService(session, name).reject(first, second)
    done_toast(session, _("Noted: they are not the same"))
    return done("kehu:refresh") if is_htmx() else redirect(f"/{name}/doubles", 303)


def of_record(name: str, record_id: uuid.UUID) -> Response:
    """Show who may be the same as one record, a search for others, and what was merged into it."""
    session = db.session()
    service = MergeService(session, name)
    record = service.records.get(record_id, action="write")
    finder = DoublesService(session, name)
    merges = service.done_with(record_id)
    wanted = request.args.get("q", "").strip()[:200]
    return render_page(
        "merging/of_record.html",
        {},
        record=record,
        matches=finder.of(record),
        wanted=wanted,
        found=finder.search(wanted, record_id) if wanted else [],
        merges=merges,
        names=services.names_of(session, name, merges),
        open_until=parting.open_until,
        **shared(name),
    )


def merges(name: str) -> Response:
    """Show what was merged, the latest first."""
    session = db.session()
    lines, more = listing.lines(session, name, parse_id(request.args.get("after")))
    members = {line.by for line in lines if line.by is not None}
    return render_page(
        "merging/merges.html",
        {},
        lines=lines,
        names=titles(session, {"members": members}),
        days=parting.DAYS,
        next_url=f"/{name}/merges?after={more}" if more else "",
        **shared(name),
    )


def compare(name: str, record_id: uuid.UUID, other_id: uuid.UUID) -> ResponseReturnValue:
    """Show two records side by side (GET), or merge them as chosen (POST)."""
    if request.method == "GET":
        return _comparison(name, record_id, other_id, {})
    service = MergeService(db.session(), name)
    picks = {
        key.removeprefix("pick."): value for key, value in request.form.items() if key.startswith("pick.")
    }
    try:
        with db.session().begin_nested():
            service.merge(record_id, other_id, picks, versions=_versions())
    except StaleVersion as error:
        return _comparison(name, record_id, other_id, picks, message=str(error.message), status=409)
    except InvalidInput as error:
        return _comparison(name, record_id, other_id, picks, errors=error.fields, status=422)
    kept = service.records.get(record_id)
    text = _("Merged into “%(name)s”", name=service.records.title_of(kept))
    toast(text, undo_url=f"/undo/{audit.batch_id(db.session())}")
    return go_to(service.records.type.url(record_id))


def _versions() -> tuple[int, int]:
    """Read the versions that the person saw.

    :raises InvalidInput: when they are no numbers.
    """
    found = [request.form.get(key, "") for key in ("keep_version", "drop_version")]
    if not all(one.isdecimal() and len(one) < 15 for one in found):
        raise InvalidInput(_("Load this page again; it does not say which records you saw."))
    return int(found[0]), int(found[1])


def _comparison(
    name: str,
    keep_id: uuid.UUID,
    drop_id: uuid.UUID,
    picks: dict[str, str],
    *,
    message: str = "",
    errors: Any = None,
    status: int = 200,
) -> Response:
    session = db.session()
    service = MergeService(session, name)
    keep, drop = service.two(keep_id, drop_id)
    return render_page(
        "merging/compare.html",
        {},
        status=status,
        keep=keep,
        drop=drop,
        lines=_lines(name, keep, drop, picks),
        moving=_moving(service.points_at(drop_id)),
        message=message,
        errors=errors or {},
        **shared(name),
    )


def _lines(name: str, keep: Any, drop: Any, picks: dict[str, str]) -> list[Line]:
    kind = get_type(name)
    wanted: dict[str, list[uuid.UUID]] = {}
    for record in (keep, drop):
        for target, ids in pointers(kind, record).items():
            wanted.setdefault(target, []).extend(ids)
    names = titles(db.session(), wanted)
    displayer = Displayer(kind, linked=False)

    def draw(one: Choice, record: Any, value: Any) -> Markup:
        title = names.get(value) if one.field.kind in ("member", "ref") else None
        return displayer.html(one.field, value, title=title, currency=getattr(record, "currency", ""))

    return [
        Line(
            key=one.field.key,
            label=str(one.field.label),
            keep=draw(one, keep, one.keep),
            drop=draw(one, drop, one.drop),
            pick=picks.get(one.field.key, one.pick),
            both=one.both,
        )
        for one in choosing.choices(kind, keep, drop)
    ]


def _moving(counts: Mapping[tuple[str, str], int]) -> list[tuple[str, int]]:
    """Return how many records of each kind would move, in words; tables that are no kind of record are summed up."""
    kinds = {}
    for one in registered().values():
        table = one.model.__table__  # type: ignore[attr-defined]
        kinds[table.schema or "public", table.name] = str(one.plural)
    found: dict[str, int] = {}
    for key, rows in counts.items():
        label = kinds.get(key, _("Other entries"))
        found[label] = found.get(label, 0) + rows
    return sorted(found.items())


def undo(name: str, merge_id: uuid.UUID) -> ResponseReturnValue:
    """Take a merge back and show the record that is there again."""
    service = MergeService(db.session(), name)
    back = service.undo(merge_id)
    toast(_("“%(name)s” is a record of its own again", name=service.records.title_of(back.record)))
    if back.stayed:
        fields = ", ".join(back.stayed)
        toast(_("Changed since and left as they are: %(fields)s", fields=fields), "warn")
    if back.left:
        kinds = ", ".join(f"{label}: {rows}" for label, rows in _moving(back.left))
        toast(_("Put elsewhere since and left there: %(kinds)s", kinds=kinds), "warn")
    return go_to(service.records.type.url(back.record.id))


def _routes(name: str) -> None:
    one = f"/{name}/<uuid:record_id>"
    routes = (
        (f"/{name}/doubles", "doubles", doubles, "GET"),
        (f"/{name}/doubles/reject", "reject", reject, "POST"),
        (f"/{name}/doubles/look", "look", look, "POST"),
        (f"/{name}/merges", "merges", merges, "GET"),
        (f"{one}/doubles", "of_record", of_record, "GET"),
        (f"{one}/merge/<uuid:other_id>", "compare", compare, "GET POST"),
        (f"/{name}/merges/<uuid:merge_id>/undo", "undo", undo, "POST"),
    )
    for rule, action, view, methods in routes:
        guarded = needs(f"{name}:write")(functools.partial(view, name))
        blueprint.add_url_rule(rule, f"{name}_{action}", guarded, methods=methods.split())


for _name in OBJECTS:
    _routes(_name)
