"""Headers and forgery protection of every answer."""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from kehu.core.errors import Conflict, SignInNeeded
from kehu.core.i18n import _

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; worker-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)

csrf = CSRFProtect()

PROVEN = "kehu_proven"
"""Attribute of a view whose requests prove themselves by a token or signature; it takes no forgery token."""


def init_security(app: Flask) -> None:
    """Install the headers and CSRF protection; REST calls with a bearer token carry no cookie and need none."""
    app.config.update(
        WTF_CSRF_HEADERS=["X-CSRF-Token"],
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    csrf.init_app(app)
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _refused)


def protect_forms(app: Flask) -> None:
    """Refuse forms of other sites. Call it once what does not exist for the tenant is answered."""
    app.before_request(_protect)


def _protect() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    # Programs, and links in mails, prove themselves by a token that no browser sends on its own; what is not there
    # changes nothing.
    if request.path.startswith("/api/") or view is None or getattr(view, PROVEN, False):
        return
    csrf.protect()


def _refused(error: CSRFError) -> Response:
    from kehu.web.edge import signed_in_user_id
    from kehu.web.errors import answer

    if signed_in_user_id() is None and request.headers.get("HX-Request") == "true":
        # The session ended while somebody wrote: the page keeps the text and offers to sign in beside it.
        return answer(SignInNeeded(_("Sign in to go on.")))
    return answer(
        Conflict(
            _(
                "Your session changed since this page was opened. Nothing was sent; load the page again and repeat."
            )
        )
    )


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" not in headers and response.mimetype != "application/javascript":
        headers["Cache-Control"] = "no-store" if request.path.startswith("/api/") else "private, no-cache"
    return response
