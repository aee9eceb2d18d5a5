"""The records that a member opened lately, kept by his own browser: no write to the database for a look."""

from __future__ import annotations

import base64
import uuid

from flask import Flask, Response, request

from kehu.core import context
from kehu.core.records.types import key_of, registered

COOKIE = "kehu_recent"
AT_MOST = 8
_AGE = 60 * 60 * 24 * 30


def recent_marks() -> list[tuple[str, uuid.UUID]]:
    """Return what the browser kept for this member in this tenant; ids mean nothing without the right to read them."""
    owner, _bar, rest = request.cookies.get(COOKIE, "").partition("|")
    if owner != _owner():
        return []
    found = []
    for mark in rest.split(".")[:AT_MOST]:
        name, _dash, packed = mark.partition("-")
        try:
            found.append((name.replace("~", "."), uuid.UUID(bytes=base64.urlsafe_b64decode(packed + "=="))))
        except ValueError:
            continue  # A cookie is the browser's: what can't be read is left out.
    return found


def _owner() -> str:
    now = context.current()
    if now.tenant is None or now.actor is None or now.actor.member_id is None:
        return ""
    return f"{now.tenant.id.hex[-8:]}{now.actor.member_id.hex[-8:]}"


def _note(response: Response) -> Response:
    key, _underscore, action = (request.endpoint or "").rpartition(".")[2].rpartition("_")
    record_id = (request.view_args or {}).get("record_id")
    if action != "show" or response.status_code != 200 or request.method != "GET":
        return response
    name = next((one for one in registered() if key_of(one) == key), "")
    if not name:
        return response
    if not isinstance(record_id, uuid.UUID) or not _owner():
        return response
    kept = recent_marks()
    if kept[:1] == [(name, record_id)]:
        return response
    marks = [(name, record_id), *[mark for mark in kept if mark != (name, record_id)]][:AT_MOST]
    packed = ".".join(
        f"{kind.replace('.', '~')}-{base64.urlsafe_b64encode(one.bytes).decode().rstrip('=')}"
        for kind, one in marks
    )
    response.set_cookie(
        COOKIE, f"{_owner()}|{packed}", max_age=_AGE, httponly=True, samesite="Lax", secure=request.is_secure
    )
    return response


def init_recents(app: Flask) -> None:
    """Note each record's page that is opened."""
    app.after_request(_note)
