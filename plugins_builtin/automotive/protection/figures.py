"""Cases that wait for a decision, for the dealer's dashboard."""

from __future__ import annotations

from collections.abc import Sequence

from kehu.api import Session, _, func, select, tenant
from plugins_builtin.automotive.dashboard.numbers import Number
from plugins_builtin.automotive.protection.models import Collision


def cases(session: Session) -> Sequence[Number]:
    """How many cases are to be decided."""
    statement = select(func.count()).where(
        Collision.tenant_id == tenant().id, Collision.state.in_(("open", "appealed"))
    )
    many = session.execute(statement).scalar_one()
    return [Number(label=_("Cases to decide"), count=many, url="/x/automotive/collisions", bad=True)]
