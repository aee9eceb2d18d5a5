"""localstripe as a process of its own, and the application on a real port, to which it posts."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import stripe
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from billing import modes
from billing.stripe.gateway import Gateway
from billing.stripe.views import ADDRESS, EXTENSION
from plugins.results import BillingMode
from tests.stripe_double.process import KEY, ROOT, Running, running

SECRET, OTHER = "whsec_second", "whsec_another"
PATIENCE = 5
"""Seconds until what localstripe posts must be here; it waits one second itself."""


@dataclass
class Second:
    """A running localstripe."""

    url: str

    @property
    def v1(self) -> Any:
        return stripe.StripeClient(KEY, base_addresses={"api": self.url}, max_network_retries=0).v1

    def post_to(self, name: str, url: str, secret: str) -> None:
        """Have it post its events to an address, signed with a secret."""
        answer = requests.post(
            f"{self.url}/_config/webhooks/{name}", data={"url": url, "secret": secret}, timeout=5
        )
        answer.raise_for_status()

    def forget(self) -> None:
        """Empty it; whom it posts to stays."""
        requests.delete(f"{self.url}/_config/data", timeout=5).raise_for_status()


@pytest.fixture(scope="session")
def served() -> Iterator[Second]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.billing.localstripe.serve"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        yield Second(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture
def second(served: Second) -> Iterator[Second]:
    yield served
    served.forget()


@pytest.fixture(scope="session")
def double() -> Iterator[Running]:
    with running() as started:
        yield started


@dataclass
class Door:
    """The application on a port, with what it answered by the path that was asked."""

    url: str
    answers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def door(app: Flask, second: Second) -> Iterator[Door]:
    """Take events in as in service; `/app` is given our secret, `/other` one that we do not have."""
    found = Door("")
    lock = threading.Lock()

    def listen(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        asked, environ["PATH_INFO"] = environ["PATH_INFO"], ADDRESS
        told: list[str] = []

        def begin(status: str, headers: Any, *rest: Any) -> Any:
            told.append(status)
            return start(status, headers, *rest)

        body = b"".join(app.wsgi_app(environ, begin))
        with lock:
            found.answers.setdefault(asked, []).append((told[0][:3], body.decode()))
        return [body]

    server = make_server("127.0.0.1", 0, listen, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    with modes.use(BillingMode.STRIPE):
        app.extensions[EXTENSION] = Gateway(KEY, address=second.url, secrets=[SECRET])
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_port}"
        second.post_to("app", f"{found.url}/app", SECRET)
        second.post_to("other", f"{found.url}/other", OTHER)
        yield found
        second.post_to("app", "http://127.0.0.1:9/gone", SECRET)
        second.post_to("other", "http://127.0.0.1:9/gone", OTHER)
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions.pop(EXTENSION)


def wait_for(reached: Callable[[], bool], what: str) -> None:
    """Look until something is reached.

    :raises AssertionError: when it is not, in five seconds.
    """
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.05)
