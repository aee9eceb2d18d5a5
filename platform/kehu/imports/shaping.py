"""New options of a firm's own fields, for values that a file has and the field has not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.errors import InvalidInput
from kehu.core.records.own_tables import CustomField
from kehu.core.records.service import service_for
from kehu.imports.synonyms import bare


def add_option(
    session: Session, actor: context.Actor, type_name: str, key: str, text: str
) -> tuple[str | None, bool]:
    """Make a text an option of an own field, unless it is one by now.

    The field is locked, so that two imports add one option between them; the trail of the import holds the
    change, by which it is taken back. A text that can't be an option makes none.

    :returns: the value under which the option is kept, or None; and whether it is new.
    """
    statement = select(CustomField.id).where(
        CustomField.object == type_name, CustomField.key == key, CustomField.deleted_at.is_(None)
    )
    service: Any = service_for("custom_fields", session, actor)
    record = service.get(session.execute(statement).scalar_one_or_none(), action="write", lock=True)
    if (value := _value(record, text)) is not None:
        return value, False
    try:
        options = [*(record.options or ()), {"value": "", "label": text, "tone": ""}]
        return _value(service.update(record.id, {"options": options}), text), True
    except InvalidInput:
        return None, False


def _value(record: CustomField, text: str) -> str | None:
    """Return the value of the option that a text names."""
    wanted = bare(text)
    return next((one["value"] for one in record.options or () if bare(one["label"]) == wanted), None)
