"""By which values a row finds the record that is already there."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.context import Actor
from kehu.core.i18n import _
from kehu.core.records import scope
from kehu.core.records.types import RecordType
from kehu.core.text import fold, normal_email
from kehu.imports.targets import norm_column

Value = tuple[Any, ...]
"""What a key holds for one record, in its compared form; empty when the record has nothing there."""


@dataclass(frozen=True, kw_only=True)
class MatchKey:
    """One way to find a record: by a field, or by several together."""

    name: str
    fields: tuple[str, ...]
    label: str
    weak: bool = False
    """Shared by several records now and then (phones, names of people), so not proposed beside a strong one."""


def match_keys(record_type: RecordType) -> list[MatchKey]:
    """Return the keys of a record type, the strongest first."""
    order = ("external_id", "number", "code")
    specs = record_type.by_key
    found = [_single(specs[key]) for key in order if key in specs and hasattr(record_type.model, key)]
    found += [
        _single(spec)
        for spec in record_type.fields
        if spec.unique and spec.key not in (*order, record_type.title)
    ]
    for key in ("emails", "phones"):
        if key in specs and norm_column(record_type.model, key) is not None:
            found.append(_single(specs[key], weak=key == "phones"))
    title = record_type.editable.get(record_type.title)
    if title is not None and norm_column(record_type.model, title.key) is not None:
        beside = (
            ()
            if title.unique
            else tuple(
                key
                for key in ("item_id", "customer_id", "starts_on", "due_at")
                if key in specs and not specs[key].readonly
            )
        )
        label = _(" and ").join(str(specs[key].label) for key in (title.key, *beside))
        found.append(MatchKey(name=title.key, fields=(title.key, *beside), label=label))
    return found


def _single(spec: Any, weak: bool = False) -> MatchKey:
    return MatchKey(name=spec.key, fields=(spec.key,), label=str(spec.label), weak=weak)


def _column(record_type: RecordType, key: str) -> Any:
    norm = norm_column(record_type.model, key)
    return norm if norm is not None else getattr(record_type.model, key)


def compared(record_type: RecordType, key: str, value: Any) -> Any:
    """Return a loaded value in the form in which it is compared, None for an empty one."""
    if value in (None, "", []):
        return None
    match key:
        case "emails":
            return normal_email(value[0]["address"])
        case "phones":
            return value[0]["number"]
    if norm_column(record_type.model, key) is not None:
        return fold(str(value))
    return value


def value_of(record_type: RecordType, key: MatchKey, loaded: Mapping[str, Any]) -> Value:
    """Return what a row says for a key; empty when its leading field is empty."""
    lead = compared(record_type, key.fields[0], loaded.get(key.fields[0]))
    if lead is None:
        return ()
    return (lead, *(compared(record_type, name, loaded.get(name)) for name in key.fields[1:]))


@dataclass
class Known:
    """A record that is there: its id and what it holds for each key."""

    record_id: uuid.UUID
    values: dict[str, Value] = field(default_factory=dict)


class KeyIndex:
    """The records that the rows of a batch may mean, found by one query for each key."""

    def __init__(self, record_type: RecordType, keys: Sequence[MatchKey], actor: Actor) -> None:
        self.type = record_type
        self.keys = keys
        self.actor = actor
        self.taken: set[uuid.UUID] = set()
        """Records that are there but that the actor may not see: a row that means one of them is not his."""
        self._known: dict[tuple[str, Value], dict[uuid.UUID, Known]] = {}
        self._records: dict[uuid.UUID, Known] = {}

    def fill(self, session: Session, rows: Iterable[Mapping[str, Value]]) -> None:
        """Look up the records for the key values of rows."""
        wanted = list(rows)
        model: Any = self.type.model
        columns = {name: _column(self.type, name) for key in self.keys for name in key.fields}
        reach = self.actor.scope(f"{self.type.name}:read")
        seen = scope.condition(self.type, model, self.actor, reach)
        shown = [column.label(f"k_{name}") for name, column in columns.items()]
        for key in self.keys:
            leads = {row[key.name][0] for row in wanted if row.get(key.name)}
            if not leads:
                continue
            lead = columns[key.fields[0]]
            statement = select(model.id, seen.label("seen"), *shown).where(
                lead.in_(leads), model.deleted_at.is_(None)
            )
            for found in session.execute(statement):
                if not found.seen:
                    self.taken.add(found.id)
                self.add(found.id, {name: getattr(found, f"k_{name}") for name in columns})

    def add(self, record_id: uuid.UUID, stored: Mapping[str, Any]) -> None:
        """Take in a record; `stored` holds the compared form of each field of a key."""
        if record_id in self._records:
            self.forget(record_id)
        known = self._records[record_id] = Known(record_id)
        for key in self.keys:
            lead, *others = (_same_form(stored.get(name)) for name in key.fields)
            known.values[key.name] = () if lead in (None, "") else (lead, *others)
            if known.values[key.name]:
                self._known.setdefault((key.name, known.values[key.name]), {})[record_id] = known

    def add_record(self, record: Any) -> None:
        """Take in a record that was written just now."""
        names = {name for key in self.keys for name in key.fields}
        self.add(record.id, {name: getattr(record, _column(self.type, name).key) for name in names})

    def forget(self, record_id: uuid.UUID) -> None:
        """Leave a record out, because its values changed."""
        known = self._records.pop(record_id)
        for name, value in known.values.items():
            self._known.get((name, value), {}).pop(record_id, None)

    def find(self, row: Mapping[str, Value]) -> tuple[list[uuid.UUID], str]:
        """Return the records that a row means, and by which key.

        A weaker key counts only where the record has nothing for the stronger ones that the row fills, so two
        people of one name with different addresses stay two. A record out of the actor's sight is returned only
        when no other fits: the row is then refused, because a second record of one customer helps nobody (SAL-35).
        """
        stronger: list[str] = []
        for key in self.keys:
            value = row.get(key.name) or ()
            if not value:
                continue
            found = self._known.get((key.name, value), {})
            fitting = [
                known.record_id
                for known in found.values()
                if not any(known.values[name] for name in stronger)
            ]
            if fitting:
                open_ones = [record_id for record_id in fitting if record_id not in self.taken]
                return open_ones or fitting[:1], key.name
            stronger.append(key.name)
        return [], ""


def _same_form(value: Any) -> Any:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value
