"""Switching the language: `?lang=` on any page, kept in a cookie and with the person's account."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Flask, g, redirect, request

from kehu.accounts.models import User
from kehu.core import db
from kehu.core.i18n import LOCALES
from kehu.web.language import COOKIE

YEAR = 60 * 60 * 24 * 365


def init_locale(app: Flask) -> None:
    """Install the switch, after the edge and the forgery protection."""
    app.before_request(_switch)


def _switch() -> Any:
    code = request.args.get("lang", "")
    if code not in LOCALES or request.path.startswith(("/api/", "/static/")):
        return None
    if request.method == "POST" and g.get("user_id") is not None:
        user = db.session().get(User, g.user_id)
        if user is not None:
            user.locale = code
    rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "lang"])
    response = redirect(f"{request.path}?{rest}" if rest else request.path, 303)
    response.set_cookie(COOKIE, code, max_age=YEAR, httponly=True, samesite="Lax", secure=request.is_secure)
    return response
