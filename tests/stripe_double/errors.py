"""What Stripe answers when it refuses: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer other than 200, in the shape of https://docs.stripe.com/api/errors."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message} | {k: v for k, v in more.items() if v is not None}

    def body(self) -> dict[str, Any]:
        """Wrap the error as the API does."""
        code = self.error.get("code")
        link = (
            {"doc_url": f"https://stripe.com/docs/error-codes/{str(code).replace('_', '-')}"} if code else {}
        )
        return {"error": self.error | link}


def invalid(message: str, param: str | None = None, code: str | None = None, status: int = 400) -> Refusal:
    """Refuse a request that is wrong in itself (``invalid_request_error``)."""
    return Refusal(status, "invalid_request_error", message, param=param, code=code)


def missing(what: str, identifier: str, param: str | None = None) -> Refusal:
    """Say that an object does not exist; 404 when the address names it, else 400."""
    return invalid(
        f"No such {what}: '{identifier}'", param or "id", "resource_missing", 400 if param else 404
    )


def unknown_parameter(name: str) -> Refusal:
    """Refuse a parameter that the endpoint doesn't have: https://docs.stripe.com/error-codes#parameter-unknown."""
    return invalid(f"Received unknown parameter: {name}", name, "parameter_unknown")


def missing_parameter(name: str) -> Refusal:
    """Refuse a request without a needed parameter: https://docs.stripe.com/error-codes#parameter-missing."""
    return invalid(f"Missing required param: {name}.", name, "parameter_missing")


def card_error(message: str, code: str, decline: str | None = None, **more: Any) -> Refusal:
    """Decline a card with 402: https://docs.stripe.com/declines/codes."""
    return Refusal(402, "card_error", message, code=code, decline_code=decline, **more)
