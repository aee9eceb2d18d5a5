"""Addresses of plugins' pages, built once: building one costs more than all else that a line of a page needs."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import current_app, url_for
from werkzeug.routing import BuildError


def address_of(endpoint: str, query: Mapping[str, str] | None = None) -> str:
    """Return the address of a page, with a query string; what the address itself holds is taken from the query."""
    known: dict[str, str] = current_app.extensions.setdefault("kehu.addresses", {})
    path = known.get(endpoint)
    if path is None:
        try:
            path = known[endpoint] = url_for(endpoint)
        except BuildError:
            return url_for(endpoint, **(query or {}))  # type: ignore[arg-type]
    return f"{path}?{urlencode(query)}" if query else path
