"""Drafts: long texts that were typed and not sent yet, found again on any device."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import clock, context, db
from kehu.core.errors import InvalidInput, TooLarge
from kehu.core.i18n import _
from kehu.views.models import Draft

LONGEST = 20_000
LONGEST_KEY = 120


def draft_text(session: Session, key: str) -> str:
    """Return the text kept under a key, or an empty one."""
    if _visits():
        return ""
    statement = select(Draft.body).where(Draft.member_id == context.actor().member_id, Draft.key == key)
    return session.execute(statement).scalar() or ""


def keep_draft(session: Session, key: str, body: str) -> None:
    """Keep a text under a key; an empty one forgets the draft.

    :raises TooLarge: for more than 20,000 characters.
    :raises InvalidInput: for a key that no page uses.
    """
    if not key or len(key) > LONGEST_KEY:
        raise InvalidInput(_("This draft has no place to be kept under."))
    if len(body) > LONGEST:
        raise TooLarge(
            _("A draft may have %(may)s characters. The text is still on your page.", may=f"{LONGEST:,}")
        )
    if _visits():
        return
    body = body.replace("\x00", "").encode("utf-8", "replace").decode()
    if not body.strip():
        forget_draft(session, key)
        return
    row = {
        "tenant_id": db.tenant_id(),
        "member_id": context.actor().member_id,
        "key": key,
        "body": body,
        "saved_at": clock.now(),
    }
    statement = insert(Draft).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["tenant_id", "member_id", "key"], set_={"body": body, "saved_at": row["saved_at"]}
    )
    session.execute(statement)


def _visits() -> bool:
    """Tell whether somebody looks in for support, whose id is that of the owner who let him in: drafts are not his."""
    return context.actor().kind == "support"


def forget_draft(session: Session, key: str) -> None:
    """Forget the text kept under a key, after it was sent."""
    if _visits():
        return
    session.execute(
        delete(Draft).where(
            Draft.tenant_id == db.tenant_id(), Draft.member_id == context.actor().member_id, Draft.key == key
        ),
        execution_options={"synchronize_session": False},
    )
