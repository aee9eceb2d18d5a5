"""Search by rows: normalised terms that an index-only scan finds under row-level security (DATABASE.md 1.4).

Terms are words without case and accents, their beginnings by prefix; Chinese characters and pairs, pinyin and
initials; Cyrillic and its transliteration; phone digits from the right; parts of mail addresses; tags (`#vip`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, delete, exists, select
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from kehu.core import bulk
from kehu.core.db import tenant_id
from kehu.core.search_terms import query_terms, terms
from kehu.core.tables import Base, TenantOwned, tenant_args, tenant_index


class SearchTerm(TenantOwned, Base):
    """A term under which a record is found."""

    __tablename__ = "search_terms"
    __table_args__ = tenant_args("search_terms", tenant_index("search_terms", "record", "kind", "record_id"))

    kind: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    term: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    record_id: Mapped[uuid.UUID] = mapped_column(UUID(as_uuid=True), primary_key=True)


Texts = Iterable[tuple[str, str]]


def index(session: Session, kind: str, texts: Mapping[uuid.UUID, Texts], *, new: bool = False) -> None:
    """Write the terms of records, replacing those that they had.

    :param new: the records are new, so there is nothing to replace.
    """
    wanted = {record_id: terms(parts) for record_id, parts in texts.items()}
    rows: list[dict[str, Any]] = []
    if new:
        for record_id, found in wanted.items():
            rows += _rows(kind, record_id, found)
    else:
        present: dict[uuid.UUID, set[str]] = {record_id: set() for record_id in wanted}
        statement = select(SearchTerm.record_id, SearchTerm.term).where(
            SearchTerm.kind == kind, SearchTerm.record_id.in_(list(wanted))
        )
        for record_id, term in session.execute(statement):
            present[record_id].add(term)
        # A change of many mostly takes the same terms from each: one statement for all that lose the same.
        losing: dict[frozenset[str], list[uuid.UUID]] = {}
        for record_id, found in wanted.items():
            if gone := frozenset(present[record_id] - found):
                losing.setdefault(gone, []).append(record_id)
            rows += _rows(kind, record_id, found - present[record_id])
        for gone, ids in losing.items():
            session.execute(
                delete(SearchTerm).where(
                    SearchTerm.tenant_id == tenant_id(),
                    SearchTerm.kind == kind,
                    bulk.among(SearchTerm.record_id, ids),
                    SearchTerm.term.in_(gone),
                ),
                execution_options={"synchronize_session": False},
            )
    bulk.insert_rows(session, SearchTerm.__table__, rows)  # type: ignore[arg-type]


def _rows(kind: str, record_id: uuid.UUID, found: Iterable[str]) -> list[dict[str, Any]]:
    tenant, record = str(tenant_id()), str(record_id)  # Written once: a record has a dozen terms.
    return [{"tenant_id": tenant, "kind": kind, "term": term, "record_id": record} for term in found]


def forget(session: Session, kind: str, record_ids: Sequence[uuid.UUID]) -> None:
    """Remove the terms of records (trash)."""
    session.execute(
        delete(SearchTerm).where(
            SearchTerm.tenant_id == tenant_id(), SearchTerm.kind == kind, SearchTerm.record_id.in_(record_ids)
        ),
        execution_options={"synchronize_session": False},
    )


def end_of(start: str) -> str:
    """Return the text before which every text with this beginning stands, in the order of the index."""
    following = ord(start[-1]) + 1
    if 0xD800 <= following <= 0xDFFF:
        following = 0xE000  # Halves of characters can't be kept, nor asked for.
    return start[:-1] + chr(min(following, 0x10FFFF))


def _starts(term: str) -> ColumnElement[bool]:
    return and_(SearchTerm.term >= term, SearchTerm.term < end_of(term))


def matching(kind: str, query: str) -> list[Any]:
    """Return one sub-select of record ids for each word of a query; a hit is in all of them."""
    return [
        select(SearchTerm.record_id).where(
            SearchTerm.tenant_id == tenant_id(), SearchTerm.kind == kind, _starts(term)
        )
        for term in query_terms(query)
    ]


def carries(kind: str, record_id: Any, term: str) -> ColumnElement[bool]:
    """Tell whether a record, given by a column, has a term with this beginning."""
    found = aliased(SearchTerm)
    return (
        exists()
        .where(found.tenant_id == tenant_id(), found.kind == kind, found.record_id == record_id)
        .where(found.term >= term, found.term < end_of(term))
    )


def tagged(kind: str, tag: str) -> Any:
    """Return a sub-select of the ids of records that carry a tag."""
    from kehu.core.text import fold

    return select(SearchTerm.record_id).where(
        SearchTerm.tenant_id == tenant_id(), SearchTerm.kind == kind, SearchTerm.term == f"#{fold(tag)}"
    )
