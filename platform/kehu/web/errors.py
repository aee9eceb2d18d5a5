"""Errors as a page, a fragment or a problem document; the last resort needs neither database nor plugins."""

from __future__ import annotations

import json
from typing import Any

import structlog
from flask import Flask, Response, redirect, render_template, request, url_for
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from kehu.core import context, errors
from kehu.core.i18n import _, _l

log = structlog.get_logger(__name__)

TITLES = (
    _l("Some fields need another value"),
    _l("Not found"),
    _l("Not allowed"),
    _l("Sign in needed"),
    _l("Changed by somebody else"),
    _l("Not possible now"),
    _l("Already there"),
    _l("Too large"),
    _l("Too many requests"),
    _l("Not available right now"),
    _l("Our mistake"),
    _l("Only reading for now"),
    _l("Not in your plan"),
    _l("Paused for now"),
)
"""The titles of the domain's errors: texts in other modules, named here so that they are translated."""

_HTTP: dict[int, Any] = {
    400: _l("The request could not be read. Nothing was changed."),
    403: _l("This is not open to you. Ask an admin of your firm."),
    404: _l("There is nothing at this address. It may have been moved or put into the trash."),
    405: _l("This address does not take that kind of request."),
    413: _l("This is larger than what can be taken. Nothing was kept; send a smaller file."),
    415: _l("This kind of content can't be read here."),
    429: _l("That was very often in a short time. Wait a little, then try again."),
}


def init_errors(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(errors.KehuError, answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _database)
    app.register_error_handler(PoolTimeout, _database)
    app.register_error_handler(StaleDataError, _stale)
    app.register_error_handler(DataError, _unfit)
    app.register_error_handler(IntegrityError, _broken_link)
    app.register_error_handler(Exception, _unexpected)


def wants_json() -> bool:
    """Tell whether the asker is a program."""
    return request.path.startswith("/api/")


def answer(error: errors.KehuError) -> Response:
    """Return the answer for a domain error."""
    if isinstance(error, errors.Moved) and request.method in ("GET", "HEAD"):
        here = request.full_path.rstrip("?")
        new = here.replace(str(error.details["old_id"]), str(error.details["new_id"]))
        if new != here:
            return redirect(new, 302)  # type: ignore[return-value]
    if wants_json():
        from kehu.rest.problems import problem

        return problem(error)
    if isinstance(error, errors.SignInNeeded):
        return _sign_in(error)
    return page(error)


def page(error: errors.KehuError) -> Response:
    """Return an error as a whole page, or as a toast when only a part of a page was asked for."""
    message = str(error.message)
    if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Request-Type") == "partial":
        response = Response(status=error.status)
        detail = {"message": message, "level": "bad", "fields": error.fields}
        response.headers["HX-Trigger"] = json.dumps({"kehu:toast": detail})
        return _retry(response, error)
    step = {}
    actor = context.current().actor
    if error.details.get("page") and actor is not None and actor.may("billing:manage"):
        step = {
            "back_url": error.details["page"],
            "back_text": error.details.get("page_text") or _("Go to Plan and seats"),
        }
    body = render_template(
        "kehu/error.html", status=error.status, title=_(error.title), message=message, **step
    )
    return _retry(Response(body, status=error.status), error)


def _retry(response: Response, error: errors.KehuError) -> Response:
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def _sign_in(error: errors.KehuError) -> Response:
    if request.headers.get("HX-Request") == "true" or request.method != "GET":
        # What was typed stays on the page: the script offers to sign in beside it.
        response = Response(status=401)
        response.headers["HX-Trigger"] = json.dumps({"kehu:signin": {"message": str(error.message)}})
        if request.headers.get("HX-Request") != "true":
            response.set_data(
                render_template(
                    "kehu/error.html", status=401, title=_(error.title), message=str(error.message)
                )
            )
        return response
    target = request.full_path.rstrip("?")
    return redirect(url_for("accounts.login", next=target if target != "/" else None), 303)  # type: ignore[return-value]


def _http(error: HTTPException) -> Response | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    domain = errors.KehuError(_HTTP.get(status, error.description or error.name))
    domain.status, domain.code, domain.title = status, error.name.lower().replace(" ", "_"), error.name  # type: ignore[misc]
    if getattr(error, "retry_after", None):
        domain.details["retry_after"] = error.retry_after  # type: ignore[attr-defined]
    if wants_json():
        from kehu.rest.problems import problem

        response = problem(domain)
    else:
        response = page(domain)
    if getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
    return response


def _database(error: DBAPIError | PoolTimeout) -> Response:
    original = getattr(error, "orig", None)
    if isinstance(original, QueryCanceled | LockNotAvailable | DeadlockDetected):
        message = _(
            "This took too long because others work on the same records. Nothing was changed; try again."
        )
    else:
        message = _("The database does not answer right now. Nothing was lost; try again in a minute.")
    log.error("database_unavailable", error=type(original or error).__name__)
    return answer(errors.Unavailable(message, retry_after=5))


def _stale(_error: StaleDataError) -> Response:
    return answer(
        errors.Conflict(
            _("Somebody else changed this at the same moment. Load it again; nothing was overwritten.")
        )
    )


def _unfit(error: DataError) -> Response:
    # The net below the fields' own checks: the request is at fault, and the log says what slipped through.
    log.warning("value_refused_by_database", error=type(error.orig).__name__, path=request.path)
    return answer(errors.InvalidInput(_("A value is out of range, or holds characters that can't be kept.")))


def _broken_link(error: IntegrityError) -> Response:
    log.warning("row_refused_by_database", error=type(error.orig).__name__, path=request.path)
    return answer(
        errors.Conflict(
            _("Something that this belongs to was changed at the same moment. Nothing was saved.")
        )
    )


def _unexpected(error: Exception) -> Response:
    log.error("unexpected_error", path=request.path, method=request.method, exc_info=error)
    from flask import current_app

    if current_app.testing:
        raise error
    failure = errors.KehuError(
        _(
            "Something went wrong on our side. Nothing was changed. "
            "If it happens again, tell us this number: %(number)s",
            number=context.current().request_id,
        )
    )
    failure.status, failure.code, failure.title = 500, "internal_error", "Our mistake"  # type: ignore[misc]
    return answer(failure)
