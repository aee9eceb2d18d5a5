"""Members that stand for people whom a file names and nobody invited yet."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import audit, clock
from kehu.core.db import tenant_id
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.tables import metadata
from kehu.core.text import clean, fold, normal_email
from kehu.members.models import Member, Role


def find_members(session: Session, texts: Collection[str]) -> dict[str, list[uuid.UUID]]:
    """Return, for each name or e-mail address, the members that carry it."""
    names, mails = {fold(text) for text in texts}, {normal_email(text) for text in texts if "@" in text}
    statement = select(Member.id, Member.name_norm, Member.email_norm).where(
        Member.deleted_at.is_(None), Member.name_norm.in_(names) | Member.email_norm.in_(mails)
    )
    by_name: dict[str, list[uuid.UUID]] = {}
    by_mail: dict[str, list[uuid.UUID]] = {}
    for row in session.execute(statement):
        by_name.setdefault(row.name_norm, []).append(row.id)
        if row.email_norm:
            by_mail.setdefault(row.email_norm, []).append(row.id)
    return {text: by_mail.get(normal_email(text)) or by_name.get(fold(text)) or [] for text in texts}


def make_placeholders(session: Session, texts: Iterable[str]) -> dict[str, uuid.UUID]:
    """Make a placeholder for each name or e-mail address; one that was taken back before comes back.

    The caller has checked that the actor may manage members.
    """
    wanted = {fold(text): clean(text)[:200] for text in texts}
    gone = select(Member).where(
        Member.deleted_at.is_not(None), Member.state == "placeholder", Member.name_norm.in_(list(wanted))
    )
    made = {member.name_norm: member for member in session.execute(gone).scalars()}
    for member in made.values():
        member.deleted_at = member.deleted_by = None
    role_id = session.execute(select(Role.id).where(Role.code == "member")).scalar()
    if role_id is None:
        role_id = session.execute(select(Role.id).order_by(Role.code.desc()).limit(1)).scalar_one()
    for norm, name in wanted.items():
        if norm not in made:
            made[norm] = _placeholder(role_id, name)
            session.add(made[norm])
    session.flush()  # Records point at them.
    for member in made.values():
        audit.write(
            session,
            object="members",
            record_id=member.id,
            action="created",
            title=member.name,
            version=member.version,
        )
    return {norm: member.id for norm, member in made.items()}


def _placeholder(role_id: uuid.UUID, name: str) -> Member:
    mail = name if "@" in name else ""
    return Member(
        id=new_id(),
        version=1,
        role_id=role_id,
        name=name,
        name_norm=fold(name),
        email=mail,
        email_norm=normal_email(mail),
        title="",
        state="placeholder",
        prefs={},
    )


def take_back(session: Session, member_id: uuid.UUID) -> None:
    """Put a placeholder away that nothing refers to.

    :raises Conflict: when it was invited since, or something belongs to it.
    """
    member = session.execute(
        select(Member).where(Member.id == member_id, Member.deleted_at.is_(None)).with_for_update()
    ).scalar_one_or_none()
    if member is None:
        return
    if member.state != "placeholder":
        raise Conflict(_("“%(name)s” was invited since and stays.", name=member.name))
    if _in_use(session, member_id):
        raise Conflict(_("“%(name)s” is still the owner of records.", name=member.name))
    member.deleted_at = clock.now()
    audit.write(session, object="members", record_id=member.id, action="trashed", title=member.name)


def _in_use(session: Session, member_id: uuid.UUID) -> bool:
    """Tell whether a live record of any table with an owner belongs to a member."""
    for table in metadata.tables.values():
        if table.info.get("scope") != "tenant" or "deleted_at" not in table.c or table.name == "imports":
            continue
        for name in ("owner_id", "assignee_id"):
            if name in table.c:
                statement = select(table.c.tenant_id).where(
                    table.c.tenant_id == tenant_id(), table.c[name] == member_id, table.c.deleted_at.is_(None)
                )
                if session.execute(statement.limit(1)).first() is not None:
                    return True
    return False
