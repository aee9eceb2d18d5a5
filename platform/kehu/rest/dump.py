"""Records as JSON: amounts in major units as text, moments in UTC, identifiers as text."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import Response

from kehu.core.money import digits, from_minor
from kehu.core.records.fields import Field
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType

Row = Mapping[str, Any]


def json_answer(body: Any, status: int = 200, **headers: str) -> Response:
    """Return JSON with headers (`_` in a name stands for `-`)."""
    response = Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        status=status,
        mimetype="application/json",
    )
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    return response


def etag(version: int) -> str:
    """Return a version as an entity tag."""
    return f'"{version}"'


def moment(value: dt.datetime | None) -> str | None:
    """Return a moment in UTC."""
    if value is None:
        return None
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def columns_of(record_type: RecordType, wanted: Sequence[str] = ()) -> list[Field]:
    """Return the fields that an answer holds: all, or the wanted ones."""
    return [one for one in record_type.fields if not wanted or one.key in wanted]


def shows_currency(record_type: RecordType, fields: Sequence[Field]) -> bool:
    """Tell whether a currency stands beside the amounts although it is no field of its own."""
    return any(
        one.kind == "money" and one.own is None and one.currency_from not in record_type.by_key
        for one in fields
    )


@lru_cache(maxsize=400)
def _digits(currency: str) -> int:
    return digits(currency)


def amount(minor: int | None, currency: str) -> str | None:
    """Return an amount in major units: 123450 EUR is `1234.50`."""
    if minor is None:
        return None
    places = _digits(currency)
    if places == 2 and minor >= 0:
        return f"{minor // 100}.{minor % 100:02}"
    return str(from_minor(minor, currency))


def dumper(record_type: RecordType, fields: Sequence[Field]) -> Callable[[Row], dict[str, Any]]:
    """Return the function that turns rows (column key -> value) into JSON."""
    plain = [one.key for one in fields if one.kind not in _CHANGED]
    changed = [
        (one.key, KINDS[one.kind].dump) for one in fields if one.kind in _CHANGED and one.kind != "money"
    ]
    money = [
        (one.key, one.currency_from if one.own is None else "", one.own.currency if one.own else "")
        for one in fields
        if one.kind == "money"
    ]
    order = ["id", "version", *(one.key for one in fields)]
    extra = "currency" if shows_currency(record_type, fields) else ""
    if extra:
        order.append(extra)

    def dump(row: Row) -> dict[str, Any]:
        found: dict[str, Any] = dict.fromkeys(order)
        found["id"], found["version"] = str(row["id"]), row["version"]
        for key in plain:
            found[key] = row[key]
        for key, turn in changed:
            value = row[key]
            if value is not None:
                found[key] = turn(value)
        for key, source, currency in money:
            found[key] = amount(row[key], row[source] if source else currency)
        if extra:
            found[extra] = row[extra]
        return found

    return dump


_CHANGED = frozenset({"money", "date", "datetime", "decimal", "percent", "member", "ref"})


class RecordRowView(Mapping[str, Any]):
    """A loaded record, read like a row."""

    def __init__(self, record: Any) -> None:
        self.record = record

    def __getitem__(self, key: str) -> Any:
        return getattr(self.record, key)

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def dump_record(record_type: RecordType, record: Any) -> dict[str, Any]:
    """Return one loaded record as JSON."""
    return dumper(record_type, record_type.fields)(RecordRowView(record))
