"""What a member may look at and take back of a span of time: his own, or everybody's with the right to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import rewind
from kehu.core.records.rewind import BOUND, Selection
from kehu.core.records.types import registered
from kehu.views import bulk
from kehu.views.models import BulkRun
from kehu.web.records.origins import Origins

RIGHT: Final = "history:rewind"
MOST_CHOICES: Final = 200


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, as it was typed: the span, whose changes, which kind of record."""

    since: str = ""
    until: str = ""
    who: str = ""
    object: str = ""

    @classmethod
    def of(cls, args: Mapping[str, str]) -> Wanted:
        """Return what a request asks for; without a start the last hour."""
        an_hour_ago = clock.now() - dt.timedelta(hours=1)
        start = an_hour_ago.astimezone(context.tenant().tz).strftime("%Y-%m-%dT%H:%M")
        return cls(
            since=args.get("since") or start,
            until=args.get("until", ""),
            who=args.get("who", "")[:240],
            object=args.get("object", "")[:80],
        )


class RewindService:
    """Select changes of the trail and start to take them back."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def selection(self, wanted: Wanted) -> Selection:
        """Return the changes that are meant; without the right only the member's own.

        :raises InvalidInput: names the moment that can't be read.
        """
        since, until = _moment("since", wanted.since), _moment("until", wanted.until)
        if since is not None and until is not None and since >= until:
            raise InvalidInput(
                _("The end lies before the start."), fields={"until": [_("Choose a later moment.")]}
            )
        kind, _colon, name = wanted.who.partition(":")
        member_id = parse_id(name) if kind == "m" else None
        return Selection(
            since=since,
            until=until,
            batch_id=parse_id(name) if kind == "i" else None,
            member_id=member_id if self.actor.may(RIGHT) else self.actor.member_id,
            source=name if kind == "s" and name else None,
            object=wanted.object if wanted.object in registered() else "",
        )

    def choices(self, selection: Selection) -> list[tuple[str, str]]:
        """Return who and what changed something in a span, as choices."""
        span = Selection(
            since=selection.since,
            until=selection.until,
            member_id=None if self.actor.may(RIGHT) else self.actor.member_id,
        )
        batch: Any = case((AuditEntry.source == "import", AuditEntry.batch_id), else_=None).label("batch_id")
        entries = (
            select(AuditEntry.member_id, AuditEntry.actor_name, AuditEntry.source, batch)
            .where(*span.conditions())
            .limit(BOUND)
            .subquery()
        )
        rows: Sequence[Any] = self.session.execute(select(entries).distinct().limit(MOST_CHOICES)).all()
        origins = Origins(self.session, rows)
        found: dict[str, str] = {}
        for row in rows:
            if row.member_id is not None:
                found[f"m:{row.member_id}"] = row.actor_name
            via = origins.of(row).via
            if via:
                found[f"i:{row.batch_id}" if row.source == "import" else f"s:{row.source}"] = via
        return sorted(found.items(), key=lambda pair: pair[1].casefold())

    def start(self, selection: Selection, title: str) -> BulkRun:
        """Let a job take the changes back; what it does is one batch, which can be undone itself.

        :raises Conflict: when there are none, or too many for one go.
        """
        _kinds, total = rewind.count(self.session, selection)
        if not total:
            raise Conflict(_("Nothing was changed in that time."))
        if total >= BOUND:
            raise Conflict(_("These are too many changes for one go; choose a shorter time."))
        run = bulk.start_rewind(self.session, selection, total)
        audit.write(self.session, object="rewind", record_id=run.id, action="rewound", title=title)
        return run


def _moment(key: str, text: str) -> dt.datetime | None:
    if not text:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or not 1990 < found.year < 2200:
        message = _("Write day and time, such as 2026-11-29 14:00.")
        raise InvalidInput(message, fields={key: [message]})
    return found if found.tzinfo is not None else found.replace(tzinfo=context.tenant().tz)
