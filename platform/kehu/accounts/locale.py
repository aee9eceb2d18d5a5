"""Keeping the language that a person chose with the account, beside the browser's cookie."""

from __future__ import annotations

from flask import Flask, g

from kehu.accounts.models import User
from kehu.core import db
from kehu.core.context import Context
from kehu.web.shell import shell_of

YEAR = 60 * 60 * 24 * 365


def join(app: Flask) -> None:
    """Take part in the switch of languages."""
    shell_of(app).remember_language.append(remember)


def remember(_context: Context, code: str) -> None:
    """Keep a language with the account of the person who is signed in."""
    user = db.session().get(User, g.user_id) if g.get("user_id") is not None else None
    if user is not None:
        user.locale = code
