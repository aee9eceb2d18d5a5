"""The edge of a request: one unit of work, its tenant and actor, one commit.

Cookie pages take the tenant from the sub-domain, else from the session's choice; API calls from the token.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import replace

from flask import Flask, Response, current_app, g, request
from flask import session as cookie

from kehu.core import context, db, hooks
from kehu.core.ids import new_id, parse_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

NO_DATABASE = ("/static/", "/healthz", "/readyz", "/metrics", "/sw.js")
"""Paths that never open a unit of work."""

FOR_READERS = ("/api/v1/docs", "/api/v1/openapi.json")
"""What people read of the API: a member sees the resources of the add-ons that the firm has; nothing is written."""


def signed_in_user_id() -> uuid.UUID | None:
    """Return the user who is signed in, member of the present tenant or not."""
    found: uuid.UUID | None = g.get("user_id")
    return found


def init_edge(app: Flask) -> None:
    """Install the unit of work around every request."""
    app.before_request(_open)
    app.after_request(_commit)
    app.teardown_request(_close)


def _open() -> None:
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else new_id().hex
    if request.mimetype == "application/x-www-form-urlencoded":
        # Such a form is read into memory as a whole; files come as multipart, which is not.
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    is_api = request.path.startswith("/api/")
    context.set_context(context.Context(request_id=request_id, source="api" if is_api else "web"))
    g.user_id = None
    if request.path.startswith(NO_DATABASE):
        return
    db.open_session()
    if is_api:
        # Programs come with a token; a browser's cookie counts for nothing here, so it can't be misused either.
        if request.headers.get("Authorization"):
            from kehu.rest.auth import authenticate

            authenticate(request.headers["Authorization"])
            return
        if request.path not in FOR_READERS:
            return
    _open_for_browser()


def _open_for_browser() -> None:
    host = request.host.rsplit(":", 1)[0].lower()
    tenant: context.TenantInfo | None = hooks.first(
        "kehu_resolve_tenant", host=host, claimed_id=parse_id(cookie.get("tenant_id"))
    )
    # A firm that is suspended or closed is not entered, as with tokens and invitations.
    if tenant is not None and tenant.state == "active":
        db.bind_tenant(tenant)
    user_key, session_id = cookie.get("_user_id"), parse_id(cookie.get("kehu_sid"))
    if not user_key or session_id is None:
        return
    from kehu.members.loading import load_identity

    identity = load_identity(db.session(), str(user_key), session_id)
    if identity is None:
        return
    g.user_id = identity.user_id
    g.identity = identity
    if identity.actor is not None:
        context.set_context(replace(context.current(), actor=identity.actor))


def _commit(response: Response) -> Response:
    response.headers.setdefault("X-Request-ID", context.current().request_id)
    if db.has_session():
        if response.status_code < 400 or g.get("commit_anyway"):
            db.session().commit()
        else:
            db.session().rollback()
    return response


def _close(_error: BaseException | None = None) -> None:
    db.close_session()
    context.set_context(context.Context())
