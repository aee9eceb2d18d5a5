"""Tell the member what happened, with Undo, whatever way the answer travels."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from flask import Flask, Response, g, request, session

_SESSION_KEY = "kehu_toasts"
_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Toast:
    """One sentence about what happened, and the way back."""

    message: str
    level: str = "ok"
    undo_url: str | None = None


def toast(message: object, level: str = "ok", undo_url: str | None = None) -> None:
    """Show a sentence with the answer to this request, or with the page it redirects to.

    :param level: ``ok``, ``info``, ``warn`` or ``bad``.
    :param undo_url: where a POST takes the change back.
    """
    _waiting().append(Toast(str(message), level, undo_url))


def _waiting() -> list[Toast]:
    waiting: list[Toast] | None = g.get("kehu_toasts")
    if waiting is None:
        waiting = g.kehu_toasts = []
    return waiting


def take_toasts() -> list[Toast]:
    """Return what has to be shown, from this request and the one before, and forget it."""
    kept = [Toast(**item) for item in session.pop(_SESSION_KEY, [])] if session else []
    toasts = kept + _waiting()
    g.kehu_toasts = []
    return toasts[-_AT_MOST:]


def send_toasts(response: Response) -> Response:
    """Put toasts that no page has shown into the answer's header, or keep them for the next page."""
    fragment = request.headers.get("HX-Request") == "true"
    redirected = 300 <= response.status_code < 400
    if not fragment or redirected or "HX-Redirect" in response.headers or "HX-Location" in response.headers:
        _keep()
        return response
    if toasts := take_toasts():
        add_trigger(response, "kehu:toast", {"items": [asdict(item) for item in toasts]})
    return response


def _keep() -> None:
    if waiting := _waiting():
        kept: list[Any] = session.get(_SESSION_KEY, [])
        session[_SESSION_KEY] = (kept + [asdict(item) for item in waiting])[-_AT_MOST:]
        g.kehu_toasts = []


def add_trigger(response: Response, event: str, detail: dict[str, Any] | None = None) -> None:
    """Add an event to the answer's ``HX-Trigger`` header beside those that are there."""
    present = response.headers.get("HX-Trigger", "")
    events: dict[str, Any] = (
        json.loads(present)
        if present.startswith("{")
        else {name.strip(): {} for name in present.split(",") if name.strip()}
    )
    events[event] = detail or {}
    response.headers["HX-Trigger"] = json.dumps(events)


def init_toasts(app: Flask) -> None:
    """Send waiting toasts with every answer."""
    app.after_request(send_toasts)
