"""The board as its template draws it: columns with cards, everything written out once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import format_date
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.i18n import _, _n, whole
from kehu.core.ids import parse_id
from kehu.core.records import rights
from kehu.deals import queries
from kehu.web.widgets import avatar, icon, money

HUES = (3, 1, 6, 2, 5, 8)
"""Colours of the open stages in their order."""
OUTCOME_HUES = {"won": 7, "lost": 4}


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
    cards: list[str] = field(default_factory=list)
    after: str = ""

    @property
    def html(self) -> Markup:
        """The cards, written out."""
        return Markup("".join(self.cards))  # noqa: S704 - the writer escaped every part

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
    def card_count(self) -> int:
        """How many deals match in all columns."""
        return sum(column.count for column in self.columns)

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
        found[str(stage_id)] = {"count": whole(sum(row.count for row in mine)), "total": total, "tip": tip}
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
    """Writes rows as cards: plain text joined here, since a board draws hundreds and a template is slower by half."""

    def __init__(self, actor: context.Actor) -> None:
        self.actor = actor
        self.reach = actor.scope("deals:write")
        self.worth = "amount" not in rights.hidden("deals")
        self.now = clock.now()
        self.zone = context.tenant().tz
        self.none = str(escape(_("No next step")))
        self.rule = str(escape(_("Red: overdue. Amber: nothing planned. Grey: planned.")))
        self._last: Any = None
        self.icons = {name: str(icon(name, 14)) for name in ("clock", "alert-circle")}
        self.dots = str(icon("dots", 16))
        self._move = str(escape(_("Move %(name)s", name="\x00")))
        self._days: dict[tuple[int, int | None], str] = {}
        self._dates: dict[dt.date, str] = {}
        self._owners: dict[str, str] = {}

    def card(self, row: Any, column: Column) -> str:
        """Return one card as HTML."""
        self._last = row
        # Written once: an id becomes text five times in a card.
        name, deal_id = str(escape(row.name)), str(row.id)
        where, menu = " data-fixed", ""
        if self._movable(row.owner_id):
            label = self._move.replace("\x00", name)
            where = f' data-move-url="/deals/{deal_id}/move"'
            menu = (
                '<button type="button" class="k-btn k-btn-ghost k-btn-icon k-btn-s" data-stage-menu '
                f'aria-haspopup="menu" aria-label="{label}">{self.dots}</button>'
            )
        return (
            f'<li class="k-deal" id="deal-{deal_id}" data-card="{deal_id}" data-version="{row.version}"{where}>'
            f'<div class="k-deal-title"><a href="/deals/{deal_id}" data-row-link draggable="false">{name}</a>'
            f"{menu}</div>"
            f'<div class="k-deal-sub"><span>{escape(row.customer or "")}</span>'
            f'<span class="k-num">{self._amount(row)}</span></div>'
            f"{self._below(row, column)}</li>"
        )

    def _amount(self, row: Any) -> Markup | str:
        return escape(money(row.amount, row.currency, True)) if self.worth else ""

    @property
    def last(self) -> str:
        """The mark of the card that was written last, from which the next page goes on."""
        return f"{self._last.rank}~{self._last.id}" if self._last is not None else ""

    def _below(self, row: Any, column: Column) -> str:
        """Return the card's last line: the next step, the days in the stage, the owner."""
        tone, step, days = "", "", ""
        if column.outcome == "open":
            days = self._days_html(queries.days_between(row.stage_since, self.now), column.usual_days)
            if row.step is None:
                tone = " k-tone-warn"
                step = (
                    f'<span title="{self.rule}">{self.icons["alert-circle"]}<span>{self.none}</span></span>'
                )
            else:
                tone = " k-tone-bad" if row.step_due is not None and row.step_due < self.now else ""
                tip = f"{self._date(row.step_due)} · {self.rule}" if row.step_due is not None else self.rule
                step = f'<span title="{tip}">{self.icons["clock"]}<span>{escape(row.step)}</span></span>'
        return f'<div class="k-deal-next{tone}">{step or "<span></span>"}{days}{self._owner(row.owner)}</div>'

    def _owner(self, name: str | None) -> str:
        if not name:
            return ""
        if name not in self._owners:
            safe = escape(name)
            self._owners[name] = (
                f'<span title="{safe}">{avatar(name, "s")}<span class="k-sr">{safe}</span></span>'
            )
        return self._owners[name]

    def _date(self, due: dt.datetime) -> str:
        day = due.astimezone(self.zone).date()
        if day not in self._dates:
            self._dates[day] = str(escape(format_date(day, "medium")))
        return self._dates[day]

    def _days_html(self, days: int, usual: int | None) -> str:
        if not days:
            return ""
        if (days, usual) not in self._days:
            text = escape(_("%(days)s d", days=whole(days)))
            if usual is not None and days > usual:
                tip = escape(_("Longer in this stage than the usual %(days)s days", days=usual))
                mark = self.icons["alert-circle"]
                found = f'<span class="k-deal-days k-tone-warn" title="{tip}">{mark}{text}</span>'
            else:
                found = f'<span class="k-deal-days" title="{escape(_("Days in this stage"))}">{text}</span>'
            self._days[days, usual] = found
        return self._days[days, usual]

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
    if "amount" in rights.hidden("deals"):
        return "", ""
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
