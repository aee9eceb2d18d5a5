"""What whoever runs an installation sees of its plugins over all firms, and lets run again.

An operator is a person with the mark that `kehu user operator` sets. Each look over the firms is kept
(`db.cross_tenant`); what is changed in a firm stands in that firm's trail under the operator's name.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import func, select

from kehu.accounts.models import User
from kehu.accounts.operators import actor_of
from kehu.addons.checkup import Standing, checkup
from kehu.addons.models import PluginIncident, TenantPlugin
from kehu.addons.services import PluginService
from kehu.addons.states import HELD
from kehu.core import context, db, hooks
from kehu.core.errors import NotFound
from kehu.core.i18n import _

FAULTS = 50
HELD_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class FaultLine:
    """The same mistake of a plugin, in all firms together; `message` ends with file and line."""

    slug: str
    hook: str
    message: str
    fingerprint: str
    count: int
    tenants: int
    last_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class HeldLine:
    """A firm in which a plugin may not run now, and why."""

    tenant: context.TenantInfo
    slug: str
    state: str
    reason: str
    until: dt.datetime | None


class OperatorService:
    """Look at plugins over all firms, as an operator."""

    def __init__(self, user: User) -> None:
        self.actor = actor_of(user)

    def plugins(self) -> list[Standing]:
        """Return where each plugin stands."""
        with context.use(actor=self.actor):
            return checkup(hooks.host().installed)

    def faults(self) -> list[FaultLine]:
        """Return the latest mistakes, each once."""
        row = PluginIncident
        statement = (
            select(
                row.slug,
                row.hook,
                row.fingerprint,
                func.max(row.message).label("message"),
                func.sum(row.count).label("count"),
                func.count().label("tenants"),
                func.max(row.last_at).label("last_at"),
            )
            .group_by(row.slug, row.hook, row.fingerprint)
            .order_by(func.max(row.last_at).desc())
            .limit(FAULTS)
        )
        with (
            context.use(actor=self.actor),
            db.cross_tenant("an operator looks at faults of plugins") as session,
        ):
            found = session.execute(statement).mappings().all()
        return [FaultLine(**{**line, "count": int(line["count"])}) for line in found]

    def held(self) -> list[HeldLine]:
        """Return where plugins are held."""
        row = TenantPlugin
        statement = (
            select(row.tenant_id, row.slug, row.state, row.reason, row.until)
            .where(row.state.in_([state.value for state in HELD]))
            .order_by(row.changed_at.desc())
            .limit(HELD_SHOWN)
        )
        with (
            context.use(actor=self.actor),
            db.cross_tenant("an operator looks where plugins are held") as session,
        ):
            found = session.execute(statement).all()
        lines = []
        for one in found:
            tenant = hooks.tenant_by_id(one.tenant_id)
            if tenant is not None:
                lines.append(
                    HeldLine(
                        tenant=tenant,
                        slug=one.slug,
                        state=one.state,
                        reason=one.reason or "",
                        until=one.until,
                    )
                )
        return lines

    def resume(self, tenant_id: uuid.UUID, slug: str) -> context.TenantInfo:
        """Let a plugin that rests in a firm run again.

        :raises NotFound: when there is no such firm.
        :raises Conflict: when it does not rest there.
        """
        tenant = hooks.tenant_by_id(tenant_id)
        if tenant is None:
            raise NotFound(_("There is no such firm."))
        with db.unit_of_work(tenant=tenant, actor=self.actor) as session:
            PluginService(session).resume(slug)
        return tenant
