"""The page of the time machine: choose a span, see what would go back, take it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records import rewind
from kehu.core.records.rewind import BOUND, Case
from kehu.core.records.types import registered
from kehu.rewind.services import RIGHT, RewindService, Wanted
from kehu.settings.pages import SettingsPage, register, with_short_url
from kehu.web.access import signed_in
from kehu.web.records.history import ChangeWriter
from kehu.web.render import render_page

PAGE = 50
URL = "/settings/time-machine"

blueprint = Blueprint("rewind", __name__, template_folder="templates")

register(
    SettingsPage(
        key="time-machine",
        label=_l("Time machine"),
        text=_l("Take back an hour, an import or what a rule did"),
        url=URL,
        icon="history",
        permission=RIGHT,
        order=125,
    )
)


@blueprint.get(URL)
@signed_in
def show() -> Any:
    """Show what would be taken back."""
    session, wanted = db.session(), Wanted.of(request.args)
    service = RewindService(session)
    base: dict[str, Any] = {
        "wanted": wanted,
        "everybody": context.actor().may(RIGHT),
        "kinds": sorted(
            ((one.name, str(one.plural)) for one in registered().values()), key=lambda one: one[1]
        ),
        "error": "",
        "people": [],
        "lines": [],
        "counts": [],
        "total": 0,
        "since": 0,
        "more": None,
        "too_many": False,
        "until": "",
    }
    try:
        selection = service.selection(wanted)
    except InvalidInput as error:
        texts = [text for found in error.fields.values() for text in found]
        return render_page(
            "rewind/show.html", {"list": "list"}, status=422, **{**base, "error": " ".join(texts)}
        )
    kinds, entries = rewind.count(session, selection)
    found, cursor, _read = rewind.cases(session, selection, parse_id(request.args.get("after")), limit=PAGE)
    args = {key: value for key, value in request.args.items() if value and key != "after"}
    response = render_page(
        "rewind/show.html",
        {"list": "list"},
        **{
            **base,
            "people": service.choices(selection),
            "lines": _lines(found),
            "counts": [(str(registered()[name].plural), number) for name, number in kinds.items()],
            "total": sum(kinds.values()),
            "since": rewind.count_changed_since(session, selection) if kinds else 0,
            "more": {**args, "since": wanted.since, "after": str(cursor)} if cursor else None,
            "too_many": entries >= BOUND,
            "until": wanted.until or clock.now().isoformat(),
        },
    )
    return with_short_url(response)


def _lines(found: Sequence[Case]) -> list[dict[str, Any]]:
    writer = ChangeWriter((case.type.name, case.changes) for case in found)
    return [
        {
            "title": case.title,
            "url": case.type.url(case.record_id) if case.record is not None and not case.hidden else "",
            "kind": str(case.type.label).capitalize(),
            "what": _what(case),
            "kept": bool(case.kept),
            "changes": [] if case.hidden else writer.changes(case.type.name, case.changes),
        }
        for case in found
    ]


def _what(case: Case) -> str:
    if case.kept:
        return _("Stays: %(reason)s", reason=case.kept)
    if case.step == "trash":
        return _("Goes to the trash")
    if case.step == "restore":
        return _("Comes back from the trash")
    if case.singly:
        return _("Goes back step by step")
    return "" if case.changes else _("Is as it was before already")


@blueprint.post(f"{URL}/take-back")
@signed_in
def take_back() -> ResponseReturnValue:
    """Let a job take the changes back, and show how far it is."""
    wanted = Wanted.of(request.form)
    service = RewindService(db.session())
    run = service.start(service.selection(wanted), f"{wanted.since} – {wanted.until[:16]}")
    response = render_page("records/bulk_progress.html", {}, run=run, first=True, message="")
    response.headers["HX-Retarget"] = "#dialog"
    response.headers["HX-Reswap"] = "innerHTML"
    return response
