"""Taking a merge back: within 90 days, row by row; what people changed since stays where they put it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kehu.consent import recording
from kehu.consent.recording import Word
from kehu.core import clock, context
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS, dump_value, load_value
from kehu.core.records.undo import written
from kehu.merging import choosing, links, special
from kehu.merging.finding import say_no
from kehu.merging.models import Merge

if TYPE_CHECKING:
    from kehu.merging.services import MergeService

DAYS = 90
"""So long a merge can be taken back."""


@dataclass(kw_only=True)
class Unmerged:
    """What became of a merge that was taken back.

    :param record: the one that is there again.
    :param stayed: labels of fields that keep what somebody wrote since.
    :param left: how many rows stay where somebody put them since, by (schema, table).
    """

    record: Any
    stayed: list[str] = field(default_factory=list)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)


def until(merge: Merge) -> dt.datetime:
    """Return until when a merge can be taken back."""
    return merge.at + dt.timedelta(days=DAYS)


def open_until(merge: Merge) -> dt.date | None:
    """Return the last day on which a merge can be taken back, or None when that is over."""
    end = until(merge)
    return end.astimezone(context.tenant().tz).date() if end >= clock.now() else None


def part(service: MergeService, merge_id: uuid.UUID) -> Unmerged:
    """Take a merge back.

    :raises Conflict: when it was taken back already, is too old, or the kept record went into another one since.
    """
    session = service.session
    merge = _held(service, merge_id)
    keep, drop = _both(service, merge)
    found = Unmerged(record=drop)
    drop.deleted_at, drop.deleted_by = None, None
    service.records._stamp(drop)
    service.records._flush()
    for kept in reversed(merge.moved):
        link = links.from_json(kept)
        came = links.move_back(session, link, merge.keep_id, merge.drop_id, kept["rows"])
        found.left[link.schema, link.name] += len(kept["rows"]) - came
    for one in reversed(merge.changed):
        found.left["public", one["name"]] += not special.take_back(session, one)
    found.left = +found.left
    found.stayed = _part_values(service, merge, keep)
    service.tell_plugins(merge, merge.notes, undoing=True)
    merge.state, merge.undone_at, merge.undone_by = "undone", clock.now(), context.actor().member_id
    if merge.how == "rule":
        say_no(
            session, merge.object, merge.keep_id, merge.drop_id
        )  # Else it is merged again in the next night.
    service.records.saved([drop], "restored")
    service.entry(drop, "restored", {})
    service.entry(keep, "unmerged", {}, title=service.records.title_of(drop))
    service.records._index([keep, drop], whole=True)
    session.flush()
    session.expire_all()  # Rows were moved behind the session's back.
    return found


def _held(service: MergeService, merge_id: uuid.UUID) -> Merge:
    statement = select(Merge).where(Merge.id == merge_id, Merge.object == service.object).with_for_update()
    found = service.session.execute(statement.execution_options(populate_existing=True))
    merge: Merge | None = found.scalar_one_or_none()
    if merge is None:
        raise NotFound(_("There is nothing to undo here."))
    if merge.state != "done":
        raise Conflict(_("This merge was taken back already."))
    if until(merge) < clock.now():
        raise Conflict(
            _(
                "This merge is older than %(days)s days and can't be taken back any more. "
                "Add the record anew and move to it what is its own.",
                days=DAYS,
            )
        )
    if merge.now_id != merge.keep_id:
        raise Conflict(_("The record that was kept went into another one later; take that back first."))
    return merge


def _both(service: MergeService, merge: Merge) -> tuple[Any, Any]:
    found = {}
    for one in sorted((merge.keep_id, merge.drop_id)):
        gone = one == merge.drop_id
        action = "delete" if gone else "write"
        found[one] = service.records.get(one, action=action, trashed=gone, lock=True)
    return found[merge.keep_id], found[merge.drop_id]


def _part_values(service: MergeService, merge: Merge, keep: Any) -> list[str]:
    """Give the kept record its own values again; return the names of fields that were changed since."""
    by_key, stayed, loaded = service.records.type.by_key, [], {}
    ctx = service.records.load_context({}, keep)
    word = None
    for key, (old, new) in merge.fields["changes"].items():
        spec = by_key.get(key)
        if spec is None:
            continue
        now = dump_value(spec, getattr(keep, key))
        if now != new and KINDS[spec.kind].json_type != "array":
            stayed.append(str(spec.label))
            continue
        loaded[key] = load_value(spec, _own(spec, old, new, now), ctx)
        if key == "mail_consent":
            word = special.said_before(merge.fields["consents"].get(":".join(recording.MAIL)))
            if word.state != (old or "cleared"):
                word = Word(state=old or "cleared", how="undo")
    keep.custom = choosing.without_custom(keep.custom, merge.fields.get("custom", {}))
    if service.object == "customers":
        keep.former_numbers = _numbers(service, merge, keep)
    service.write(keep, loaded, word)
    special.consents_back(service.session, recording.person_of(keep), merge.fields["consents"])
    return stayed


def _own(spec: Field, old: Any, new: Any, now: Any) -> Any:
    """Return what of a value is the kept record's own, as a service reads it."""
    if now == new:
        return written(spec, old)
    return choosing.apart(old or [], new or [], now or [])


def _numbers(service: MergeService, merge: Merge, keep: Any) -> list[int]:
    """Return the numbers that the kept record goes by besides its own: not those that came with this merge."""
    model: Any = service.records.type.model
    statement = select(model.number, model.former_numbers).where(model.id == merge.drop_id)
    theirs = service.session.execute(statement).one()
    return [one for one in keep.former_numbers if one not in (theirs.number, *theirs.former_numbers)]
