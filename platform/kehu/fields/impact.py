"""What names a field: told by name before its kind changes."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, or_, select
from sqlalchemy.orm import Session

from kehu.core.i18n import _
from kehu.core.records.own_tables import CustomField
from kehu.fields import queries
from kehu.imports.models import Import, ImportMapping
from kehu.rules.models import FieldRule, NumberRule, RecordRule
from kehu.segments.models import Segment
from kehu.views.models import BulkRun

MOST = 50


@dataclass
class Use:
    """A kind of thing that names a field.

    :param names: what they are called, as far as the reader may see them.
    :param others: how many more there are.
    """

    label: str
    names: list[str]
    others: int = 0


def uses(session: Session, field: CustomField, member_id: uuid.UUID | None) -> list[Use]:
    """Return what names a field, kind by kind; kinds of which nothing does are left out."""
    views, others = queries.views_with(session, field, member_id)
    found = [Use(_("Saved views"), views, others)]
    found += [look(session, field) for look in _LOOKS]
    return [one for one in found if one.names or one.others]


def _named(column: Any, field: CustomField) -> Any:
    """Return the condition that a text names the field, and not one whose key merely begins like it."""
    return column.regexp_match(rf"\m{field.key}\M")


def _first(session: Session, name: Any, model: Any, *where: Any) -> tuple[list[str], int]:
    rows = session.execute(select(name).select_from(model).where(*where).limit(MOST)).scalars().all()
    return sorted({str(row) for row in rows}), 0


def _rules(session: Session, field: CustomField) -> Use:
    named = or_(_named(RecordRule.must, field), _named(RecordRule.only_for, field))
    where = RecordRule.object == field.object, RecordRule.deleted_at.is_(None), named
    return Use(_("What must hold"), *_first(session, RecordRule.name, RecordRule, *where))


def _numbers(session: Session, field: CustomField) -> Use:
    where = (
        NumberRule.object == field.object,
        NumberRule.deleted_at.is_(None),
        _named(NumberRule.pattern, field),
    )
    return Use(_("Numbers and codes"), *_first(session, NumberRule.pattern, NumberRule, *where))


def _segments(session: Session, field: CustomField) -> Use:
    where = Segment.object == field.object, Segment.deleted_at.is_(None), _named(Segment.query, field)
    return Use(_("Segments"), *_first(session, Segment.name, Segment, *where))


def _formulas(session: Session, field: CustomField) -> Use:
    where = (
        CustomField.object == field.object,
        CustomField.deleted_at.is_(None),
        _named(CustomField.formula, field),
    )
    return Use(_("Formulas"), *_first(session, CustomField.label, CustomField, *where))


def _rights(session: Session, field: CustomField) -> Use:
    where = (
        FieldRule.object == field.object,
        FieldRule.deleted_at.is_(None),
        FieldRule.field == field.key,
    )
    roles = func.coalesce(FieldRule.seen_by, FieldRule.edited_by, FieldRule.field)
    return Use(_("Field rights"), *_first(session, roles, FieldRule, *where))


def _imports(session: Session, field: CustomField) -> Use:
    where = (
        Import.object == field.object,
        Import.deleted_at.is_(None),
        Import.finished_at.is_(None),
        _named(cast(Import.mapping, Text), field),
    )
    return Use(_("Imports under way"), *_first(session, Import.name, Import, *where))


def _mappings(session: Session, field: CustomField) -> Use:
    statement = (
        select(ImportMapping.id)
        .where(ImportMapping.object == field.object, _named(cast(ImportMapping.mapping, Text), field))
        .limit(MOST)
    )
    return Use(_("Remembered columns of imports"), [], len(session.execute(statement).all()))


def _bulk(session: Session, field: CustomField) -> Use:
    statement = (
        select(BulkRun.id)
        .where(
            BulkRun.object == field.object,
            BulkRun.state.in_(("waiting", "running")),
            _named(cast(BulkRun.plan, Text), field),
        )
        .limit(MOST)
    )
    return Use(_("Bulk changes under way"), [], len(session.execute(statement).all()))


_LOOKS: tuple[Callable[[Session, CustomField], Use], ...] = (
    *(_rules, _numbers, _segments, _formulas, _rights, _mappings, _imports, _bulk),
)
