"""What the page of own fields asks the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import any_, func, literal, or_, select
from sqlalchemy.orm import Session

from kehu.core.records.own_tables import CustomField, CustomIndex
from kehu.fields.records import MOST
from kehu.views.models import SavedView

MOST_VIEWS = 200


def of_object(session: Session, object_name: str) -> Sequence[CustomField]:
    """Return the own fields of a type, those in use first, in their order."""
    statement = (
        select(CustomField)
        .where(CustomField.object == object_name, CustomField.deleted_at.is_(None))
        .order_by(CustomField.state, CustomField.position, CustomField.id)
        .limit(MOST)
    )
    return session.execute(statement).scalars().all()


def filled(session: Session, field: CustomField) -> int | None:
    """Return how many records have a value of a field, or None for kinds that have no index rows."""
    from kehu.core.records.own import NUMBERS, WORDS

    if field.kind not in WORDS | NUMBERS:
        return None
    statement = select(func.count(CustomIndex.record_id.distinct())).where(CustomIndex.field_id == field.id)
    return int(session.execute(statement).scalar_one())


def views_with(session: Session, field: CustomField, member_id: uuid.UUID | None) -> tuple[list[str], int]:
    """Return the saved views that show, sort or filter by a field: names of those that a member sees, how many more."""
    statement = (
        select(SavedView.name, SavedView.sharing, SavedView.member_id)
        .where(
            SavedView.object == field.object,
            SavedView.deleted_at.is_(None),
            or_(
                literal(field.key) == any_(SavedView.columns),
                SavedView.query.contains(field.key, autoescape=True),
            ),
        )
        .order_by(SavedView.name)
        .limit(MOST_VIEWS)
    )
    rows = session.execute(statement).all()
    seen = [row.name for row in rows if row.sharing == "all" or row.member_id == member_id]
    return seen, len(rows) - len(seen)
