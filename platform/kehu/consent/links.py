"""The signed address by which a person says yes or no without signing in. It never ends, as the law asks."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from flask import current_app

from kehu.accounts.security import derived_key
from kehu.consent.recording import Person, person_of
from kehu.consent.words import CHANNELS, CONSENTED
from kehu.core import context, db, hooks, site
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import moved
from kehu.core.records.types import get as get_type

_LETTERS = {"c": "customers", "k": "contacts"}


@dataclass(frozen=True, kw_only=True)
class Door:
    """What a link leads to: a person's word about one channel and purpose."""

    token: str
    record: Any
    channel: str
    purpose: str

    @property
    def person(self) -> Person:
        """The person whose word it is."""
        return person_of(self.record)

    @property
    def trashed(self) -> bool:
        """Whether the record lies in the trash; the person's word counts all the same."""
        return self.record.deleted_at is not None


def _sign(text: str) -> str:
    key = derived_key(str(current_app.config["SECRET_KEY"]), "consent").encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


def token(target: Any, channel: str, purpose: str) -> str:
    """Return the token of a person's link.

    :param target: has `customer_id` and `contact_id`, as messages have; a contact is meant before its customer.
    """
    letter, record_id = ("k", target.contact_id) if target.contact_id else ("c", target.customer_id)
    text = f"{context.tenant().id.hex}.{letter}{record_id.hex}.{channel}.{purpose}"
    return f"{text}.{_sign(text)}"


def url(target: Any, channel: str, purpose: str) -> str:
    """Return the address of a person's link, on the firm's own name."""
    base = site.url_of(context.tenant())
    return f"{base}/o/{token(target, channel, purpose)}"


def find(written: str) -> Door:
    """Return what a link leads to, and bind its firm to the unit of work.

    :raises NotFound: when it is made up, or the person was erased.
    """
    text, _dot, signature = written.rpartition(".")
    parts = text.split(".")
    if len(parts) != 4 or not hmac.compare_digest(signature.encode(), _sign(text).encode()):
        raise _of_no_use()
    tenant_id, record_id = parse_id(parts[0]), parse_id(parts[1][1:])
    name, channel, purpose = _LETTERS.get(parts[1][:1], ""), parts[2], parts[3]
    tenant = hooks.tenant_by_id(tenant_id) if tenant_id else None
    if tenant is None or record_id is None or channel not in CHANNELS or purpose not in CONSENTED or not name:
        raise _of_no_use()
    db.bind_tenant(tenant)
    record = db.session().get(get_type(name).model, (tenant.id, record_id))
    if record is not None and record.deleted_at is not None:
        # Who was merged into another record means that one: the word must hold where the messages go now.
        now_id = moved.successor(db.session(), name, record.id)
        record = db.session().get(get_type(name).model, (tenant.id, now_id)) if now_id else record
    if record is None:
        raise _of_no_use()
    return Door(token=written, record=record, channel=channel, purpose=purpose)


def _of_no_use() -> NotFound:
    return NotFound(_("This link is not complete. Open it from the message again, or answer to the message."))
