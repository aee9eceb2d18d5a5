"""Records that go into the trash with another and come back with it: a customer's contacts, an item's terms."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import select

from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records.service import RecordService
from kehu.core.records.types import RecordType
from kehu.core.records.types import get as get_type
from kehu.core.tables import RecordRow

M = TypeVar("M", bound=RecordRow)


class FollowingService(RecordService[M]):
    """Write records of a type that names in `follows` the pointer to what it goes along with."""

    @property
    def leader(self) -> RecordType:
        """The record type that is followed."""
        return get_type(self.type.by_key[self.type.follows].ref)

    def restore(self, record_id: object) -> M:
        """Take a record out of the trash; one that came back with its leader stays as it is.

        :raises Conflict: while its leader is in the trash.
        """
        found_id = parse_id(record_id)
        live = self._find(found_id, trashed=False, lock=False) if found_id else None
        if live is not None:
            return self.get(live.id, action="delete")
        record = self.get(record_id, action="delete", trashed=True)
        leader_id = getattr(record, self.type.follows)
        if leader_id is not None and not self._leader_lives(leader_id):
            name = self.title_of(record)
            raise Conflict(_("What “%(name)s” belongs to is in the trash; restore that first.", name=name))
        return super().restore(record_id)

    def trash_with(self, leader_ids: Sequence[uuid.UUID]) -> None:
        """Put the followers of records into the trash with them, whoever they belong to."""
        model: Any = self.type.model
        pointer = getattr(model, self.type.follows)
        statement = select(model).where(pointer.in_(leader_ids), model.deleted_at.is_(None)).with_for_update()
        found = list(self.session.execute(statement).scalars())
        if found:
            self._trash(*found)

    def restore_with(self, leader_id: uuid.UUID) -> None:
        """Take out of the trash the followers that went there in the same go as their leader."""
        model: Any = self.type.model
        batch = (
            select(AuditEntry.batch_id)
            .where(
                AuditEntry.object == self.leader.name,
                AuditEntry.record_id == leader_id,
                AuditEntry.action == "trashed",
            )
            .order_by(AuditEntry.id.desc())
            .limit(1)
        )
        last = self.session.execute(batch).scalar()
        gone = select(AuditEntry.record_id).where(
            AuditEntry.batch_id == last,
            AuditEntry.object == self.type.name,
            AuditEntry.action == "trashed",
        )
        pointer = getattr(model, self.type.follows)
        statement = select(model).where(
            pointer == leader_id, model.deleted_at.is_not(None), model.id.in_(gone)
        )
        found: list[M] = list(self.session.execute(statement).scalars()) if last else []
        for record in found:
            record.deleted_at, record.deleted_by = None, None
            self._stamp(record)
        if found:
            self._flush()
        for record in found:
            self._restored(record)

    def owner_by_leader(self, leader_id: uuid.UUID) -> uuid.UUID | None:
        """Return whose a follower is when nobody said so: whom its leader belongs to."""
        if self.actor.scope(f"{self.type.name}:write") != "all":
            return None  # Who may write only own records keeps what he adds.
        cache: dict[Any, uuid.UUID | None] = self.session.info.setdefault("leader_owners", {})
        if leader_id not in cache:
            model: Any = self.leader.model
            owner = getattr(model, self.leader.owner)
            cache[leader_id] = self.session.execute(select(owner).where(model.id == leader_id)).scalar()
        return cache[leader_id]

    def _leader_lives(self, leader_id: uuid.UUID) -> bool:
        model: Any = self.leader.model
        statement = select(model.id).where(model.id == leader_id, model.deleted_at.is_(None))
        return self.session.execute(statement).first() is not None
