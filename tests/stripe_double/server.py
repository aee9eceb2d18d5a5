"""The HTTP side: keys, versions, idempotency, faults, errors. https://docs.stripe.com/api/authentication."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tests.stripe_double import control, families, form, pages, sdk
from tests.stripe_double.delivery import Post
from tests.stripe_double.errors import Refusal, invalid
from tests.stripe_double.faults import REQUEST_KINDS, Faults
from tests.stripe_double.idempotency import Keys
from tests.stripe_double.routes import ROUTES, Route, expand, public
from tests.stripe_double.world import Obj, World

assert families  # importing it fills the table of routes


class Dropped(Exception):
    """The connection ends without an answer."""


class Double:
    """One account of Stripe in test mode behind a WSGI application."""

    def __init__(self) -> None:
        self.world, self.keys, self.faults = World(), Keys(), Faults()
        self.post = Post(self.faults)
        self.world.on_event = self.post.send
        self.latency = 0.0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        try:
            answer = self.answer(request)
        except Dropped:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError from None
        return answer(environ, start)

    def answer(self, request: Request) -> Response:
        """Choose between API, control route and pages."""
        if request.path.startswith("/_control/"):
            return control.answer(self, request)
        if not request.path.startswith("/v1/"):
            with self.world.lock:
                self.world.request = {"id": None, "idempotency_key": None}
                return pages.answer(self.world, request)
        identifier = self.world.name("req")
        try:
            status, body, headers = self.api(request, identifier)
        except Refusal as refusal:
            status, body, headers = refusal.status, dump(refusal.body()), {}
        headers |= {"Request-Id": identifier, "Stripe-Version": sdk.API_VERSION}
        return Response(body, status, headers, content_type="application/json")

    def api(self, request: Request, identifier: str) -> tuple[int, bytes, dict[str, str]]:
        """Answer a request of the API, with the faults that strike it."""
        authenticate(request)
        if self.latency:
            time.sleep(self.latency)
        faults = {f["kind"]: f for f in self.faults.take(REQUEST_KINDS, request.path, request.method)}
        if "slow" in faults:
            time.sleep(faults["slow"].get("seconds", 1))
        if "cut" in faults:
            raise Dropped
        error = faults.get("error")
        if error and not error.get("saved"):
            raise fault_refusal(error)
        route, ids = find(request.method, request.path)
        raw = parameters(request)
        p = form.typed(form.decode(raw), route.params)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key:
            saved = self.keys.begin(self.world, key, (request.method, request.path, raw))
            if saved and "lost" in faults:
                raise Dropped
            if saved:
                return saved.status, saved.body, {"Idempotency-Key": key, "Idempotent-Replayed": "true"}
        try:
            status, body = self.execute(route, ids, p, {"id": identifier, "idempotency_key": key}, error)
        except BaseException:
            if key:
                self.keys.forget(key)
            raise
        if key:
            self.keys.end(key, status, body)
        if "lost" in faults:
            raise Dropped
        return status, body, {"Idempotency-Key": key} if key else {}

    def execute(
        self, route: Route, ids: dict[str, str], p: Obj, origin: Obj, error: Obj | None
    ) -> tuple[int, bytes]:
        """Run an endpoint; a refusal that it raises is an answer too and is saved under the key."""
        if error and not error.get("effect"):
            refusal = fault_refusal(error)
            return refusal.status, dump(refusal.body())
        with self.world.lock:
            self.world.request = origin
            self.world.run_due(None, self.world.now())
            paths = p.pop("expand", None) or []
            try:
                shown = public(self.world, route.handler(self.world, p, **ids))
                if shown.get("object") == "list" and not shown.get("url"):
                    shown["url"] = route.path
                expand(self.world, shown, paths)
            except Refusal as refusal:
                return refusal.status, dump(refusal.body())
        if error:
            refusal = fault_refusal(error)
            return refusal.status, dump(refusal.body())
        return 200, dump(shown)


# An address without a variable part comes first: /v1/invoices/create_preview is no invoice's id.
_ORDERED = sorted(ROUTES, key=lambda route: route.path.count("{"))


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Find the endpoint of an address."""
    for route in _ORDERED:
        match = route.pattern.match(path)
        if match and route.method == method:
            return route, match.groupdict()
    raise invalid(f"Unrecognized request URL ({method}: {path}).", status=404)


def authenticate(request: Request) -> None:
    """Demand a test key as bearer or basic user, and the API version that this double speaks."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        value = base64.b64decode(value).decode().partition(":")[0]
    if not value:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header."
        )
        raise invalid(message, status=401)
    if not value.startswith(("sk_test_", "rk_test_")):
        raise invalid(f"Invalid API Key provided: {value[:8]}****", status=401)
    version = request.headers.get("Stripe-Version", sdk.API_VERSION)
    if version != sdk.API_VERSION:
        raise invalid(f"This double speaks API version {sdk.API_VERSION} only, not {version}.")


def parameters(request: Request) -> str:
    """Return what is asked, still encoded; the SDK sends that of a DELETE with the address, curl in the body."""
    body = "" if request.method == "GET" else request.get_data(as_text=True)
    return body if request.method == "POST" else body or request.query_string.decode()


def fault_refusal(fault: Obj) -> Refusal:
    """Make the error that a fault orders: 429 as rate limit, 500 as Stripe's own failure."""
    status = fault.get("status", 500)
    if status == 429:
        return Refusal(429, "invalid_request_error", "Request rate limit exceeded.", code="rate_limit")
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return Refusal(status, kind, fault.get("message", "An unknown error occurred"), code=fault.get("code"))


def dump(value: Any) -> bytes:
    """Write JSON as Stripe does, indented."""
    return json.dumps(value, indent=2).encode()


class _Quiet(WSGIRequestHandler):
    """Connections stay open, and nothing is logged for each request."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        if type == "error" and "ConnectionAborted" not in message % args:
            super().log(type, message, *args)


def serve(double: Double, port: int) -> BaseWSGIServer:
    """Open the double on a loopback port; 0 takes a free one."""
    server = make_server("127.0.0.1", port, double, threaded=True, request_handler=_Quiet)
    double.world.address = f"http://127.0.0.1:{server.server_port}"
    assert urlsplit(double.world.address).hostname == "127.0.0.1"
    return server
