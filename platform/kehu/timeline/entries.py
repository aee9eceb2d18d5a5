"""From rows to what people read: a sentence, a moment and a text."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import format_date, format_datetime
from markupsafe import Markup, escape

from kehu.core.i18n import _, _l, _n
from kehu.core.ids import parse_id
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType, registered

Names = Mapping[str, str]

_ACTIVITY = {
    "note": (_l("%(who)s wrote a note"), _l("%(who)s noted: %(what)s")),
    "call": (_l("%(who)s called"), _l("%(who)s called: %(what)s")),
    "mail": (_l("%(who)s wrote a mail"), _l("%(who)s wrote a mail: %(what)s")),
    "visit": (_l("%(who)s made a visit"), _l("%(who)s made a visit: %(what)s")),
    "meeting": (_l("%(who)s had a meeting"), _l("%(who)s had a meeting: %(what)s")),
    "task": (_l("%(who)s finished a task"), _l("%(who)s finished %(what)s")),
}
_MESSAGE = {
    "incoming": _l("%(who)s wrote in ticket %(what)s"),
    "reply": _l("%(who)s answered ticket %(what)s"),
    "note": _l("%(who)s noted in ticket %(what)s"),
}
_CREATED = {
    "customers": _l("%(who)s added this customer"),
    "contacts": _l("%(who)s added the contact %(what)s"),
    "deals": _l("%(who)s opened %(what)s"),
    "tickets": _l("%(who)s opened the ticket %(what)s"),
}
_ACTIONS = {
    "created": _l("%(who)s added %(what)s"),
    "trashed": _l("%(who)s put %(what)s into the trash"),
    "restored": _l("%(who)s took %(what)s out of the trash"),
    "erased": _l("%(who)s erased %(what)s"),
}


_told: dict[str, Callable[[Any, Any], Markup]] = {}


def register_action(action: str, tell: Callable[[Any, Any], Markup]) -> None:
    """Say how an action of the trail is told that is no change of the record's fields.

    :param tell: (row, what it was done to) -> the sentence.
    """
    _told[action] = tell


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened."""

    id: str
    kind: str
    at: dt.datetime
    head: Markup
    body: str = ""


def say(sentence: Any, **values: Any) -> Markup:
    """Return a sentence with its values escaped; the person stands out."""
    values["who"] = Markup("<b>{}</b>").format(values.get("who") or "Kehu")
    # The sentence is the catalogue's, never a person's; every value is escaped by `escape`, which keeps Markup.
    return Markup(str(sentence) % {key: escape(value) for key, value in values.items()})  # noqa: S704 - see above


def linked(text: object, url: str) -> Markup:
    """Return a text that leads to a record."""
    return Markup('<a href="{}">{}</a>').format(url, text)


def entry_of(row: Any, names: Names, here: uuid.UUID) -> Entry:
    """Return the entry of a row.

    :param names: names of the records that changes point at, by id.
    :param here: the record whose line it is, which needs no link.
    """
    return _readers[row.source](row, names, here)


def add_reader(source: str, reader: Callable[[Any, Names, uuid.UUID], Entry]) -> None:
    """Say how rows of a further source are told (`kehu.timeline.queries.add_source`)."""
    _readers[source] = reader


def _activity(row: Any, _names: Names, _here: uuid.UUID) -> Entry:
    more = row.more or {}
    bare, full = _ACTIVITY[row.sub]
    first_line = (row.body or "").lstrip()
    # A subject that only repeats the text's beginning, or the kind's name, says nothing more.
    said = first_line.startswith(row.title.removesuffix("…")) or (
        not first_line and row.title in _kind_names()
    )
    url = f"/activities/{row.record_id}"
    head = (
        linked(say(bare, who=row.who), url) if said else say(full, who=row.who, what=linked(row.title, url))
    )
    notes = [
        more.get("contact"),
        _n("%(num)s minute", "%(num)s minutes", row.number) if row.number else "",
        more.get("outcome"),
    ]
    for note in notes:
        if note:
            head += Markup(" · {}").format(note)
    return Entry(id=f"l-{row.id}", kind=row.sub, at=row.at, head=head, body=row.body or "")


def _kind_names() -> set[str]:
    kinds = registered()["activities"].by_key["kind"].choices()
    return {str(option.label) for option in kinds}


def _message(row: Any, _names: Names, _here: uuid.UUID) -> Entry:
    what = linked(f"#{row.number} {row.title}", f"/tickets/{row.record_id}")
    kind = "note" if row.sub == "note" else "ticket"
    return Entry(
        id=f"l-{row.id}",
        kind=kind,
        at=row.at,
        head=say(_MESSAGE[row.sub], who=row.who, what=what),
        body=row.body or "",
    )


def _file(row: Any, _names: Names, _here: uuid.UUID) -> Entry:
    what = Markup('<a href="/files/{}" download hx-boost="false">{}</a>').format(row.record_id, row.title)
    return Entry(
        id=f"l-{row.id}",
        kind="file",
        at=row.at,
        head=say(_("%(who)s attached %(what)s"), who=row.who, what=what),
    )


def _trail(row: Any, names: Names, here: uuid.UUID) -> Entry:
    record_type = registered()[row.object]
    own = row.record_id == here
    what = (
        _("this %(thing)s", thing=record_type.label)
        if own
        else linked(row.title or record_type.label, record_type.url(row.record_id))
    )
    kind = {"deals": "deal", "tickets": "ticket"}.get(row.object, "change")
    if row.sub == "created":
        kind = "create" if kind == "change" else kind
        return Entry(
            id=f"l-{row.id}",
            kind=kind,
            at=row.at,
            head=say(
                _ACTIONS["created"]
                if own and row.object != "customers"
                else _CREATED.get(row.object, _ACTIONS["created"]),
                who=row.who,
                what=what,
            ),
        )
    if row.sub in _told:
        return Entry(id=f"l-{row.id}", kind=kind, at=row.at, head=_told[row.sub](row, what))
    if row.sub in _ACTIONS:
        kind = "delete" if row.sub in ("trashed", "erased") else kind
        return Entry(
            id=f"l-{row.id}", kind=kind, at=row.at, head=say(_ACTIONS[row.sub], who=row.who, what=what)
        )
    return Entry(id=f"l-{row.id}", kind=kind, at=row.at, head=_changed(row, record_type, what, names))


def _changed(row: Any, record_type: RecordType, what: Any, names: Names) -> Markup:
    changes: Mapping[str, Any] = row.more or {}
    status = (changes.get("status") or [None, None])[1]
    if record_type.name == "deals" and status in ("won", "lost"):
        if status == "won":
            return say(_("%(who)s won %(what)s"), who=row.who, what=what)
        reason = (
            (changes.get("lost_reason") or [None, None])[1] if "lost_reason" in record_type.by_key else None
        )
        if reason:
            return say(_("%(who)s lost %(what)s: %(reason)s"), who=row.who, what=what, reason=reason)
        return say(_("%(who)s lost %(what)s"), who=row.who, what=what)
    for key in ("stage_id", "status"):
        if key in changes:
            old, new = (_shown(record_type.by_key.get(key), value, names) for value in changes[key])
            return say(
                _("%(who)s moved %(what)s from %(old)s to %(new)s"), who=row.who, what=what, old=old, new=new
            )
    shown = [key for key in changes if key in record_type.by_key]
    if len(shown) == 1:
        spec = record_type.by_key[shown[0]]
        old, new = (_shown(spec, value, names) for value in changes[shown[0]])
        if spec.kind in ("long_text", "money"):
            return say(_("%(who)s changed %(field)s of %(what)s"), who=row.who, what=what, field=spec.label)
        return say(
            _("%(who)s changed %(field)s of %(what)s from %(old)s to %(new)s"),
            who=row.who,
            what=what,
            field=spec.label,
            old=old,
            new=new,
        )
    fields = ", ".join(str(record_type.by_key[key].label) for key in shown[:4]) + (
        "…" if len(shown) > 4 else ""
    )
    if not fields:
        return say(_("%(who)s changed %(what)s"), who=row.who, what=what)
    return say(_("%(who)s changed %(what)s: %(fields)s"), who=row.who, what=what, fields=fields)


def _shown(spec: Field | None, value: Any, names: Names) -> str:
    """Return a value of the trail in words."""
    if value in (None, "", []):
        return _("nothing")
    if spec is None:
        return str(value)
    if spec.kind in ("member", "ref"):
        return names.get(str(value), _("somebody") if spec.kind == "member" else _("another"))
    if spec.kind == "choice":
        option = spec.option(value)
        return str(option.label) if option else names.get(str(value), str(value))
    if spec.kind in ("date", "datetime"):
        moment = dt.datetime.fromisoformat(value)
        shown = (
            format_date(moment.date(), "medium") if spec.kind == "date" else format_datetime(moment, "medium")
        )
        return str(shown)
    if spec.kind == "bool":
        return _("Yes") if value else _("No")
    if spec.kind in ("emails", "phones", "addresses", "tags", "phone"):
        return str(KINDS[spec.kind].show(value))
    return str(value)


_readers: dict[str, Callable[[Any, Names, uuid.UUID], Entry]] = {
    "activity": _activity,
    "message": _message,
    "trail": _trail,
    "file": _file,
}


def table_of(record_type: RecordType) -> str:
    """Return the name of a record type's table."""
    model: Any = record_type.model
    return str(model.__table__.key)


def pointed(rows: Any) -> dict[str, set[uuid.UUID]]:
    """Return the ids that changes of these rows name, by record type, or `members` and `stages`."""
    found: dict[str, set[uuid.UUID]] = {}
    for row in rows:
        if row.source != "trail" or row.sub == "created":
            continue
        record_type = registered()[row.object]
        for key, pair in (row.more or {}).items():
            spec = record_type.by_key.get(key)
            kind = ""
            if spec is not None and spec.kind == "member":
                kind = "members"
            elif key == "stage_id":
                kind = "stages"
            elif spec is not None and spec.kind == "ref":
                kind = spec.ref
            for value in pair if kind else ():
                parsed = parse_id(value)
                if parsed is not None:
                    found.setdefault(kind, set()).add(parsed)
    return found
