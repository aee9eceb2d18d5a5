"""A repeated POST does nothing twice: the first answer is kept for a day under its `Idempotency-Key`."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.rest.errors import BadRequest
from kehu.rest.models import IdempotencyKey

F = TypeVar("F", bound=Callable[..., Response])

KEPT_FOR = dt.timedelta(days=1)
KEPT_HEADERS = ("Location", "ETag")
_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def idempotent(view: F) -> F:
    """Answer a repeated request with the answer of the first one."""

    @functools.wraps(view)
    def once(*args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*args, **kwargs)
        if not _KEY.fullmatch(key):
            raise BadRequest(_("The Idempotency-Key has 1 to 200 visible ASCII characters."))
        token_id = context.actor().token_id
        assert token_id is not None
        kept = _claim(token_id, key)
        if kept is not None:
            return kept
        response = view(*args, **kwargs)
        _keep(token_id, key, response)
        return response

    return once  # type: ignore[return-value]


def _hash() -> str:
    seen = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    seen.update(request.get_data(cache=True))
    return seen.hexdigest()


def _claim(token_id: uuid.UUID, key: str) -> Response | None:
    """Make the key this request's, waiting for a request that holds it; or return the answer that was kept.

    An answer that was refused rolls the claim back, so the request can be mended and sent again.
    """
    now = clock.now()
    fresh = {"request_hash": _hash(), "status": 0, "headers": {}, "body": "", "at": now}
    table = IdempotencyKey.__table__.c
    claim = (
        insert(IdempotencyKey)
        .values(tenant_id=db.tenant_id(), actor_id=token_id, key=key, **fresh)
        .on_conflict_do_update(
            index_elements=[table.tenant_id, table.actor_id, table.key],
            set_=fresh,
            where=(table.tenant_id == db.tenant_id()) & (table.at < now - KEPT_FOR),
        )
        .returning(table.key)
    )
    if db.session().execute(claim).first() is not None:
        return None
    kept = (
        db.session()
        .execute(
            select(
                IdempotencyKey.request_hash,
                IdempotencyKey.status,
                IdempotencyKey.headers,
                IdempotencyKey.body,
            ).where(IdempotencyKey.actor_id == token_id, IdempotencyKey.key == key)
        )
        .one()
    )
    if kept.request_hash != fresh["request_hash"]:
        message = _("This Idempotency-Key was used for another request. Take a new key for each new request.")
        raise InvalidInput(message, fields={"Idempotency-Key": [message]})
    response = Response(kept.body, status=kept.status, mimetype="application/json")
    response.headers.extend(kept.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response


def _keep(token_id: uuid.UUID, key: str, response: Response) -> None:
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    db.session().execute(
        update(IdempotencyKey)
        .where(
            IdempotencyKey.tenant_id == db.tenant_id(),
            IdempotencyKey.actor_id == token_id,
            IdempotencyKey.key == key,
        )
        .values(status=response.status_code, headers=headers, body=response.get_data(as_text=True))
        .execution_options(synchronize_session=False)
    )
