"""The board as its template draws it: columns with cards, everything written out once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import format_date
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.i18n import _, _n
from kehu.core.ids import parse_id
from kehu.deals import queries
from kehu.web.widgets import money

HUES = (3, 1, 6, 2, 5, 8)
"""Colours of the open stages in their order."""
OUTCOME_HUES = {"won": 7, "lost": 4}


@dataclass(slots=True, kw_only=True)
class Card:
    """A deal on the board."""

    id: str
    name: str
    customer: str
    value: Any
    step: str
    tone: str
    tip: str
    days: str
    late: bool
    owner: str
    version: int
    movable: bool
    move: str


@dataclass(slots=True, kw_only=True)
class Column:
    """A stage on the board; `more` cards wait behind those that are shown."""

    id: str
    name: str
    outcome: str
    hue: int
    usual_days: int | None
    exit_criteria: str
    count: int = 0
    total: str = ""
    total_tip: str = ""
    cards: list[Card] = field(default_factory=list)
    after: str = ""

    @property
    def more(self) -> int:
        """How many cards are not shown yet."""
        return max(self.count - len(self.cards), 0)


@dataclass(slots=True, kw_only=True)
class Board:
    """A pipeline with its columns."""

    pipeline_id: str
    pipeline: str
    pipelines: list[tuple[str, str]]
    columns: list[Column]

    @property
    def open_count(self) -> int:
        """How many open deals match."""
        return sum(column.count for column in self.columns if column.outcome == "open")


def read_board(session: Session, args: Mapping[str, str], actor: context.Actor) -> Board:
    """Return the board of the wanted pipeline (the default one), filtered like the list."""
    stages = queries.stages_with_pipeline(session)
    wanted = parse_id(args.get("pipeline"))
    known = {row.pipeline_id: row.pipeline for row in stages}
    pipeline_id = wanted if wanted in known else next(iter(known), None)
    here = [row for row in stages if row.pipeline_id == pipeline_id]
    columns = {row.id: column for row, column in zip(here, _columns(here), strict=True)}
    _fill(columns, queries.cards(session, list(columns), args, actor), actor)
    write_sums(columns.values(), queries.sums(session, list(columns), args, actor))
    return Board(
        pipeline_id=str(pipeline_id or ""),
        pipeline=known.get(pipeline_id, "") if pipeline_id else "",
        pipelines=[(str(key), name) for key, name in known.items()],
        columns=list(columns.values()),
    )


def read_more(
    session: Session, stage_id: uuid.UUID, after: str, args: Mapping[str, str], actor: context.Actor
) -> Column | None:
    """Return the next cards of one column, or None when there is no such stage or card."""
    rank, _dot, raw = after.partition("~")
    last = parse_id(raw)
    row = next((row for row in queries.stages_with_pipeline(session) if row.id == stage_id), None)
    if row is None or last is None:
        return None
    column = _columns([row])[0]
    _fill({stage_id: column}, queries.cards(session, [stage_id], args, actor, beyond=(rank, last)), actor)
    return column


def read_columns(
    session: Session, stage_ids: Sequence[uuid.UUID], args: Mapping[str, str], actor: context.Actor
) -> dict[str, dict[str, Any]]:
    """Return count and total of columns, as the board's script takes them after a move."""
    rows = queries.sums(session, stage_ids, args, actor)
    found: dict[str, dict[str, Any]] = {}
    for stage_id in stage_ids:
        mine = [row for row in rows if row.stage_id == stage_id]
        total, tip = total_of(mine)
        found[str(stage_id)] = {"count": sum(row.count for row in mine), "total": total, "tip": tip}
    return found


def _columns(rows: Iterable[Any]) -> list[Column]:
    return [
        Column(
            id=str(row.id),
            name=row.name,
            outcome=row.outcome,
            hue=OUTCOME_HUES.get(row.outcome) or HUES[at % len(HUES)],
            usual_days=row.usual_days,
            exit_criteria=row.exit_criteria or "",
        )
        for at, row in enumerate(rows)
    ]


def _fill(columns: Mapping[uuid.UUID, Column], rows: Sequence[Any], actor: context.Actor) -> None:
    write = CardWriter(actor)
    for row in rows:
        column = columns[row.stage_id]
        if len(column.cards) == queries.CARDS:
            column.after = column.after or write.last
            continue
        column.cards.append(write.card(row, column))


class CardWriter:
    """Writes rows as cards; words that repeat are made once."""

    def __init__(self, actor: context.Actor) -> None:
        self.actor = actor
        self.reach = actor.scope("deals:write")
        self.now = clock.now()
        self.zone = context.tenant().tz
        self.none = _("No next step")
        self.rule = _("Red: overdue. Amber: nothing planned. Grey: planned.")
        self.last = ""
        self._move = _("Move %(name)s", name="\x00")
        self._days: dict[int, str] = {}
        self._dates: dict[dt.date, str] = {}

    def card(self, row: Any, column: Column) -> Card:
        """Return one card."""
        self.last = f"{row.rank}~{row.id}"
        days = queries.days_between(row.stage_since, self.now)
        is_open = column.outcome == "open"
        tone, tip = self._tone(row) if is_open else ("", "")
        return Card(
            id=str(row.id),
            name=row.name,
            customer=row.customer or "",
            value=money(row.amount, row.currency, True),
            step=(row.step or self.none) if is_open or row.step else "",
            tone=tone,
            tip=tip,
            days=self._days_text(days) if is_open and days else "",
            late=is_open and column.usual_days is not None and days > column.usual_days,
            owner=row.owner or "",
            version=row.version,
            movable=self._movable(row.owner_id),
            move=self._move.replace("\x00", row.name),
        )

    def _tone(self, row: Any) -> tuple[str, str]:
        if row.step is None:
            return "warn", self.rule
        if row.step_due is None:
            return "", self.rule
        due: dt.datetime = row.step_due
        return (
            "bad" if due < self.now else ""
        ), f"{self._date(due.astimezone(self.zone).date())} · {self.rule}"

    def _date(self, day: dt.date) -> str:
        if day not in self._dates:
            self._dates[day] = str(format_date(day, "medium"))
        return self._dates[day]

    def _days_text(self, days: int) -> str:
        if days not in self._days:
            self._days[days] = _("%(days)s d", days=days)
        return self._days[days]

    def _movable(self, owner_id: uuid.UUID | None) -> bool:
        if self.reach in (None, "all"):
            return self.reach is not None
        # Team membership of the owner is not known here; the service decides on the move.
        return owner_id == self.actor.member_id or self.reach == "team"


def write_sums(columns: Iterable[Column], rows: Sequence[Any]) -> None:
    """Write count and total of each column; other currencies stand beside the tenant's own."""
    for column in columns:
        mine = [row for row in rows if str(row.stage_id) == column.id]
        column.count = sum(row.count for row in mine)
        column.total, column.total_tip = total_of(mine)


def total_of(rows: Sequence[Any]) -> tuple[str, str]:
    """Return a column's total, short and exact; currencies are never added up."""
    own = context.tenant().currency
    amounts = {row.currency: int(row.total or 0) for row in rows if row.total}
    ordered = sorted(amounts.items(), key=lambda item: item[0] != own)
    if not ordered:
        return (str(money(0, own, True)), "") if rows else ("", "")
    short = " + ".join(str(money(amount, code, True)) for code, amount in ordered[:2])
    if len(ordered) > 2:
        short += " + …"
    return short, " + ".join(str(money(amount, code)) for code, amount in ordered)


def open_deals_text(count: int) -> str:
    """Return how many deals are open, as a sentence part."""
    return _n("%(num)s open deal", "%(num)s open deals", count)
