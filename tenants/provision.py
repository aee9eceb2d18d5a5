"""A new tenant with all that it needs on its first minute, in one transaction."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from flask_babel import force_locale
from sqlalchemy.orm import Session

from kehu.accounts.models import User
from kehu.calendars.defaults import default_calendar
from kehu.core import audit, clock, context, db
from kehu.core.ids import new_id
from kehu.core.text import fold, normal_email
from kehu.deals.defaults import default_pipeline
from kehu.members.models import Member, Role
from kehu.members.roles import ROLE_NAMES, default_grants
from kehu.tickets.defaults import default_queues
from tenants.models import Tenant

TRIAL = dt.timedelta(days=14)


@dataclass(frozen=True, kw_only=True)
class NewTenant:
    """What a sign-up says about a firm."""

    name: str
    address: str
    country: str
    currency: str
    zone: str
    locale: str
    trade: str = ""
    demo: bool = False


def provision(session: Session, wanted: NewTenant, owner: User) -> tuple[context.TenantInfo, Member]:
    """Create a tenant with roles, its owner, a pipeline, ticket queues and opening hours, in the tenant's language.

    The global rows come first (DATABASE.md 3); afterwards the tenant is bound to the unit of work.
    """
    tenant = _tenant(wanted)
    session.add(tenant)
    session.flush()  # Tenant rows point at it.
    info = tenant.info()
    db.bind_tenant(info)
    with force_locale(wanted.locale):
        roles = {code: _role(code) for code in ROLE_NAMES}
        session.add_all(roles.values())
        session.flush()  # Members point at roles.
        member = make_member(roles["owner"].id, owner.name or owner.email, owner.email, user_id=owner.id)
        session.add(member)
        session.flush()  # Defaults are written in the owner's name.
        founder = context.Actor(member_id=member.id, user_id=owner.id, name=member.name, role="owner")
        with context.use(actor=founder):
            session.add_all(default_pipeline(session))
            session.add_all(default_queues())
            session.add(default_calendar())
            audit.write(session, object="tenants", record_id=tenant.id, action="created", title=tenant.name)
            session.flush()  # Everything belongs to the founder, also what is stamped as it is written.
    return info, member


def _tenant(wanted: NewTenant) -> Tenant:
    return Tenant(
        id=new_id(),
        address=wanted.address,
        name=wanted.name,
        country=wanted.country,
        currency=wanted.currency,
        zone=wanted.zone,
        locale=wanted.locale,
        trade=wanted.trade,
        demo=wanted.demo,
        plugins=[],
        settings={},
        state="active",
        trial_ends_at=clock.now() + TRIAL,
    )


def _role(code: str) -> Role:
    return Role(
        id=new_id(),
        code=code,
        name=str(ROLE_NAMES[code]),
        permissions=dict(default_grants(code)),
        builtin=True,
    )


def make_member(
    role_id: uuid.UUID, name: str, email: str = "", *, user_id: uuid.UUID | None = None, state: str = "active"
) -> Member:
    """Return a new member of the present tenant."""
    return Member(
        id=new_id(),
        version=1,
        user_id=user_id,
        role_id=role_id,
        name=name,
        name_norm=fold(name),
        email=email,
        email_norm=normal_email(email),
        title="",
        state=state,
        prefs={},
    )
