"""Which changes of the trail are meant together, and what taking them back would do to each record.

What many changes did to a record counts as one: from what it was before the first to what it is after the last.
`rewinding` carries it out; pages show the same cases beforehand.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased

from kehu.core import audit, bulk, context, db
from kehu.core.audit import AuditEntry
from kehu.core.context import Actor
from kehu.core.i18n import _
from kehu.core.ids import first_id_of, parse_id
from kehu.core.records import scope, undo
from kehu.core.records.kinds import dump_value
from kehu.core.records.types import RecordType, get, registered

READ: Final = 400
"""Entries of the trail that one step looks at."""

BOUND: Final = 200_000
"""Entries up to which a selection is counted."""

LIVE, TRASH = "live", "trash"
_ENDS: Final = {"created": LIVE, "restored": LIVE, "trashed": TRASH}

Key = tuple[str, uuid.UUID]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Changes of one batch, or of a span of time, by whom, by which way and of which kind of record.

    :param source: the way as the trail keeps it, such as `rule:Ask for papers`.
    :param object: a record type's plural name; empty for all.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    batch_id: uuid.UUID | None = None
    member_id: uuid.UUID | None = None
    source: str | None = None
    object: str = ""

    def conditions(self, entry: Any = AuditEntry) -> list[ColumnElement[bool]]:
        """Return what an entry of the trail must meet."""
        found = [entry.tenant_id == db.tenant_id(), entry.object.in_(self.objects())]
        if self.since is not None:
            found.append(entry.id >= first_id_of(self.since))
        if self.until is not None:
            found.append(entry.id < first_id_of(self.until))
        if self.batch_id is not None:
            found.append(entry.batch_id == self.batch_id)
        if self.member_id is not None:
            found.append(entry.member_id == self.member_id)
        if self.source is not None:
            found.append(entry.source == self.source)
        return found

    def objects(self) -> list[str]:
        """Return the kinds of record that are meant."""
        left_out = {"members"} if self.batch_id is None else set()  # Who works here is no matter of an hour.
        return [name for name in registered() if name not in left_out and self.object in ("", name)]

    def to_json(self) -> dict[str, str]:
        """Return the selection as a job keeps it."""
        said = {
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "batch": str(self.batch_id or ""),
            "member": str(self.member_id or ""),
            "source": self.source,
            "object": self.object,
        }
        return {key: value for key, value in said.items() if value}

    @classmethod
    def from_json(cls, said: Mapping[str, str]) -> Selection:
        """Return the selection that a job kept."""
        since, until = (
            dt.datetime.fromisoformat(said[key]) if key in said else None for key in ("since", "until")
        )
        return cls(
            since=since,
            until=until,
            batch_id=parse_id(said.get("batch")),
            member_id=parse_id(said.get("member")),
            source=said.get("source"),
            object=said.get("object", ""),
        )


@dataclass
class Case:
    """One record and what taking the selected changes back would do to it.

    :param entries: the selected ones, the latest first.
    :param step: `trash`, `restore`, or empty when it stays where it is.
    :param changes: field key -> [value before, value after], of the fields that go back.
    :param stands: labels of fields that hold something else by now and stay.
    :param kept: why nothing is done; empty when something is, or when nothing is left to do.
    :param singly: its changes are taken back one by one: they are more than values of fields.
    :param hidden: who asks may not see the record: it is counted, and nothing of it is told.
    """

    type: RecordType
    record_id: uuid.UUID
    entries: list[AuditEntry]
    record: Any = None
    step: str = ""
    changes: dict[str, list[Any]] = field(default_factory=dict)
    stands: list[str] = field(default_factory=list)
    kept: str = ""
    singly: bool = False
    hidden: bool = False

    @property
    def title(self) -> str:
        """What the record is called in the trail, for those who may see it."""
        return _("Not visible to you") if self.hidden else self.entries[0].title

    @property
    def does(self) -> bool:
        """Tell whether anything would be done."""
        return not self.kept and bool(self.step or self.changes or self.singly)


def count(session: Session, selection: Selection) -> tuple[dict[str, int], int]:
    """Return how many records of each kind a selection touches, and of how many entries it is."""
    entries = (
        select(AuditEntry.object, AuditEntry.record_id).where(*selection.conditions()).limit(BOUND).subquery()
    )
    statement = select(entries.c.object, func.count(entries.c.record_id.distinct()), func.count()).group_by(
        entries.c.object
    )
    rows = session.execute(statement).all()
    return {row[0]: row[1] for row in rows}, sum(row[2] for row in rows)


def count_changed_since(session: Session, selection: Selection) -> int:
    """Return how many of the records were changed again by what is not selected."""
    later: Any = aliased(AuditEntry)
    chosen = func.coalesce(and_(*selection.conditions(later)), False)
    again = select(later.id).where(
        later.tenant_id == db.tenant_id(),
        later.object == AuditEntry.object,
        later.record_id == AuditEntry.record_id,
        later.id > AuditEntry.id,
        chosen.is_(False),
    )
    entries = (
        select(AuditEntry.record_id).where(*selection.conditions(), again.exists()).limit(BOUND).subquery()
    )
    return int(session.execute(select(func.count(entries.c.record_id.distinct()))).scalar_one())


def cases(
    session: Session, selection: Selection, after: uuid.UUID | None = None, *, limit: int = READ
) -> tuple[list[Case], uuid.UUID | None, int]:
    """Return the next records of a selection, those that were changed last first.

    :param after: what the call before returned as its second value.
    :returns: the cases, where to go on (None at the end), and how many entries were read.
    """
    statement = select(AuditEntry).where(*selection.conditions()).order_by(AuditEntry.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(AuditEntry.id < after)
    read = session.execute(statement).scalars().all()
    if not read:
        return [], None, 0
    wanted = {(entry.object, entry.record_id) for entry in read}
    if after is not None:
        wanted -= _among(session, wanted, [*selection.conditions(), AuditEntry.id >= after])
    found = _judged(session, selection, wanted) if wanted else []
    return found, read[-1].id if len(read) == limit else None, len(read)


def _among(session: Session, keys: Iterable[Key], conditions: Sequence[ColumnElement[bool]]) -> set[Key]:
    """Return which of some records have entries of the trail that meet the conditions."""
    statement = (
        select(AuditEntry.object, AuditEntry.record_id)
        .where(bulk.among(AuditEntry.record_id, {key[1] for key in keys}), *conditions)
        .distinct()
    )
    return {(row.object, row.record_id) for row in session.execute(statement)}


def _judged(session: Session, selection: Selection, keys: set[Key]) -> list[Case]:
    objects = {key[0] for key in keys}
    statement = (
        select(AuditEntry)
        .where(
            AuditEntry.object.in_(objects),
            bulk.among(AuditEntry.record_id, {key[1] for key in keys}),
            *selection.conditions(),
        )
        .order_by(AuditEntry.id.desc())
    )
    by_key: dict[Key, list[AuditEntry]] = {}
    for entry in session.execute(statement).scalars():
        if (entry.object, entry.record_id) in keys:
            by_key.setdefault((entry.object, entry.record_id), []).append(entry)
    found = [Case(type=get(name), record_id=one, entries=rows) for (name, one), rows in by_key.items()]
    _load(session, found)
    _hide(session, found, context.actor())
    touched = touched_since(session, selection, found)
    for case in found:
        _judge(case, touched=(case.type.name, case.record_id) in touched)
    return found


def _load(session: Session, found: Sequence[Case]) -> None:
    by_type: dict[str, list[Case]] = {}
    for case in found:
        by_type.setdefault(case.type.name, []).append(case)
    for group in by_type.values():
        model: Any = group[0].type.model
        statement = select(model).where(bulk.among(model.id, [case.record_id for case in group]))
        records = {record.id: record for record in session.execute(statement).scalars()}
        for case in group:
            case.record = records.get(case.record_id)


def _hide(session: Session, found: Sequence[Case], actor: Actor) -> None:
    """Mark what an actor may not see, one statement a kind; what was erased is seen by who sees all of its kind."""
    by_type: dict[str, list[Case]] = {}
    for case in found:
        by_type.setdefault(case.type.name, []).append(case)
    for name, group in by_type.items():
        kind, reach = group[0].type, actor.scope(f"{name}:read")
        if reach == "all" and not kind.named_by:
            continue
        model: Any = kind.model
        ids = [case.record_id for case in group]
        statement = select(model.id).where(
            bulk.among(model.id, ids), scope.condition(kind, model, actor, reach)
        )
        seen = set(session.execute(statement).scalars())
        for case in group:
            case.hidden = case.record_id not in seen


def touched_since(session: Session, selection: Selection, found: Sequence[Case]) -> set[Key]:
    """Return the records that were changed by what is not selected, after the first selected change."""
    first = {(case.type.name, case.record_id): case.entries[-1].id for case in found}
    chosen = func.coalesce(and_(*selection.conditions()), False)
    statement = select(AuditEntry.object, AuditEntry.record_id, AuditEntry.id).where(
        AuditEntry.object.in_({key[0] for key in first}),
        bulk.among(AuditEntry.record_id, {key[1] for key in first}),
        AuditEntry.id > min(first.values()),
        AuditEntry.batch_id != audit.batch_id(session),
        chosen.is_(False),
    )
    return {
        key
        for row in session.execute(statement)
        if (key := (row.object, row.record_id)) in first and row.id > first[key]
    }


def _judge(case: Case, *, touched: bool) -> None:
    """Say what is to be done with one record."""
    if case.record is None:
        case.kept = _("It was erased.")
        return
    if not case.type.importable or any(undo.is_action(entry.action) for entry in case.entries):
        if not any(undo.can_undo(entry.action, entry.changes) for entry in case.entries):
            case.kept = _("This can't be undone.")
        case.singly = not case.kept
        return
    actions = [entry.action for entry in case.entries if entry.action in _ENDS]
    born = "created" in actions
    after = _ENDS[actions[0]] if actions else ""
    before = TRASH if born else {LIVE: TRASH, TRASH: LIVE}[_ENDS[actions[-1]]] if actions else ""
    now = TRASH if case.record.deleted_at is not None else LIVE
    if before and now != before:
        if now != after or (before == TRASH and touched):
            case.kept = _("It was changed since.")
            return
        case.step = "trash" if before == TRASH else "restore"
    if born or case.step == "trash" or (now == TRASH and not case.step):
        if not case.step and now == TRASH and not actions:
            case.kept = _("It is in the trash.")
        return
    _judge_fields(case)


def _judge_fields(case: Case) -> None:
    fields = case.type.by_key
    merged: dict[str, list[Any]] = {}
    for entry in case.entries:  # The latest first: it says what was left, the earliest what was there before.
        for key, (old, new) in entry.changes.items():
            merged[key] = [old, merged[key][1] if key in merged else new]
    for key, (old, new) in merged.items():
        spec = fields.get(key)
        if spec is None:
            continue  # More than a value, which the service puts back beside the fields.
        if spec.readonly or old == new:
            continue
        now = dump_value(spec, getattr(case.record, key))
        if now == new:
            case.changes[key] = [old, new]
        elif now != old:
            case.stands.append(str(spec.label))
    if case.changes:
        case.changes.update({key: pair for key, pair in merged.items() if key not in fields})
    elif case.stands and not case.step:
        case.kept = _("%(fields)s was changed since.", fields=", ".join(case.stands))
