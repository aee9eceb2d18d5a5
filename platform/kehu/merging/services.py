"""Merging two records into one, and taking that back; each is one unit of work, safe beside other writers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.consent import recording
from kehu.consent.recording import Word
from kehu.core import audit, clock, context, events, hooks, jobs, search
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import rights, stale
from kehu.core.records.kinds import dump_value
from kehu.core.records.service import RecordService, service_for
from kehu.merging import choosing, links, parting, special
from kehu.merging.finding import need_object
from kehu.merging.models import Merge
from kehu.merging.parting import Unmerged
from plugins.relay import GuardFailedError

SWEEP_AFTER = dt.timedelta(seconds=20)
"""Who wrote to the dropped record while it was merged has committed by then."""


@dataclass(frozen=True, kw_only=True)
class Merging:
    """What a plugin is told of a merge (`kehu_merge_records`).

    :param object: `customers` or `contacts`.
    :param keep_id: the record that stays.
    :param drop_id: the record that goes into it.
    :param undoing: whether the merge is being taken back.
    :param notes: what the plugin wants to know when the merge is taken back; as JSON, kept by the platform.
    """

    object: str
    keep_id: uuid.UUID
    drop_id: uuid.UUID
    undoing: bool = False
    notes: dict[str, Any] = field(default_factory=dict)


class MergeService:
    """Merge records of one kind.

    :param session: the unit of work.
    """

    def __init__(self, session: Session, object_name: str) -> None:
        self.session = session
        self.actor = context.actor()
        self.object = need_object(object_name)
        self.records: RecordService[Any] = service_for(object_name, session)

    def two(self, keep_id: uuid.UUID, drop_id: uuid.UUID, *, lock: bool = False) -> tuple[Any, Any]:
        """Return the record that stays and the one that goes, if the actor may change the one and remove the other.

        They are locked in the order of their ids, so that two merges never wait for each other.
        """
        if keep_id == drop_id:
            message = _("A record can't be merged with itself; choose another one.")
            raise InvalidInput(message, fields={"other": [message]})
        rights = {keep_id: "write", drop_id: "delete"}
        found = {
            one: self.records.get(one, action=rights[one], lock=lock) for one in sorted((keep_id, drop_id))
        }
        return found[keep_id], found[drop_id]

    def done_with(self, record_id: uuid.UUID) -> list[Merge]:
        """Return the merges that went into a record and hold, the latest first."""
        statement = select(Merge).where(
            Merge.object == self.object, Merge.now_id == record_id, Merge.state == "done"
        )
        return list(self.session.execute(statement.order_by(Merge.id.desc()).limit(50)).scalars())

    def points_at(self, record_id: uuid.UUID) -> dict[tuple[str, str], int]:
        """Return how many rows would move with a record, by (schema, table)."""
        return links.count(self.session, links.links_to(self.session, self.object), record_id)

    # Merging ------------------------------------------------------------------------------------

    def merge(
        self,
        keep_id: uuid.UUID,
        drop_id: uuid.UUID,
        picks: Mapping[str, str] | None = None,
        *,
        versions: tuple[int, int] | None = None,
        how: str = "person",
    ) -> Merge:
        """Let one record go into another: values as chosen, everything that pointed at it, its old address.

        :param picks: field -> keep, drop or both; what is not said is as `choosing` proposes.
        :param versions: those of both records that the person saw.
        :param how: who merges: a `person`, or the `rule`.
        :raises StaleVersion: when one was changed since.
        :raises InvalidInput: names a value that does not fit the kept record.
        :raises Conflict: when a plugin can't follow.
        """
        keep, drop = self.two(keep_id, drop_id, lock=True)
        for record, seen in zip((keep, drop), versions or (), strict=False):
            if record.version != seen:
                raise stale.stale_error(self.session, self.records.type, record, {}, seen)
        merge = Merge(
            tenant_id=context.tenant().id,
            id=new_id(),
            object=self.object,
            keep_id=keep_id,
            drop_id=drop_id,
            now_id=keep_id,
            at=clock.now(),
            by=self.actor.member_id,
            state="done",
            how=how,
        )
        merge.fields = self._join_values(merge, keep, drop, picks or {})
        merge.notes = self.tell_plugins(merge, {})
        merge.changed = special.move(self.session, merge)
        merge.moved = self._move(merge)
        self.session.add(merge)
        self._drop(drop)
        self.entry(drop, "merged_away", {"merged_into": [None, str(keep_id)]})
        named = self.records.title_of(drop)
        changes = {**merge.fields["changes"], "merged": [None, str(merge.id)]}
        self.entry(keep, "merged", changes, title=named)
        self.records._index([keep], whole=True)
        jobs.enqueue(self.session, "merging.sweep", wait=SWEEP_AFTER, merge_id=str(merge.id))
        self.session.flush()
        self.session.expire_all()  # Rows were moved behind the session's back.
        return merge

    def _join_values(self, merge: Merge, keep: Any, drop: Any, picks: Mapping[str, str]) -> dict[str, Any]:
        consents, mail = special.consents(self.session, merge, keep)
        closed = rights.closed(self.records.type)  # Of what his role may not set, nobody chooses.
        picks = {key: pick for key, pick in picks.items() if key not in closed}
        loaded = choosing.values(self.records.type, keep, drop, picks)
        if mail is not None:
            loaded["mail_consent"] = mail.state
        if self.object == "customers" and special.comes_from(self.session, keep.id, drop.id):
            loaded["parent_id"] = drop.parent_id  # The kept one takes the place of the one above it.
        added = choosing.custom_of(self.records.type, keep, drop)
        keep.custom = choosing.with_custom(keep.custom, added)
        if self.object == "customers":
            keep.former_numbers = [*keep.former_numbers, drop.number, *drop.former_numbers]
        changes = self.write(keep, loaded, mail)
        return {"changes": changes, "consents": consents, "custom": added}

    def write(self, record: Any, loaded: Mapping[str, Any], word: Word | None) -> dict[str, list[Any]]:
        """Give a record its values as its own service would, without an entry of its own in the trail."""
        fields = self.records.type.by_key
        before = {key: getattr(record, key) for key in loaded}
        changed = {key for key, value in loaded.items() if value != before[key]}
        for key in changed:
            setattr(record, key, loaded[key])
        recording.use_word(self.session, word)
        self.records.prepare(record, changed)
        self.records.own.reckon(record)
        self.records.check(record, changed)
        self.records._stamp(record)
        self.records._flush()
        self.records.saved([record], "updated")
        recording.use_word(self.session, None)
        return {
            key: [dump_value(fields[key], before[key]), dump_value(fields[key], getattr(record, key))]
            for key in sorted(changed)
        }

    def _move(self, merge: Merge) -> list[dict[str, Any]]:
        found = []
        for link in links.links_to(self.session, self.object):
            rows = links.move(self.session, link, merge.drop_id, merge.now_id)
            if rows:
                found.append({**link.as_json(), "rows": rows})
        return found

    def _drop(self, drop: Any) -> None:
        drop.deleted_at, drop.deleted_by = clock.now(), self.actor.member_id
        self.records._stamp(drop)
        self.records._flush()
        search.forget(self.session, self.object, [drop.id])
        self.records.own.forget([drop.id])
        self.records.own.tell([drop])

    def entry(self, record: Any, action: str, changes: dict[str, list[Any]], *, title: str = "") -> None:
        """Write what was done to a record into the trail."""
        audit.write(
            self.session,
            object=self.object,
            record_id=record.id,
            action=action,
            title=title or self.records.title_of(record),
            changes=changes,
            version=record.version,
            customer_id=record.id if self.object == "customers" else record.customer_id,
        )
        events.announce(self.session, f"{self.records.type.singular}.{action}")

    def tell_plugins(self, merge: Merge, kept: Mapping[str, Any], *, undoing: bool = False) -> dict[str, Any]:
        """Let plugins follow, and return what each wants to know when the merge is taken back."""
        enabled, relay = hooks.enabled(), hooks.host().relay
        notes: dict[str, Any] = {}
        for slug in relay.implementers("kehu_merge_records", enabled) if enabled else ():
            told = Merging(
                object=merge.object,
                keep_id=merge.keep_id,
                drop_id=merge.drop_id,
                undoing=undoing,
                notes=dict(kept.get(slug, {})),
            )
            try:
                relay.collect(
                    "kehu_merge_records",
                    enabled=frozenset((slug,)),
                    tenant=context.tenant().id,
                    ctx=call(slug),
                    merge=told,
                )
            except GuardFailedError as error:
                plugin = hooks.host().installed.get(slug)
                name = plugin.name if plugin is not None else slug
                raise Conflict(
                    _("The plugin “%(name)s” could not follow, so nothing was changed.", name=name)
                ) from error
            notes[slug] = told.notes
        return notes

    # The way back -------------------------------------------------------------------------------

    def undo(self, merge_id: uuid.UUID) -> Unmerged:
        """Take a merge back: both records are there again, each with what was its own.

        What somebody changed since stays as it is now.

        :raises Conflict: when it was taken back already, is too old, or the kept record went into another one since.
        """
        return parting.part(self, merge_id)


def successor(session: Session, object_name: str, record_id: uuid.UUID) -> uuid.UUID | None:
    """Return the record into which another went, or None."""
    statement = select(Merge.now_id).where(
        Merge.object == object_name, Merge.drop_id == record_id, Merge.state == "done"
    )
    return session.execute(statement).scalar()


def sweep(session: Session, merge_id: uuid.UUID) -> int:
    """Move what others wrote to the dropped record while it was merged, and return how many rows those were."""
    merge = session.execute(select(Merge).where(Merge.id == merge_id).with_for_update()).scalar_one_or_none()
    if merge is None or merge.state != "done" or merge.now_id != merge.keep_id:
        return 0
    late = MergeService(session, merge.object)._move(merge)
    if late:
        merge.moved = [*merge.moved, *late]
    return sum(len(one["rows"]) for one in late)


def names_of(session: Session, object_name: str, merges: Sequence[Merge]) -> dict[uuid.UUID, str]:
    """Return what the dropped records were called."""
    model: Any = service_for(object_name, session).type.model
    ids = [merge.drop_id for merge in merges]
    if not ids:
        return {}
    return {
        row.id: row.name for row in session.execute(select(model.id, model.name).where(model.id.in_(ids)))
    }
