"""The operator's own limit of members (`KEHU_SEAT_LIMIT`), while billing is off."""

from __future__ import annotations

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from billing import modes
from kehu.core import context
from kehu.core.i18n import _n
from kehu.members.models import Member, Role
from kehu.members.roles import only_reads
from plugins.results import SeatCheck


def check(session: Session, way: str, *, viewer: bool) -> SeatCheck:
    """Tell whether one more member fits; two at once wait for each other."""
    # Also without a limit: who looks whether an address is free must see what another admin is inviting now.
    key = int.from_bytes(context.tenant().id.bytes[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))
    most = modes.seat_limit()
    if most is None:
        return SeatCheck(allowed=True)
    statement = (
        select(Role.permissions)
        .join(Member, and_(Member.tenant_id == Role.tenant_id, Member.role_id == Role.id))
        .where(Member.state.in_(("active", "invited")), Member.deleted_at.is_(None))
    )
    used = sum(not only_reads(row) for row in session.execute(statement.limit(20_000)).scalars())
    if viewer or way not in ("invite", "unpark", "widen") or used < most:
        return SeatCheck(allowed=True, used=used, limit=most)
    reason = _n(
        "This installation allows %(num)s member. Park somebody first, or ask whoever runs it.",
        "This installation allows %(num)s members. Park somebody first, or ask whoever runs it.",
        most,
    )
    return SeatCheck(allowed=False, used=used, limit=most, reason=reason)
