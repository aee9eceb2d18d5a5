"""The signed address at which one person answers one invitation, without an account."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import select

from kehu.accounts.security import derived_key
from kehu.core import context, db, hooks, site
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.surveys.models import Survey, SurveyInvitation


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a link leads to."""

    invitation: SurveyInvitation
    survey: Survey


def _sign(text: str) -> str:
    key = derived_key(str(current_app.config["SECRET_KEY"]), "survey").encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:40]


def token(invitation_id: uuid.UUID) -> str:
    """Return the token of an invitation."""
    text = f"{context.tenant().id.hex}.{invitation_id.hex}"
    return f"{text}.{_sign(text)}"


def url(invitation_id: uuid.UUID) -> str:
    """Return the address of an invitation, on the firm's own name."""
    base = site.url_of(context.tenant())
    return f"{base}/s/{token(invitation_id)}"


def find(written: str, *, lock: bool = False) -> Asked:
    """Return what a link leads to, and bind its firm to the unit of work.

    :param lock: so that of two answers at the same moment the second sees the first.
    :raises NotFound: when it is made up, or the survey is gone.
    """
    text, _dot, signature = written.rpartition(".")
    parts = text.split(".")
    if len(parts) != 2 or not hmac.compare_digest(signature.encode(), _sign(text).encode()):
        raise _of_no_use()
    tenant_id, invitation_id = parse_id(parts[0]), parse_id(parts[1])
    tenant = hooks.tenant_by_id(tenant_id) if tenant_id else None
    if tenant is None or invitation_id is None:
        raise _of_no_use()
    db.bind_tenant(tenant)
    session = db.session()
    statement = select(SurveyInvitation).where(SurveyInvitation.id == invitation_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    invitation = session.execute(statement).scalar_one_or_none()
    if invitation is None:
        raise _of_no_use()
    survey = session.execute(
        select(Survey).where(Survey.id == invitation.survey_id, Survey.deleted_at.is_(None))
    ).scalar_one_or_none()
    if survey is None:
        raise _of_no_use()
    return Asked(invitation=invitation, survey=survey)


def _of_no_use() -> NotFound:
    return NotFound(_("This link is not complete. Open it from the message again, or answer to the message."))
