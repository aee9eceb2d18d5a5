"""What a member set for himself alone: single keys of his settings, each written without touching the others."""

from __future__ import annotations

from typing import Any

from sqlalchemy import literal, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from kehu.core.context import Actor
from kehu.members.models import Member


def set_pref(session: Session, actor: Actor, key: str, value: Any) -> None:
    """Keep one setting of a member; two at once never lose each other's."""
    session.execute(
        update(Member)
        .where(Member.id == actor.member_id)
        .values(prefs=Member.prefs.op("||")(literal({key: value}, JSONB))),
        execution_options={"synchronize_session": False},
    )
