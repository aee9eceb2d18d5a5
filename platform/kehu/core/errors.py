"""Domain errors: one root, a stable code, a sentence for people.

`kehu.web.errors` and `kehu.rest.errors` turn them into pages, fragments and problem documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

FieldMessages = Mapping[str, Sequence[str]]


class KehuError(Exception):
    """Anything that the product refuses on purpose.

    :param message: what happened, what was kept and what to do, in the language of the asker.
    :param fields: messages by field key, where the fault can be named.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "Something was refused"

    def __init__(self, message: str, *, fields: FieldMessages | None = None, **details: Any) -> None:
        super().__init__(str(message))
        self.message = message
        self.fields: dict[str, list[str]] = {key: list(texts) for key, texts in (fields or {}).items()}
        self.details = details


class InvalidInput(KehuError):
    """Raised when what was sent can't be used; names the fields."""

    code, status, title = "invalid_input", 422, "Some fields need another value"


class NotFound(KehuError):
    """Raised when a record does not exist or must not be known to exist."""

    code, status, title = "not_found", 404, "Not found"


class Moved(NotFound):
    """Raised when a record went into another; `details` carries `old_id` and `new_id`."""


class Forbidden(KehuError):
    """Raised when the actor lacks a permission."""

    code, status, title = "forbidden", 403, "Not allowed"


class SignInNeeded(KehuError):
    """Raised when nobody is signed in."""

    code, status, title = "sign_in_needed", 401, "Sign in needed"


class StaleVersion(KehuError):
    """Raised when somebody else changed the record in the meantime.

    `details` carries `current` (version), `changed_by`, `changed_at`, and `conflicts`:
    field key -> {"yours": value, "theirs": value}.
    """

    code, status, title = "stale_version", 409, "Changed by somebody else"


class Conflict(KehuError):
    """Raised when the state of a record does not allow the action."""

    code, status, title = "conflict", 409, "Not possible now"


class Duplicate(KehuError):
    """Raised when a value that must be unique stands elsewhere already."""

    code, status, title = "duplicate", 422, "Already there"


class TooLarge(KehuError):
    """Raised when an upload or a value is over its bound."""

    code, status, title = "too_large", 413, "Too large"


class TooMany(KehuError):
    """Raised when a rate or a count is exceeded; `details["retry_after"]` is in seconds."""

    code, status, title = "too_many", 429, "Too many requests"


class Unavailable(KehuError):
    """Raised when something outside (database, mail) does not answer now."""

    code, status, title = "unavailable", 503, "Not available right now"
