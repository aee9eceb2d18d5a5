"""The one address that Stripe posts to, answered before the application: no session, no form, no rate, no page.

Stripe waits for this answer before it finalises an invoice, so it depends on no worker and on no call to Stripe.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from billing import modes
from billing.stripe import inbox, refusals
from billing.stripe.gateway import BadSignature, Gateway
from kehu.core import db
from kehu.core.logging import frames
from plugins.results import BillingMode

log = structlog.get_logger(__name__)

ADDRESS = "/api/stripe/events"
EXTENSION = "kehu.billing.stripe"
BODY_LIMIT = 512 * 1024


def gateway() -> Gateway:
    """Return the gateway of this installation."""
    found: Gateway = current_app.extensions[EXTENSION]
    return found


class Door:
    """Takes events in and hands everything else to the application."""

    def __init__(self, app: Flask, inner: WSGIApplication) -> None:
        self._app, self._inner = app, inner

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a delivery; while Stripe is not the mode there is no such address."""
        if environ.get("PATH_INFO") != ADDRESS or modes.mode() is not BillingMode.STRIPE:
            return self._inner(environ, start_response)
        try:
            answer = self._answer(Request(environ))
        except Exception as error:  # noqa: BLE001 - logged, but for its message
            # The edge of the process: Stripe sends again what was not answered with 200. The message may quote it.
            log.error("stripe_event_not_stored", where=frames(error))
            answer = _short("not stored", 500)
        return answer(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return _short("Stripe posts here.", 405)
        stripe: Gateway = self._app.extensions[EXTENSION]
        request.max_content_length = BODY_LIMIT
        header = request.headers.get("Stripe-Signature", "")
        try:
            body = request.get_data(cache=False)
            event = stripe.verify(body, header)
            return _short(inbox.take_in(event, body.decode(), live=stripe.live), 200)
        except RequestEntityTooLarge:
            return _refused("large", 413)
        except inbox.NotStored:
            return _refused("body", 400)
        except BadSignature as bad:
            if bad.why == "old":
                log.error("billing_alarm", what="an event of Stripe was signed long ago: is our clock right?")
            return _refused(bad.why, 400, header)


def _refused(why: str, status: int, header: str = "") -> Response:
    """Refuse a delivery that is not believed, and count it for the page of health."""
    inbox.REFUSED.labels(why).inc()
    try:
        with db.unit_of_work(tenant=None, actor=None) as session:
            refusals.note(session, why, header)
    except SQLAlchemyError as error:
        log.error("stripe_refusal_not_counted", where=frames(error))
    return _short(why, status)


def _short(text: str, status: int) -> Response:
    headers: dict[str, Any] = {"Allow": "POST"} if status == 405 else {}
    return Response(text, status, headers, content_type="text/plain")


def install(app: Flask) -> None:
    """Put the door before the application."""
    app.wsgi_app = Door(app, app.wsgi_app)  # type: ignore[method-assign]
