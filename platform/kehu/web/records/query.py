"""The query of a list in its address: read, cleaned and written in one form."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from flask import request
from werkzeug.datastructures import MultiDict

from kehu.core.records.types import list_path

CURSOR = frozenset({"after", "before", "at"})
"""Keys that say which page is shown, not what the list holds."""
LONGEST = 4000


def clean(args: MultiDict[str, str]) -> dict[str, str]:
    """Return a query without empty values; several values of one key become one with commas."""
    found: dict[str, str] = {}
    for key in args:
        values = [value.strip().replace("\x00", "") for value in args.getlist(key)]
        joined = ",".join(value for value in values if value)
        if joined:
            found[key] = joined[:LONGEST]
    return found


def of_request() -> dict[str, str]:
    """Return the query of the running request."""
    return clean(request.args)


def parse(text: str) -> dict[str, str]:
    """Return a query that was carried as text (saved views, the way back from a record)."""
    return clean(MultiDict(parse_qsl(text[:LONGEST].lstrip("?"), max_num_fields=100)))


def write(args: Mapping[str, str], **changes: str | None) -> str:
    """Return a query as text; changes replace or (None, empty) take away keys."""
    merged: dict[str, str] = {**args, **{key: value or "" for key, value in changes.items()}}
    return urlencode({key: value for key, value in merged.items() if value}, safe=",:()!|")


def without_page(args: Mapping[str, str]) -> dict[str, str]:
    """Return a query without the page it shows."""
    return {key: value for key, value in args.items() if key not in CURSOR}


def filters_only(args: Mapping[str, str]) -> dict[str, str]:
    """Return what a saved view keeps: filters and sort."""
    return {key: value for key, value in args.items() if key not in CURSOR and key not in ("view", "columns")}


def list_url(type_name: str, args: Mapping[str, str], **changes: str | None) -> str:
    """Return the address of a list."""
    text = write(args, **changes)
    path = list_path(type_name)
    return f"{path}?{text}" if text else path


def record_url(url: str, from_query: str, at: int = 0) -> str:
    """Return the address of a record that remembers the list it was opened from."""
    return f"{url}?{urlencode({'from': from_query, **({'at': str(at)} if at else {})})}"
