"""Tidying up what came in before: names, mails, phones and addresses as they would be written today."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import context, text
from kehu.core.errors import InvalidInput
from kehu.core.records import rights
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import load_value
from kehu.core.records.types import RecordType

KINDS = frozenset({"emails", "phones", "addresses"})

LOOKED = 2_000
"""So many of the picked records a rehearsal looks at."""

SHOWN = 20


@dataclass(frozen=True, kw_only=True)
class Line:
    """What would become of one value."""

    id: uuid.UUID
    title: str
    label: str
    before: str
    after: str


@dataclass(kw_only=True)
class Rehearsal:
    """What tidying up would change: how many of how many records, and the first values."""

    looked: int = 0
    records: int = 0
    first: list[Line] = field(default_factory=list)


def can_repair(record_type: RecordType) -> bool:
    """Tell whether records of a type have mails or phones."""
    return any(one.kind in ("emails", "phones") for one in record_type.editable.values())


def _fields(record_type: RecordType) -> list[Field]:
    editable = rights.editable(record_type)
    return [one for key, one in editable.items() if one.kind in KINDS or key == record_type.title]


def tidied(spec: Field, value: Any, country: str) -> Any:
    """Return a value as it would be written today; what can't be read stays as it is."""
    if spec.kind == "emails":
        return _once("address", [{**one, "address": _mail(one["address"])} for one in value or ()])
    if spec.kind == "phones":
        return _once("number", [{**one, "number": _phone(one["number"], country)} for one in value or ()])
    if spec.kind == "addresses":
        return [{key: text.clean(str(part or "")) for key, part in one.items()} for one in value or ()]
    return text.clean(unicodedata.normalize("NFKC", value)) if isinstance(value, str) else value


def _once(key: str, found: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Leave out what stands there twice; the first keeps its label."""
    kept: dict[str, dict[str, str]] = {}
    for one in found:
        kept.setdefault(one[key], one)
    return list(kept.values())


def _mail(value: str) -> str:
    try:
        return text.check_email(text.normal_email(value))
    except InvalidInput:
        return value


def _phone(value: str, country: str) -> str:
    try:
        return text.normal_phone(unicodedata.normalize("NFKC", value), country)
    except InvalidInput:
        return value


def changes(
    session: Session, record_type: RecordType, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Any]]:
    """Return what would change of some records, by their ids; what is tidy already is left out."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for record in _records(session, record_type, ids):
        values = _of(record_type, record)
        if values:
            found[record.id] = values
    return found


def rehearse(session: Session, record_type: RecordType, ids: Sequence[uuid.UUID]) -> Rehearsal:
    """Show what would change of some records; nothing is written."""
    found = Rehearsal(looked=len(ids))
    fields = {one.key: one for one in _fields(record_type)}
    for record in _records(session, record_type, ids):
        values = _of(record_type, record)
        found.records += bool(values)
        for key, value in values.items():
            if len(found.first) < SHOWN:
                found.first.append(
                    Line(
                        id=record.id,
                        title=str(getattr(record, record_type.title) or "–"),
                        label=str(fields[key].label),
                        before=_shown(getattr(record, key)),
                        after=_shown(value),
                    )
                )
    return found


def _records(session: Session, record_type: RecordType, ids: Sequence[uuid.UUID]) -> Sequence[Any]:
    model: Any = record_type.model
    statement = select(model).where(model.id.in_(ids), model.deleted_at.is_(None)).order_by(model.id)
    return session.execute(statement).scalars().all() if ids else ()


def _of(record_type: RecordType, record: Any) -> dict[str, Any]:
    tenant = context.tenant()
    country = getattr(record, "country", None) or tenant.country
    ctx = LoadContext(country=country, currency=tenant.currency, zone=tenant.tz)
    found: dict[str, Any] = {}
    for spec in _fields(record_type):
        value = getattr(record, spec.key)
        try:
            tidy = load_value(spec, tidied(spec, value, country), ctx) if value else None
        except FieldError:
            continue  # One part that can't be read would have all of the field refused: people mend that.
        if tidy and tidy != value:
            found[spec.key] = tidy
    return found


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    rows: list[Mapping[str, str]] = value
    return "; ".join(", ".join(part for key, part in row.items() if part and key != "label") for row in rows)
