"""Find records of all kinds."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from kehu.core import context, kept
from kehu.core.records.types import RecordType, registered
from kehu.core.search_terms import query_terms
from kehu.search.queries import hits_statement, recent_statement, word_values

AT_MOST = 6
PAGE = 50
ORDER = ("customers", "contacts", "deals", "owned_items", "tickets", "activities")
"""Kinds in the order in which they are shown; others follow."""

_NUMBER = re.compile(r"#\s*(\d+)")


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A record that was found."""

    kind: str
    id: uuid.UUID
    title: str
    note: str
    url: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """The hits of one kind; `more` tells that there are others."""

    type: RecordType
    hits: Sequence[Hit]
    more: bool = False


def words_of(query: str) -> list[str]:
    """Return the beginnings of words that a hit must all have; `#1057` is a number."""
    number = _NUMBER.fullmatch(query.strip())
    return query_terms(number.group(1)) if number else query_terms(query)


class SearchService:
    """Search within the reader's rights."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def types(self) -> list[RecordType]:
        """Return the kinds that the reader may search, in their order."""
        known = {
            name: one
            for name, one in registered().items()
            if one.searchable and self.actor.may(f"{name}:read")
        }
        return [known.pop(name) for name in ORDER if name in known] + list(known.values())

    def find(self, query: str, *, kind: str = "", limit: int = AT_MOST) -> list[Group]:
        """Return the best hits by kind, in one statement.

        :param kind: only this kind.
        """
        types = [one for one in self.types() if not kind or one.name == kind]
        rows = self._rows(types, words_of(query), limit + 1, number=bool(_NUMBER.fullmatch(query.strip())))
        groups = []
        for record_type in types:
            found = [_hit(record_type, row) for row in rows if row.kind == record_type.name]
            if found:
                groups.append(Group(type=record_type, hits=found[:limit], more=len(found) > limit))
        return groups

    def _rows(
        self, types: Sequence[RecordType], words: Sequence[str], limit: int, *, number: bool = False
    ) -> Sequence[Any]:
        if not types or not words:
            return ()
        known = kept.shape(self.actor, sorted({"customers", *(one.name for one in types)}))
        key = ("search", known, len(words), limit)
        return kept.rows(
            self.session,
            key,
            lambda: hits_statement(types, len(words), self.actor, limit),
            word_values(words, whole=number),
        )

    def recent(self, marks: Sequence[tuple[str, uuid.UUID]]) -> list[Hit]:
        """Return records that were opened lately, the latest first; those that are gone or not open are left out."""
        wanted: dict[str, tuple[RecordType, list[Any]]] = {}
        for name, record_id in marks:
            if name in registered():
                wanted.setdefault(name, (registered()[name], []))[1].append(record_id)
        found = kept.rows(self.session, None, lambda: recent_statement(wanted, self.actor), {})
        rows = {(row.kind, row.id): row for row in found}
        return [
            _hit(registered()[name], rows[name, record_id])
            for name, record_id in marks
            if (name, record_id) in rows
        ]


def _hit(record_type: RecordType, row: Any) -> Hit:
    title = f"#{row.number} {row.title}" if record_type.name == "tickets" else str(row.title)
    return Hit(
        kind=record_type.name,
        id=row.id,
        title=title,
        note=row.note or "",
        url=record_type.url(row.id),
        icon=record_type.icon,
    )
