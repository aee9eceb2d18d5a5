"""What happened to a record: who changed what, when and from where, with undo of each change."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from kehu.core import context, db
from kehu.core.audit import AuditEntry
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import own, undo
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.web.records.answers import done, done_toast
from kehu.web.records.display import absent, money_text, number_text
from kehu.web.records.origins import Origins
from kehu.web.records.times import Clockwork
from kehu.web.records.titles import target_of, titles
from kehu.web.render import render_page

if TYPE_CHECKING:
    from kehu.web.records.pages import RecordPages

PAGE = 30
LONGEST = 160


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field of an entry, in words."""

    key: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of a record's history."""

    id: uuid.UUID
    at: dt.datetime
    who: str
    action: str
    via: str
    via_url: str
    changes: Sequence[Change]
    undo_url: str = ""


class ChangeWriter:
    """Writes changes of the trail in words; names of members and records are read in one statement.

    :param entries: (record type, changes) of all that will be written.
    """

    def __init__(
        self, entries: Iterable[tuple[str, Mapping[str, Sequence[Any]]]], *, currency: str = ""
    ) -> None:
        self.currency = currency or context.tenant().currency
        wanted: dict[str, list[uuid.UUID]] = {}
        for type_name, changes in entries:
            fields = registered()[type_name].by_key if type_name in registered() else {}
            for key, pair in changes.items():
                spec = fields.get(key)
                if spec is not None and spec.kind in ("member", "ref"):
                    wanted.setdefault(target_of(spec), []).extend(
                        found for value in pair if (found := parse_id(value))
                    )
        self.names = titles(db.session(), wanted) if wanted else {}
        self.times = Clockwork()

    def changes(self, type_name: str, changes: Mapping[str, Sequence[Any]]) -> list[Change]:
        """Return the changes of one entry in words, in the order of the type's fields."""
        record_type = registered().get(type_name)
        if record_type is None:
            return []
        return [
            Change(
                key=spec.key,
                label=str(spec.label),
                before=self.text(spec, changes[spec.key][0]),
                after=self.text(spec, changes[spec.key][1]),
            )
            for spec in record_type.fields
            if spec.key in changes
        ]

    def text(self, spec: Field, dumped: Any) -> str:
        """Return one value of the trail in words."""
        if dumped is None or dumped == "" or dumped == []:
            return ""
        if spec.own is not None:
            value = own.read(spec.kind, dumped)
            if value is None:
                return str(dumped)[:LONGEST]  # Of the time when the field held something else.
            if spec.kind in ("decimal", "percent"):
                return KINDS[spec.kind].show(value)
        if spec.kind in ("member", "ref"):
            found = parse_id(dumped)
            return self.names.get(found) or absent(spec) if found else ""
        if spec.kind == "choice":
            option = spec.option(str(dumped))
            return str(option.label) if option else str(dumped)
        if spec.kind == "bool":
            return _("Yes") if dumped else _("No")
        if spec.kind == "money":
            return money_text(int(dumped), self.currency, self.times.locale)
        if spec.kind == "number":
            return number_text(int(dumped), self.times.locale)
        return self._moment(spec, dumped) or KINDS[spec.kind].show(dumped)[:LONGEST]

    def _moment(self, spec: Field, dumped: Any) -> str:
        try:
            if spec.kind == "datetime":
                return self.times.exact(dt.datetime.fromisoformat(str(dumped)))
            if spec.kind == "date":
                return str(self.times.day(dt.date.fromisoformat(str(dumped))).striptags())
        except ValueError:
            return str(dumped)
        return ""


def actions() -> dict[str, str]:
    """Return what can happen to a record, in words."""
    return {
        "created": _("created it"),
        "updated": _("changed it"),
        "trashed": _("moved it to the trash"),
        "restored": _("restored it"),
        "merged": _("merged it"),
        "handed_out": _("handed out all that is known"),
        "held": _("put on legal hold"),
        "released": _("released from legal hold"),
        "verified": _("verified a value"),
        "doubted": _("noted that a value is wrong"),
        "replied": _("sent a reply"),
        "noted": _("wrote a note"),
        "received": _("took in a message"),
        "moved": _("moved it to another stage"),
        "won": _("won it"),
        "lost": _("lost it"),
        "reordered": _("changed the order"),
    }


def show(pages: RecordPages, record_id: uuid.UUID) -> ResponseReturnValue:
    """Show the history of a record, newest first."""
    session = db.session()
    service = service_for(pages.name, session)
    record = service.get(record_id)
    statement = (
        select(AuditEntry)
        .where(AuditEntry.object == pages.name, AuditEntry.record_id == record_id)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE + 1)
    )
    before = parse_id(request.args.get("before"))
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    found = list(session.execute(statement).scalars())
    may_undo = service.actor.may(f"{pages.name}:write")
    entries = _entries(pages, found[:PAGE], may_undo, getattr(record, "currency", None) or "")
    inline = request.args.get("inline") == "1"
    more = (
        {"before": str(found[PAGE - 1].id), **({"inline": "1"} if inline else {})}
        if len(found) > PAGE
        else {}
    )
    return render_page(
        "records/history.html",
        {},
        entries=entries,
        title=service.title_of(record),
        inline=inline,
        first=before is None,
        more_url=pages.url("history", record_id=record_id, **more) if more else "",
    )


def _entries(pages: RecordPages, rows: Sequence[AuditEntry], may_undo: bool, currency: str) -> list[Entry]:
    writer = ChangeWriter(((pages.name, row.changes) for row in rows), currency=currency)
    said, origins = actions(), Origins(db.session(), rows)
    return [
        Entry(
            id=row.id,
            at=row.at,
            who=origin.who,
            action=said.get(row.action, row.action),
            via=origin.via,
            via_url=origin.url,
            changes=writer.changes(pages.name, row.changes) if row.action != "created" else (),
            undo_url=pages.url("history_undo", record_id=row.record_id, entry_id=row.id)
            if may_undo and row.action == "updated"
            else "",
        )
        for row, origin in ((row, origins.of(row)) for row in rows)
    ]


def undo_one(pages: RecordPages, record_id: uuid.UUID, entry_id: uuid.UUID) -> ResponseReturnValue:
    """Take back one change of a record."""
    session = db.session()
    service_for(pages.name, session).get(record_id, action="write")
    statement = select(AuditEntry).where(
        AuditEntry.id == entry_id, AuditEntry.object == pages.name, AuditEntry.record_id == record_id
    )
    entry = session.execute(statement).scalar_one_or_none()
    if entry is None:
        raise NotFound(_("There is nothing to undo here."))
    undo.undo_entry(session, entry)
    done_toast(session, _("Took back a change of “%(name)s”", name=entry.title))
    return done("kehu:close", "kehu:refresh")
