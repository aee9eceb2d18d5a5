"""A form that is sent twice does its work once: the key in the form is kept with the answer's address."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import request
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import clock, context, db
from kehu.core.ids import new_id
from kehu.rest.models import IdempotencyKey

_KEY = re.compile(r"[A-Za-z0-9._-]{8,64}")


@dataclass
class Once:
    """One sending of a form. `again` tells that it was done before; `url` is where its answer leads."""

    again: bool = False
    url: str = ""


def new_key() -> str:
    """Return a key for a form's `idempotency_key`."""
    return new_id().hex


@contextmanager
def once(session: Session, key: str | None) -> Iterator[Once]:
    """Run the block with what is known of a key; a second sending waits for the first and learns its answer.

    Without a usable key each sending is the first. An error within the block forgets the key with the transaction.
    """
    actor_id = context.actor().member_id
    if not key or actor_id is None or not _KEY.fullmatch(key):
        yield Once()
        return
    name = f"form:{key}"
    digest = hashlib.sha256(request.path.encode()).hexdigest()
    row = {
        "tenant_id": db.tenant_id(),
        "actor_id": actor_id,
        "key": name,
        "request_hash": digest,
        "status": 303,
        "headers": {},
        "body": "",
        "at": clock.now(),
    }
    made = session.execute(
        insert(IdempotencyKey).values(row).on_conflict_do_nothing().returning(IdempotencyKey.key)
    ).first()
    if made is None:
        known = session.execute(
            select(IdempotencyKey.body).where(IdempotencyKey.actor_id == actor_id, IdempotencyKey.key == name)
        ).scalar()
        yield Once(again=True, url=known or "")
        return
    first = Once()
    yield first
    session.execute(
        update(IdempotencyKey)
        .where(
            IdempotencyKey.tenant_id == db.tenant_id(),
            IdempotencyKey.actor_id == actor_id,
            IdempotencyKey.key == name,
        )
        .values(body=first.url),
        execution_options={"synchronize_session": False},
    )
