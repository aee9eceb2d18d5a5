"""What the console shows of a firm by itself, and suspending it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from kehu.core import site
from kehu.core.audit import AuditEntry
from kehu.core.context import TenantInfo
from kehu.core.i18n import _, _l
from kehu.files.models import File
from kehu.members.models import Member, Role
from tenants.console.registry import REASON, Action, Section, add
from tenants.domains.renaming import AddressService
from tenants.domains.services import DomainService
from tenants.models import Tenant
from tenants.services import TenantService

ENTRIES = 30
OWNERS = 20


def about(session: Session, tenant: TenantInfo) -> Mapping[str, Any]:
    """Return who the firm is, and who owns it."""
    row = session.get(Tenant, tenant.id)
    statement = (
        select(Member.name, Member.email)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Role.code == "owner", Member.state == "active", Member.deleted_at.is_(None))
    )
    states = select(Member.state, func.count()).where(Member.deleted_at.is_(None)).group_by(Member.state)
    return {
        "row": row,
        "url": site.base_of(tenant),
        "domain": DomainService(session).find(),
        "old": AddressService(session).old(),
        "owners": session.execute(statement.order_by(Member.id).limit(OWNERS)).all(),
        "members": {row[0]: row[1] for row in session.execute(states)},
        "size": int(session.execute(select(func.coalesce(func.sum(File.size), 0))).scalar_one()),
    }


def trail(session: Session, tenant: TenantInfo) -> Mapping[str, Any]:
    """Return what was done to the firm itself, newest first."""
    statement = (
        select(AuditEntry)
        .where(AuditEntry.object.in_(("tenants", "billing", "support")), AuditEntry.record_id == tenant.id)
        .order_by(AuditEntry.id.desc())
        .limit(ENTRIES)
    )
    return {"entries": [(one, _said(one)) for one in session.execute(statement).scalars()]}


def _said(entry: AuditEntry) -> str:
    """Return the changes of an entry in a line: the old and the new value of each field, or what was done and why."""
    if entry.action == "operator":
        parts = [f"{key}: {what} ({why})" for key, (what, why) in entry.changes.items()]
    else:
        parts = [
            f"{key}: {'' if old is None else f'{old} → '}{'–' if new is None else new}"
            for key, (old, new) in entry.changes.items()
        ]
    return "; ".join(parts)[:300]


def suspend(session: Session, values: Mapping[str, str]) -> str:
    """Let nobody in."""
    TenantService(session).set_state("suspended", values[REASON])
    return _("The firm is suspended: nobody gets in, and nothing of it runs.")


def resume(session: Session, values: Mapping[str, str]) -> str:
    """Let the firm work again."""
    TenantService(session).set_state("active", values[REASON])
    return _("The firm works again.")


def join() -> None:
    """Put these parts into the console."""
    add(
        Section(key="about", title=_l("Firm"), template="console/_about.html", load=about, order=10),
        Section(key="trail", title=_l("Trail"), template="console/_trail.html", load=trail, order=95),
        Action(
            key="suspend",
            label=_l("Suspend"),
            text=_l("Nobody gets in and no work is done for the firm until it is released. Nothing is lost."),
            run=suspend,
            danger=True,
            order=80,
            fits=lambda tenant: tenant.state == "active",
        ),
        Action(
            key="resume",
            label=_l("Release"),
            text=_l("The firm works again as before."),
            run=resume,
            order=80,
            fits=lambda tenant: tenant.state == "suspended",
        ),
    )
