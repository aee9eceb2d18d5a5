"""Problem documents (RFC 9457) that name the field."""

from __future__ import annotations

import json
from typing import Any

from flask import Response

from kehu.core import context
from kehu.core.errors import KehuError
from kehu.core.i18n import _

DOCS = "/api/v1/docs"


def problem(error: KehuError) -> Response:
    """Return an error as `application/problem+json`; `errors` maps each field to its messages."""
    body: dict[str, Any] = {
        "type": f"{DOCS}#problem-{error.code.replace('_', '-')}",
        "title": _(error.title),
        "status": error.status,
        "code": error.code,
        "detail": str(error.message),
        "request_id": context.current().request_id,
    }
    if error.fields:
        body["errors"] = error.fields
    body |= {key: value for key, value in error.details.items() if key != "retry_after"}
    # Escaped, since what was refused may hold half of a character.
    response = Response(json.dumps(body, default=_plain), status=error.status)
    response.mimetype = "application/problem+json"
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="kehu"'
    return response


def _plain(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return str(value)
