"""Looking tenants up: global, before any tenant is bound."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from kehu.core import context, db
from tenants.domains.models import SERVING, Domain
from tenants.models import Tenant

_COLUMNS = (
    Tenant.id,
    Tenant.address,
    Tenant.name,
    Tenant.currency,
    Tenant.zone,
    Tenant.locale,
    Tenant.country,
    Tenant.plugins,
    Tenant.held_plugins.label("held"),
    Tenant.state,
    Tenant.demo,
    Tenant.settings,
)


def _info(row: object) -> context.TenantInfo:
    values = dict(row._mapping)  # type: ignore[attr-defined]
    for key in ("plugins", "held"):
        values[key] = frozenset(values[key] or ())
    return context.TenantInfo(**values)


def by_id(tenant_id: uuid.UUID) -> context.TenantInfo | None:
    """Return a tenant by id."""
    row = db.session().execute(select(*_COLUMNS).where(Tenant.id == tenant_id)).first()
    return _info(row) if row is not None else None


def resolve(host: str, base_domain: str, claimed_id: uuid.UUID | None) -> context.TenantInfo | None:
    """Return the tenant of a sub-domain or of a domain of its own, else the one that the session chose."""
    address = host.removesuffix(f".{base_domain}") if host.endswith(f".{base_domain}") else ""
    if not address and host != base_domain and "." in host and not host[-1].isdigit():
        found = _by_domain(host)
        if found is not None:
            return found
    if address:
        statement = select(*_COLUMNS).where(Tenant.address == address)
    elif claimed_id is not None:
        statement = select(*_COLUMNS).where(Tenant.id == claimed_id)
    else:
        return None
    row = db.session().execute(statement.where(Tenant.state != "closed")).first()
    return _info(row) if row is not None else None


def _by_domain(host: str) -> context.TenantInfo | None:
    """Return the tenant whose own, checked domain this is."""
    statement = (
        select(*_COLUMNS)
        .join(Domain, Domain.firm_id == Tenant.id)
        .where(Domain.host == host, Domain.state.in_(SERVING), Tenant.state != "closed")
    )
    row = db.session().execute(statement).first()
    return _info(row) if row is not None else None


def by_ids(tenant_ids: list[uuid.UUID]) -> list[context.TenantInfo]:
    """Return tenants by id, sorted by name."""
    statement = select(*_COLUMNS).where(Tenant.id.in_(tenant_ids)).order_by(Tenant.name)
    return [_info(row) for row in db.session().execute(statement)]


def active() -> list[context.TenantInfo]:
    """Return all tenants that are in use, in the order of their founding; scheduled work goes through all."""
    statement = select(*_COLUMNS).where(Tenant.state == "active").order_by(Tenant.id)
    return [_info(row) for row in db.session().execute(statement)]
