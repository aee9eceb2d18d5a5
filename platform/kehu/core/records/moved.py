"""Where a record went that was merged into another: its old address still leads somewhere."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy.orm import Session

Find = Callable[[Session, str, uuid.UUID], "uuid.UUID | None"]

_finders: dict[str, Find] = {}


def register(object_name: str, find: Find) -> None:
    """Say how the successor of a record of a kind is found: (session, kind, id) -> id or None."""
    _finders[object_name] = find


def successor(session: Session, object_name: str, record_id: uuid.UUID | None) -> uuid.UUID | None:
    """Return the record into which another went, or None; kinds that nobody merges cost no statement."""
    find = _finders.get(object_name)
    return find(session, object_name, record_id) if find is not None and record_id is not None else None
