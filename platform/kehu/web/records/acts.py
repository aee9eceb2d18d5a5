"""What a member did lately, act by act, each with its way back: for who looks for Undo when the toast is gone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kehu.core import context, db
from kehu.core.audit import AuditEntry
from kehu.core.i18n import _l, _n
from kehu.core.ids import parse_id
from kehu.core.records import undo
from kehu.core.records.types import RecordType, registered
from kehu.web.render import render_page

PAGE = 30
READ = 2_000
"""How many entries of the trail one page looks at; a larger act ends its page."""

WORDS: dict[str, Any] = {
    "created": _l("Added"),
    "updated": _l("Changed"),
    "trashed": _l("Moved to the trash"),
    "restored": _l("Restored"),
    "merged": _l("Merged"),
    "moved": _l("Moved to another stage"),
    "won": _l("Marked as won"),
    "lost": _l("Marked as lost"),
}


@dataclass
class Act:
    """What one request of a member did."""

    batch_id: uuid.UUID
    at: dt.datetime
    title: str
    entries: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    undoable: bool = False

    @property
    def what(self) -> str:
        """Return what was done, in a word."""
        action = self.actions.most_common(1)[0][0]
        return str(WORDS.get(action, WORDS["updated"]))

    @property
    def kind(self) -> RecordType:
        """Return the kind of record that most of it was about."""
        return registered()[self.kinds.most_common(1)[0][0]]

    @property
    def records(self) -> str:
        """Return the name of the first record and how many others there were."""
        if self.entries == 1:
            return self.title
        return _n(
            "“%(title)s” and %(num)s more", "“%(title)s” and %(num)s more", self.entries - 1, title=self.title
        )


def show() -> ResponseReturnValue:
    """Show the acts of the member, the latest first."""
    acts, after = read(db.session(), context.actor(), parse_id(request.args.get("after")))
    return render_page("records/acts.html", {}, acts=acts, next_url=f"/acts?after={after}" if after else "")


def read(
    session: Session, actor: context.Actor, after: uuid.UUID | None
) -> tuple[Sequence[Act], uuid.UUID | None]:
    """Return a page of acts, and where the next page begins."""
    known = [name for name in registered() if actor.may(f"{name}:read")]
    statement = select(
        AuditEntry.id,
        AuditEntry.batch_id,
        AuditEntry.at,
        AuditEntry.object,
        AuditEntry.action,
        AuditEntry.title,
        AuditEntry.changes,
    ).where(
        AuditEntry.member_id == actor.member_id,
        AuditEntry.source != "import",
        AuditEntry.object.in_(known),
    )
    if after is not None:
        statement = statement.where(AuditEntry.id < after)
    rows = session.execute(statement.order_by(AuditEntry.id.desc()).limit(READ)).all()
    acts = _grouped(rows)
    more = len(acts) > PAGE or len(rows) == READ
    acts = acts[:PAGE]
    if not acts or not more:
        return acts, None
    return acts, _first_entry(session, actor, acts[-1])


def _grouped(rows: Iterable[Any]) -> list[Act]:
    acts: dict[uuid.UUID, Act] = {}
    for row in rows:
        act = acts.setdefault(row.batch_id, Act(row.batch_id, row.at, row.title or "–"))
        act.entries += 1
        act.kinds[row.object] += 1
        act.actions[row.action] += 1
        act.undoable = act.undoable or undo.can_undo(row.action, row.changes)
    return list(acts.values())


def _first_entry(session: Session, actor: context.Actor, act: Act) -> uuid.UUID | None:
    """Complete the page's last act, of which only a part may have been read, and return its first entry."""
    whole = (AuditEntry.batch_id == act.batch_id, AuditEntry.member_id == actor.member_id)
    act.entries = session.execute(select(func.count()).select_from(AuditEntry).where(*whole)).scalar_one()
    return session.execute(select(AuditEntry.id).where(*whole).order_by(AuditEntry.id).limit(1)).scalar()
