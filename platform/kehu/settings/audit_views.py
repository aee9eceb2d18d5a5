"""The page of changes: the trail of the firm, filtered and paged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from kehu.core import context, db
from kehu.core.audit import AuditEntry
from kehu.core.i18n import _, _l
from kehu.core.ids import parse_id
from kehu.core.records import rights
from kehu.core.records.types import registered
from kehu.settings import queries
from kehu.settings.pages import with_short_url
from kehu.settings.queries import PAGE, TrailFilter
from kehu.settings.views import blueprint
from kehu.web.access import needs
from kehu.web.records.history import ChangeWriter
from kehu.web.records.origins import Origins
from kehu.web.render import render_page

ACTIONS: dict[str, Any] = {
    "created": _l("created"),
    "updated": _l("changed"),
    "trashed": _l("put into the trash"),
    "restored": _l("restored"),
    "rewound": _l("took back"),
    "deleted": _l("deleted"),
    "erased": _l("erased"),
    "applied": _l("carried out"),
    "held": _l("put on legal hold"),
    "released": _l("released from legal hold"),
    "verified": _l("verified a value of"),
    "doubted": _l("noted as wrong a value of"),
    "merged": _l("merged"),
    "imported": _l("imported"),
    "converted": _l("changed what it holds"),
    "exported": _l("exported"),
    "downloaded": _l("downloaded"),
    "handed_out": _l("handed out all data of"),
    "invited": _l("invited"),
    "joined": _l("joined"),
    "parked": _l("parked"),
    "unparked": _l("let in again"),
    "enabled": _l("switched on"),
    "disabled": _l("switched off"),
    "revoked": _l("revoked"),
    "moved": _l("moved to another stage"),
    "reordered": _l("put into another order"),
    "granted": _l("let support in"),
    "entered": _l("came in"),
    "opened": _l("opened"),
    "left": _l("went out"),
    "won": _l("won"),
    "lost": _l("lost"),
}
OBJECTS: dict[str, Any] = {
    "members": _l("Members"),
    "roles": _l("Roles"),
    "teams": _l("Teams"),
    "tenants": _l("Firm"),
    "plugins": _l("Plugins"),
    "tokens": _l("API tokens"),
    "billing": _l("Billing"),
    "support": _l("Support access"),
    "rewind": _l("Time machine"),
}


def _objects() -> list[tuple[str, str]]:
    names = {name: str(label) for name, label in OBJECTS.items()}
    names.update({name: str(record_type.plural) for name, record_type in registered().items()})
    return sorted(names.items(), key=lambda pair: pair[1].casefold())


def _day(text: str | None, *, after: bool = False) -> dt.datetime | None:
    try:
        day = dt.date.fromisoformat(text or "")
    except ValueError:
        return None
    if not 1990 < day.year < 2200:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=1 if after else 0), dt.time(), context.tenant().tz)


def _filter(args: Mapping[str, str]) -> TrailFilter:
    return TrailFilter(
        member_id=parse_id(args.get("member")),
        object=args.get("object", "")[:60],
        record_id=parse_id(args.get("record")),
        since=_day(args.get("since")),
        until=_day(args.get("until"), after=True),
        after=parse_id(args.get("after")),
    )


def _lines(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    writer = ChangeWriter((entry.object, entry.changes) for entry in entries)
    origins = Origins(db.session(), entries)
    known = registered()
    names = dict(_objects())
    return [
        {
            "at": entry.at,
            "who": origin.who,
            "action": ACTIONS.get(entry.action, entry.action),
            "object": names.get(entry.object, entry.object),
            "title": entry.title,
            "url": known[entry.object].url(entry.record_id) if entry.object in known else "",
            "source": origin.via,
            "source_url": origin.url,
            "changes": _changes(writer, entry),
        }
        for entry, origin in ((entry, origins.of(entry)) for entry in entries)
    ]


def _changes(writer: ChangeWriter, entry: AuditEntry) -> list[tuple[str, str, str]]:
    if entry.object in registered():
        found = [(one.label, one.before, one.after) for one in writer.changes(entry.object, entry.changes)]
        if found:
            return found[:20]
    seen = rights.seen_changes(entry.object, entry.changes)
    return [(key, _plain(pair[0]), _plain(pair[1])) for key, pair in sorted(seen.items())[:20]]


def _plain(value: Any) -> str:
    if value is True or value is False:
        return _("Yes") if value else _("No")
    return "" if value is None else str(value)[:160]


@blueprint.get("/settings/audit")
@needs("audit:read")
def audit() -> Any:
    """Show who changed what."""
    wanted = _filter(request.args)
    entries = list(queries.trail(db.session(), wanted))
    more = len(entries) > PAGE
    entries = entries[:PAGE]
    args = {key: value for key, value in request.args.items() if value and key != "after"}
    response = render_page(
        "settings/audit.html",
        {"list": "list"},
        lines=_lines(entries),
        args={"member": "", "object": "", "since": "", "until": "", **args},
        members=queries.member_choices(db.session()),
        objects=_objects(),
        older={**args, "after": str(entries[-1].id)} if more else None,
        filtered=bool(args),
    )
    return with_short_url(response)
