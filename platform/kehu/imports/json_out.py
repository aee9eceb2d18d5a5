"""Writes JSON Lines: one record a line, under the keys of its fields, in constant memory."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

_BATCH: Final = 500


def jsonl_blocks(keys: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """Yield JSON Lines in blocks. Amounts are texts, so that no reader rounds them."""
    lines: list[str] = []
    for row in rows:
        lines.append(json.dumps(dict(zip(keys, map(_plain, row), strict=True)), ensure_ascii=False))
        if len(lines) == _BATCH:
            yield _taken(lines)
    yield _taken(lines)


def _taken(lines: list[str]) -> bytes:
    block = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    lines.clear()
    return block


def _plain(value: object) -> Any:
    match value:
        case "":
            return None
        case Decimal():
            return format(value, "f")
        case dt.date():
            return value.isoformat()
        case None | bool() | int() | float() | list() | dict():
            return value
    return str(value)
