"""What only the API refuses: the shape of a request, its preconditions."""

from __future__ import annotations

from kehu.core.errors import KehuError


class BadRequest(KehuError):
    """Raised when a request can't be read."""

    code, status, title = "bad_request", 400, "The request can't be read"


class UnsupportedMedia(KehuError):
    """Raised for a body that is no JSON."""

    code, status, title = "unsupported_media_type", 415, "This kind of content is not taken"


class PreconditionFailed(KehuError):
    """Raised when `If-Match` names an older version; says who changed what since."""

    code, status, title = "stale_version", 412, "Changed by somebody else"


class PreconditionNeeded(KehuError):
    """Raised when a change does not say which version it is about."""

    code, status, title = "precondition_required", 428, "If-Match is needed"
