"""What the services of vehicles share: rights on behalf of somebody, refusals, columns that are reckoned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import inspect
from sqlalchemy.orm.attributes import set_committed_value

from kehu.api import Actor, InvalidInput, Session, update_rows

Scope = Literal["own", "team", "all"]


def is_new(record: Any) -> bool:
    """Tell whether a record is not kept yet."""
    return bool(inspect(record).transient)


def wrong(key: str, message: str) -> InvalidInput:
    """Return the refusal of one field."""
    return InvalidInput(message, fields={key: [message]})


def able(actor: Actor, *names: str) -> Actor:
    """Return the actor with the rights over further records that follow from what he may write.

    Who may change a vehicle thereby changes who has it and the platform's record of it.
    """
    more: dict[str, Scope] = {
        f"{name}:{action}": "all" for name in names for action in ("read", "write", "delete")
    }
    more["customers:read"] = "all"
    return replace(actor, permissions={**actor.permissions, **more})


def reckoned(session: Session, records: Sequence[tuple[Any, Mapping[str, Any]]]) -> None:
    """Set columns that follow from other rows; version and trail stay, so that nobody's form becomes stale by it."""
    changed = [
        (record, values)
        for record, values in records
        if any(getattr(record, key) != value for key, value in values.items())
    ]
    if not changed:
        return
    session.flush()  # The statement must not be overtaken by what still waits.
    table = inspect(type(changed[0][0])).local_table
    update_rows(session, table, [{"id": record.id, **values} for record, values in changed])
    for record, values in changed:
        for key, value in values.items():
            set_committed_value(record, key, value)
