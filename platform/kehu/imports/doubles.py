"""Where the matching of likely doubles meets an import: rows that no key recognises are shown to it, a chunk at a time.

A feature that knows doubles of a record type registers a finder; without one, imports go by their keys alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

WISHES: Final = ("make", "take", "refuse")
"""What happens to a likely double: it is made all the same (and told), taken for the one that is there when that is
almost certain, or refused."""


@dataclass(frozen=True, kw_only=True)
class LikelyKnown:
    """Who a row likely is.

    :param said: what the row calls him.
    :param title: what the record is called that is there.
    :param certain: sure enough to change that record without a person's look.
    """

    record_id: uuid.UUID
    said: str
    title: str
    certain: bool = True


Finder = Callable[[Session, Sequence[Mapping[str, Any]]], Sequence[LikelyKnown | None]]
"""(session, values of rows as `create_many` takes them) -> for each who it likely is, within the actor's sight."""

_finders: dict[str, Finder] = {}


def register_finder(type_name: str, find: Finder) -> None:
    """Say how likely doubles of a record type are found; the same type again replaces it."""
    _finders[type_name] = find


def finder(type_name: str) -> Finder | None:
    """Return how likely doubles of a record type are found, or None."""
    return _finders.get(type_name)
