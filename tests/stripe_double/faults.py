"""Faults by order of a test: ``POST /_control/faults`` with ``{"kind": …, "times": 1, "path": regex, …}``.

Kinds for requests: ``error`` (``status``, ``saved`` under the key, ``effect`` before it), ``slow`` (``seconds``),
``lost`` (the effect happens, the answer does not arrive), ``cut`` (neither).
Kinds for webhooks (``type``: a pattern of the event's type): ``drop``, ``double`` (``copies``), ``reorder`` (held until
the next delivery left), ``delay`` (``seconds``), ``secret`` (signed with ``secret``), ``old_time`` (``seconds`` added
to the signature's time), ``api_version`` (``value``), ``livemode`` and ``body`` (``text`` instead of the event).
"""

from __future__ import annotations

import re
import threading
from typing import Any

REQUEST_KINDS = {"error", "slow", "lost", "cut"}
WEBHOOK_KINDS = {
    "drop",
    "double",
    "reorder",
    "delay",
    "secret",
    "old_time",
    "api_version",
    "livemode",
    "body",
}


class Faults:
    """Faults that wait for a request or a delivery to hit."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def add(self, fault: dict[str, Any]) -> None:
        """Order a fault; without ``times`` it strikes once, with 0 always."""
        if fault.get("kind") not in REQUEST_KINDS | WEBHOOK_KINDS:
            raise ValueError(f"unknown fault {fault.get('kind')!r}")
        with self._lock:
            self._waiting.append({"times": 1} | fault)

    def clear(self) -> None:
        """Call off all faults."""
        with self._lock:
            self._waiting.clear()

    def take(self, kinds: set[str], subject: str, method: str = "") -> list[dict[str, Any]]:
        """Return the faults that strike here and count them down."""
        struck = []
        with self._lock:
            for fault in list(self._waiting):
                pattern = fault.get("path") or fault.get("type") or ""
                if fault["kind"] not in kinds or not re.search(pattern, subject):
                    continue
                if method and fault.get("method", method) != method:
                    continue
                struck.append(fault)
                if fault["times"] == 1:
                    self._waiting.remove(fault)
                elif fault["times"]:
                    fault["times"] -= 1
        return struck
