"""Idempotency keys: https://docs.stripe.com/api/idempotent_requests.

The first answer of a POST is saved for at least 24 hours, 500s too; the same key with other parameters is refused;
a request that fails validation, or meets another with its key under way, is not saved.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.stripe_double.errors import Refusal
from tests.stripe_double.world import World

KEPT = 24 * 3600


@dataclass
class Saved:
    """What came of the first request with a key."""

    request: tuple[str, str, str]
    since: int
    status: int = 0
    body: bytes = b""


class Keys:
    """The saved answers of one account."""

    def __init__(self) -> None:
        self._saved: dict[str, Saved] = {}

    def begin(self, world: World, key: str, request: tuple[str, str, str]) -> Saved | None:
        """Return the saved answer, or None after noting that this request is now the first."""
        if len(key) > 255:
            raise Refusal(400, "invalid_request_error", "Idempotency keys are up to 255 characters long.")
        saved = self._saved.get(key)
        if saved and world.now() - saved.since > KEPT:
            saved = None
        if saved is None:
            self._saved[key] = Saved(request, world.now())
            return None
        if saved.request != request:
            raise Refusal(
                400,
                "idempotency_error",
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key}' if you meant to execute a different request.",
            )
        if not saved.status:
            raise Refusal(
                409,
                "idempotency_error",
                f"There is currently another in-progress request using this Idempotent Key: {key}",
                code="idempotency_key_in_use",
            )
        return saved

    def end(self, key: str, status: int, body: bytes) -> None:
        """Save the answer of the first request."""
        self._saved[key].status, self._saved[key].body = status, body

    def forget(self, key: str) -> None:
        """Leave nothing saved: no endpoint began to execute."""
        self._saved.pop(key, None)

    def clear(self) -> None:
        """Forget all keys."""
        self._saved.clear()
