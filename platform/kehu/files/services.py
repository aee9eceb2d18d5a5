"""What can be done with files at records."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.records import scope
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import get as get_type
from kehu.files.media import media_type, safe_name
from kehu.files.models import File
from kehu.files.store import FileStore

HOLDERS = frozenset({"customers", "contacts", "deals", "owned_items", "tickets", "activities"})
"""Record types that may have files (CUS-16)."""

MOST_PER_RECORD = 500


class FileService(RecordService[File]):
    """Attach, hand out and trash files; the rights of the record that a file is at hold as well.

    :param store: where the bytes lie; needed to attach and to open.
    """

    type_name = "files"

    def __init__(
        self, session: Session, actor: context.Actor | None = None, store: FileStore | None = None
    ) -> None:
        super().__init__(session, actor)
        self._store = store
        self._incoming: dict[str, Any] = {}

    @property
    def store(self) -> FileStore:
        """The store of this installation."""
        if self._store is None:
            raise RuntimeError("This file service was made without a store.")
        return self._store

    def defaults(self) -> dict[str, Any]:
        """A new file is at its record, with the bytes that were taken in."""
        return self._incoming

    def search_texts(self, record: File) -> Iterable[tuple[str, str]]:
        """Files are found at their records."""
        return ()

    def get(
        self, record_id: object, *, action: str = "read", trashed: bool = False, lock: bool = False
    ) -> File:
        """Return a file at a record that the actor may see (or change, to change the file)."""
        found = super().get(record_id, action=action, trashed=trashed, lock=lock)
        self._holder(found.object, found.record_id, "read" if action == "read" else "write")
        return found

    def attach(self, object_name: str, record_id: object, name: str, stream: IO[bytes]) -> File:
        """Take in a file and put it at a record.

        :raises NotFound: when there is no such record.
        :raises InvalidInput: for an empty file, or when the record has too many.
        """
        holder = self._holder(object_name, record_id, "write")
        if len(self.listed(object_name, holder.id, limit=MOST_PER_RECORD)) >= MOST_PER_RECORD:
            raise InvalidInput(
                _("This record has %(many)s files already; put some into the trash.", many=MOST_PER_RECORD)
            )
        stored = self.store.take(self.tenant.id, stream)
        if not stored.size:
            message = _("“%(name)s” is empty; nothing was kept.", name=safe_name(name))
            raise InvalidInput(message, fields={"file": [message]})
        customer = get_type(object_name).customer
        self._incoming = {
            "created_by": self.actor.member_id,
            "object": object_name,
            "record_id": holder.id,
            "customer_id": getattr(holder, customer) if customer else None,
            "media_type": media_type(safe_name(name), stored.head),
            "size": stored.size,
            "sha256": stored.sha256,
        }
        return self.create({"name": safe_name(name)})

    def path(self, record: File) -> Path:
        """Return where a file's bytes lie.

        :raises NotFound: when they are gone from the store.
        """
        found = self.store.path(self.tenant.id, record.sha256)
        if not found.is_file():
            raise NotFound(
                _(
                    "The content of “%(name)s” is missing in the file store. Tell your operator.",
                    name=record.name,
                )
            )
        return found

    def listed(self, object_name: str, record_id: uuid.UUID, *, limit: int = 50) -> Sequence[Any]:
        """Return the files at a record, the newest first; the caller has checked the record."""
        reach = self.actor.require("files:read")
        statement = (
            select(File.id, File.name, File.size, File.media_type, File.created_at)
            .where(
                File.object == object_name,
                File.record_id == record_id,
                File.deleted_at.is_(None),
                scope.condition(self.type, File, self.actor, reach),
            )
            .order_by(File.id.desc())
            .limit(limit)
        )
        return self.session.execute(statement).all()

    def _holder(self, object_name: str, record_id: object, action: str) -> Any:
        if object_name not in HOLDERS:
            raise NotFound(_("Files can't be kept there."))
        return service_for(object_name, self.session, self.actor).get(record_id, action=action)
