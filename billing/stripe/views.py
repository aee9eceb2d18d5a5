"""The one address that Stripe posts to."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, abort, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from billing import modes
from billing.stripe import inbox
from billing.stripe.gateway import BadSignature, Gateway
from kehu.core import db
from kehu.web.access import public
from plugins.results import BillingMode

log = structlog.get_logger(__name__)

EXTENSION = "kehu.billing.stripe"
BODY_LIMIT = 512 * 1024

blueprint = Blueprint("billing_stripe", __name__)


def gateway() -> Gateway:
    """Return the gateway of this installation."""
    found: Gateway = current_app.extensions[EXTENSION]
    return found


@blueprint.post("/api/stripe/events")
@public
def events() -> Response:
    """Take an event in: the raw body is verified, stored and answered; nothing is worked out here.

    Stripe waits for this answer before it finalises an invoice, so it depends on no worker and on no call to Stripe.
    """
    if modes.mode() is not BillingMode.STRIPE:
        abort(404)
    request.max_content_length = BODY_LIMIT
    try:
        event = gateway().verify(request.get_data(cache=False), request.headers.get("Stripe-Signature", ""))
    except RequestEntityTooLarge:
        inbox.REFUSED.labels("large").inc()
        return Response(status=413)
    except BadSignature as bad:
        inbox.REFUSED.labels(bad.why).inc()
        if bad.why == "old":
            log.error("billing_alarm", what="an event of Stripe was signed long ago: is our clock right?")
        return Response(status=400)
    data = event.get("data")
    if not isinstance(data, dict):
        inbox.REFUSED.labels("body").inc()
        return Response(status=400)
    state = inbox.take_in(db.session(), event, live=gateway().live)
    return Response(state, 200, content_type="text/plain")
