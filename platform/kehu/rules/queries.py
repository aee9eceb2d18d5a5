"""Reads a firm's rules as the core applies them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.records.codes import CodeRule
from kehu.rules.models import NumberRule, RecordRule


def number_rules(session: Session) -> list[NumberRule]:
    """Return the rules for codes that hold."""
    statement = select(NumberRule).where(NumberRule.deleted_at.is_(None)).order_by(NumberRule.object)
    return list(session.execute(statement.limit(200)).scalars())


def code_rules(session: Session) -> Mapping[str, CodeRule]:
    """Return the rules for codes by record type, as the core applies them."""
    return {row.object: as_rule(row) for row in number_rules(session)}


def as_rule(row: NumberRule) -> CodeRule:
    """Return a row as the core applies it."""
    return CodeRule(
        id=row.id,
        object=row.object,
        pattern=row.pattern,
        width=row.width,
        start=row.start,
        reset=row.reset,
        by_hand=row.by_hand,
    )


def record_rules(session: Session) -> list[RecordRule]:
    """Return what must hold, switched on or not, by record type."""
    statement = (
        select(RecordRule)
        .where(RecordRule.deleted_at.is_(None))
        .order_by(RecordRule.object, RecordRule.name, RecordRule.id)
    )
    return list(session.execute(statement.limit(500)).scalars())


def active_record_rules(session: Session) -> Mapping[str, list[Must]]:
    """Return what is switched on by record type, as it is asked at each write."""
    found: dict[str, list[Must]] = {}
    for row in record_rules(session):
        if row.active:
            must = Must(
                only_for=row.only_for or "", must=row.must, message=row.message, entering=row.entering
            )
            found.setdefault(row.object, []).append(must)
    return found


@dataclass(frozen=True, kw_only=True)
class Must:
    """A rule as it is asked at each write, or only at that by which a record comes to be one of those it is for."""

    only_for: str
    must: str
    message: str
    entering: bool = False
