"""Answers to a write: where to go next, what to say, how to undo it."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from flask import Response, make_response, redirect, request
from sqlalchemy.orm import Session

from kehu.core import audit
from kehu.web.render import wanted_target
from kehu.web.toasts import add_trigger, toast


def is_htmx() -> bool:
    """Tell whether the browser's script sent the request."""
    return request.headers.get("HX-Request") == "true"


def stands_alone() -> bool:
    """Tell whether what was sent stood on a page of its own, opened by its address, and not in a dialog."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path == request.path


def wants_page() -> bool:
    """Tell whether a form is asked for as a page of its own, not for a dialog."""
    return not is_htmx() or request.headers.get("HX-Boosted") == "true" or wanted_target() == "main"


def go_to(url: str) -> Response:
    """Answer a good write by another page, shown in place of the present one."""
    if not is_htmx() or request.headers.get("HX-Boosted") == "true":
        return redirect(url, 303)  # type: ignore[return-value]
    response = make_response("", 204)
    # Without the header the answer to that request would be a whole page.
    place = {"path": url, "target": "#main", "swap": "outerSync", "headers": {"HX-Target": "main#main"}}
    response.headers["HX-Location"] = json.dumps(place)
    add_trigger(response, "kehu:close")
    return response


def done(*events: str) -> Response:
    """Answer a good write by events: `kehu:close`, `kehu:refresh`, `kehu:list`."""
    response = make_response("", 204)
    for event in events:
        add_trigger(response, event)
    return response


def undo_url(session: Session) -> str:
    """Return the address that takes back all that this request wrote."""
    return f"/undo/{audit.batch_id(session)}"


def done_toast(session: Session, message: object) -> None:
    """Say what happened, with Undo."""
    toast(message, undo_url=undo_url(session))
