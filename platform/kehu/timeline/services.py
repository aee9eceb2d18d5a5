"""Read a page of a time line."""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, select, union_all
from sqlalchemy.orm import Session

from kehu.core import context, kept
from kehu.core.db import tenant_id
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import scope
from kehu.core.records.service import service_for
from kehu.core.records.types import registered
from kehu.core.tables import metadata
from kehu.timeline.entries import Entry, entry_of, pointed, table_of
from kehu.timeline.kinds import LINE_KINDS, LineKind, line_kind
from kehu.timeline.queries import LINKS, Cursor, Subject, line_types, page_statement, values

PAGE = 20
SUBJECTS = tuple(LINKS)
FREE = frozenset({"members", "stages"})
"""What every reader of a line may know by name."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A page of a time line; `older` is the mark to go on from, empty at the beginning of the story."""

    subject: Subject
    kind: LineKind
    kinds: Sequence[LineKind]
    entries: Sequence[Entry]
    older: str
    first: bool


def subject_of(object_name: str, record: Any) -> Subject:
    """Return whose line a record's is."""
    customer = record.id if object_name == "customers" else record.customer_id
    return Subject(object=object_name, record_id=record.id, customer_id=customer)


class TimelineService:
    """Read time lines in the reader's own rights."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def subject(self, object_name: str, record_id: object) -> Subject:
        """Return whose line it is, after checking that the actor may see the record.

        :raises NotFound: when there is no such record, or none of that kind has a time line.
        """
        if object_name not in SUBJECTS:
            raise NotFound(_("There is no time line of this."))
        return subject_of(object_name, service_for(object_name, self.session, self.actor).get(record_id))

    def page(self, subject: Subject, kind: str | None = "", before: str = "", limit: int = PAGE) -> Line:
        """Return the entries before a mark, the latest first, in two statements at most."""
        chosen = line_kind(kind)
        rows = self._rows(subject, chosen, read_mark(before) if before else None, limit + 1)
        more, rows = len(rows) > limit, rows[:limit]
        names = self._names(rows)
        return Line(
            subject=subject,
            kind=chosen,
            kinds=[
                one for one in LINE_KINDS.values() if not one.permission or self.actor.may(one.permission)
            ],
            entries=[entry_of(row, names, subject.record_id) for row in rows],
            older=write_mark(rows[-1].at, rows[-1].id) if more else "",
            first=not before,
        )

    def _rows(self, subject: Subject, kind: LineKind, before: Cursor | None, limit: int) -> list[Any]:
        known = kept.shape(self.actor, [*line_types(), "activities", "contacts", "files"])
        shape = (subject.object, subject.customer_id is not None, kind.key, before is not None, limit)
        return list(
            kept.rows(
                self.session,
                ("line", known, *shape),
                lambda: page_statement(subject, self.actor, kind, before is not None, limit),
                values(subject, before),
            )
        )

    def _names(self, rows: Sequence[Any]) -> dict[str, str]:
        parts = []
        for kind, ids in pointed(rows).items():
            record_type = registered().get(kind)
            if record_type is None and kind not in FREE:
                continue  # Its plugin is off by now.
            table = metadata.tables[kind if record_type is None else table_of(record_type)]
            title = table.c.name if record_type is None else table.c[record_type.title]
            named = select(cast(table.c.id, Text).label("id"), cast(title, Text).label("name")).where(
                table.c.tenant_id == tenant_id(), table.c.id.in_(ids)
            )
            # A change may point at what lies out of the reader's scope: it has no name for him.
            parts.append(named if kind in FREE else named.where(scope.seen(kind, table.c, self.actor)))
        if not parts:
            return {}
        return {row.id: row.name for row in self.session.execute(union_all(*parts))}


def write_mark(at: dt.datetime, row_id: uuid.UUID) -> str:
    """Return the mark of an entry, for the page that comes before it in time."""
    return (
        base64.urlsafe_b64encode(f"{at.astimezone(dt.UTC).isoformat()}|{row_id.hex}".encode())
        .decode()
        .rstrip("=")
    )


def read_mark(mark: str) -> Cursor:
    """Read a mark.

    :raises InvalidInput: when it is none.
    """
    try:
        raw = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4)).decode()
        written, _bar, hexed = raw.partition("|")
        at, row_id = dt.datetime.fromisoformat(written), parse_id(hexed)
    except ValueError as error:
        raise InvalidInput(_("This mark is not valid here; load the page again.")) from error
    if row_id is None or at.tzinfo is None:
        raise InvalidInput(_("This mark is not valid here; load the page again."))
    return at, row_id
