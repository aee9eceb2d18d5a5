"""A client that behaves as a browser does: it stays on one host and sends the forgery token with each form."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

_SAFE = ("GET", "HEAD", "OPTIONS")


class Browser(FlaskClient):
    """A Flask client on one host."""

    host = "localhost"

    @property
    def base_url(self) -> str:
        """The address of the host."""
        return f"http://{self.host}"

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request; unsafe ones carry the forgery token unless `forged=True`."""
        forged = kwargs.pop("forged", False)
        if not args or isinstance(args[0], str):
            kwargs.setdefault("base_url", self.base_url)
            if kwargs.get("method", "GET") not in _SAFE and not forged:
                headers = dict(kwargs.get("headers") or {})
                headers.setdefault("X-CSRF-Token", self.forgery_token())
                kwargs["headers"] = headers
        return super().open(*args, **kwargs)

    def session_transaction(self, *args: Any, **kwargs: Any) -> Any:
        """Open the session cookie of this host."""
        if not args:
            kwargs.setdefault("base_url", self.base_url)
        return super().session_transaction(*args, **kwargs)

    def forgery_token(self) -> str:
        """Return a token as a page of this browser would carry it."""
        with self.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", hashlib.sha256(b"browser").hexdigest())
        secret = self.application.config["SECRET_KEY"]
        return str(URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw))


def browser(app: Flask, host: str = "localhost") -> Browser:
    """Return a browser on a host, without any cookie."""
    made = Browser(app, app.response_class, use_cookies=True)
    made.host = host
    return made


def text_of(answer: Any) -> str:
    """Return all that an answer says: a page or file as text, of a workbook or archive what its parts hold."""
    data: bytes = answer.data
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return data.decode()
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return "\n".join(packed.read(name).decode(errors="replace") for name in packed.namelist())
