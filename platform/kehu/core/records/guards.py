"""What a firm's own rules say to each write of a record, whichever way it comes: one place for all record types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kehu.core.records.service import RecordService

Guard = Callable[["RecordService[Any]", Any, Mapping[str, Any] | None], None]
"""(service, the record as it is to be, its changed values as they were or None for a new record)."""

_guards: list[Guard] = []


def add(guard: Guard) -> None:
    """Add a function that raises `InvalidInput` for a write that the firm's rules refuse."""
    if guard not in _guards:
        _guards.append(guard)


def ask(service: RecordService[Any], record: Any, before: Mapping[str, Any] | None) -> None:
    """Ask all guards about a write.

    :raises InvalidInput: names the fields and the remedy.
    """
    if service.session.info.get("undoing"):
        return  # What was taken back stood there before; nothing may be impossible to undo.
    for guard in _guards:
        guard(service, record, before)
