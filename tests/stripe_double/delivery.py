"""Webhooks leave here: signed, retried, or spoilt by order.

Signature: https://docs.stripe.com/webhooks#verify-manually (``t=…,v1=HMAC-SHA256 of "t.body"``; one ``v1`` for each
secret while one is rolled). Retries: https://docs.stripe.com/webhooks#behaviors; a sandbox tries three more times over
a few hours, here over seconds, which ``POST /_control/settings`` can change.
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.stripe_double.faults import WEBHOOK_KINDS, Faults
from tests.stripe_double.world import Obj, real_time


def signature(body: bytes, secrets: list[str], when: int) -> str:
    """Sign a body as https://docs.stripe.com/webhooks#verify-manually says."""
    signed = f"{when}.".encode() + body
    parts = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return f"t={when}," + ",".join(f"v1={part}" for part in parts)


@dataclass
class Endpoint:
    """Where events go, with the secrets that are valid now and the kinds wanted."""

    url: str
    secrets: list[str]
    kinds: list[str] = field(default_factory=lambda: ["*"])


# The endpoints of the account; ``webhook_endpoints.py`` adds those that the API makes.
TARGETS: dict[str, Endpoint] = {}


class Post:
    """A thread that delivers events and keeps a record of each attempt."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.endpoints = TARGETS
        self.delays: list[float] = [0.3, 1.0, 3.0]
        self.attempts: list[Obj] = []
        self._ready = threading.Condition()
        self._queue: list[tuple[float, int, Endpoint, Obj, int, list[Obj]]] = []
        self._held: list[tuple[Endpoint, Obj]] = []
        self._count = self._busy = 0
        threading.Thread(target=self._work, daemon=True, name="webhooks").start()

    def send(self, event: Obj) -> None:
        """Queue an event for each endpoint that wants it, with the faults that strike it."""
        for endpoint in list(self.endpoints.values()):
            if "*" not in endpoint.kinds and event["type"] not in endpoint.kinds:
                continue
            faults = self.faults.take(WEBHOOK_KINDS, event["type"])
            kinds = {fault["kind"]: fault for fault in faults}
            if "drop" in kinds:
                self.attempts.append({"event": event["id"], "type": event["type"], "status": "dropped"})
                continue
            if "reorder" in kinds:
                self._held.append((endpoint, event))
                continue
            wait = kinds.get("delay", {}).get("seconds", 0)
            for _ in range(kinds.get("double", {}).get("copies", 2) if "double" in kinds else 1):
                self.queue(endpoint, event, faults=faults, wait=wait)
            while self._held:
                self.queue(*self._held.pop())

    def queue(
        self, endpoint: Endpoint, event: Obj, tried: int = 0, faults: list[Obj] | None = None, wait: float = 0
    ) -> None:
        """Put one delivery into the queue."""
        with self._ready:
            self._count += 1
            entry = (time.monotonic() + wait, self._count, endpoint, event, tried, faults or [])
            heapq.heappush(self._queue, entry)
            self._ready.notify_all()

    def idle(self, timeout: float) -> bool:
        """Wait until nothing is queued or under way."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._queue and not self._busy, timeout)

    def _work(self) -> None:
        while True:
            with self._ready:
                while not self._queue or self._queue[0][0] > time.monotonic():
                    self._ready.wait(self._queue[0][0] - time.monotonic() if self._queue else None)
                _, _, endpoint, event, tried, faults = heapq.heappop(self._queue)
                self._busy += 1
            try:
                status = deliver(endpoint, event, faults)
                self.attempts.append({"event": event["id"], "type": event["type"], "status": status})
                if not (isinstance(status, int) and 200 <= status < 300) and tried < len(self.delays):
                    self.queue(endpoint, event, tried + 1, wait=self.delays[tried])
            finally:
                with self._ready:
                    self._busy -= 1
                    self._ready.notify_all()


def deliver(endpoint: Endpoint, event: Obj, faults: list[Obj]) -> int | str:
    """Send one event once and return the status, or the error's name."""
    kinds = {fault["kind"]: fault for fault in faults}
    shown = {k: v for k, v in event.items() if not k.startswith("_")}
    if "api_version" in kinds:
        shown["api_version"] = kinds["api_version"]["value"]
    if "livemode" in kinds:
        shown["livemode"] = True
    body = json.dumps(shown, indent=2).encode()
    if "body" in kinds:
        body = kinds["body"]["text"].encode()
    when = real_time() + int(kinds.get("old_time", {}).get("seconds", 0))
    secrets = [kinds["secret"]["secret"]] if "secret" in kinds else endpoint.secrets
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(body, secrets, when),
    }
    return post(endpoint.url, body, headers)


def post(url: str, body: bytes, headers: dict[str, str]) -> int | str:
    """Send a body to a loopback address."""
    target = urlsplit(url)
    connection: Any = http.client.HTTPConnection(
        target.hostname or "127.0.0.1", target.port or 80, timeout=10
    )
    try:
        connection.request("POST", target.path or "/", body, headers)
        answer = connection.getresponse()
        answer.read()
        return int(answer.status)
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()
