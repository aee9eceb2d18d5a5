"""Flask-Security on plain SQLAlchemy: hashing, signed links and second factors; the pages are our own."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import Any

from flask import Flask, g
from flask_security import Security, SQLAlchemySessionUserDatastore
from flask_security.totp import Totp
from werkzeug.local import LocalProxy

from kehu.accounts.models import User
from kehu.core import clock, db

RESET_WITHIN = dt.timedelta(hours=2)
CONFIRM_WITHIN = dt.timedelta(days=5)
PASSWORD_MIN = 10


class Datastore(SQLAlchemySessionUserDatastore):
    """Users in the session of the running unit of work; the edge commits."""

    def __init__(self) -> None:
        session: Any = LocalProxy(db.session)
        nothing: Any = None
        super().__init__(session, User, nothing)

    def commit(self) -> None:
        """Leave the commit to the edge of the request."""


class SignedIn:
    """What Flask-Login's `current_user` is here: read from the identity that the edge has loaded, without a query."""

    is_authenticated = True
    is_active = True
    is_anonymous = False
    roles: tuple[()] = ()

    def __init__(self, key: str) -> None:
        self.fs_uniquifier = key

    def get_id(self) -> str:
        """Return the key that the session cookie holds."""
        return self.fs_uniquifier


class Codes(Totp):
    """Codes of authenticator apps, each of which lets in once (RFC 6238 section 5.2)."""

    def get_last_counter(self, user: Any) -> Any:
        """Return up to which code all are used up."""
        return user.tf_counter

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """Keep that a code is used up."""
        user.tf_counter = tmatch.counter


def _from_edge(user_key: str) -> SignedIn | None:
    return SignedIn(user_key) if g.get("user_id") is not None else None


def _nobody(_request: Any) -> None:
    return None


def derived_key(secret: str, purpose: str) -> str:
    """Return a key for one purpose, made from the installation's secret."""
    digest = hashlib.sha256(f"kehu/{purpose}/{secret}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()


def init_accounts(app: Flask) -> Security:
    """Install Flask-Security without its pages; forgery protection has to be there before."""
    secret = str(app.config["SECRET_KEY"])
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 - the name of a scheme
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        # No pepper from the secret key: a new key must not lock everybody out.
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SALT=derived_key(secret, "password-salt"),
        SECURITY_PASSWORD_LENGTH_MIN=PASSWORD_MIN,
        SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=_cost(app.testing),
        SECURITY_JOIN_USER_ROLES=False,
        SECURITY_CONFIRMABLE=True,
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TOTP_SECRETS={"1": derived_key(secret, "totp")},
        SECURITY_TOTP_ISSUER="Kehu",
        SECURITY_MULTI_FACTOR_RECOVERY_CODES=True,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES_N=10,
        SECURITY_MULTI_FACTOR_RECOVERY_CODES_KEYS=[derived_key(secret, "recovery").encode()],
        SECURITY_RESET_PASSWORD_WITHIN=RESET_WITHIN,
        SECURITY_CONFIRM_EMAIL_WITHIN=CONFIRM_WITHIN,
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
        SECURITY_DATETIME_FACTORY=clock.now,
    )
    security = Security(app, Datastore(), register_blueprint=False, totp_cls=Codes)
    manager = security.login_manager
    manager.user_loader(_from_edge)
    manager.request_loader(_nobody)
    # Sessions are rows that can be listed and revoked; a changed network address must not end them.
    manager.session_protection = None
    return security


def _cost(testing: bool) -> dict[str, Any]:
    # Tests sign in hundreds of times; the product pays the full price of argon2id.
    if testing:
        return {"argon2__rounds": 1, "argon2__memory_cost": 64, "argon2__parallelism": 1}
    return {"argon2__rounds": 2, "argon2__memory_cost": 19 * 1024, "argon2__parallelism": 1}
