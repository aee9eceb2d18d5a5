"""How floor 3 joins the platform."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.config import Settings
from kehu.core import context, db, jobs
from plugins.rules import hookimpl
from tenants import queries
from tenants.domains import models as domain_models
from tenants.domains import tasks as domain_tasks
from tenants.support import models as support_models

TABLES = (support_models.__name__, domain_models.__name__, domain_tasks.__name__)
"""Imported with the plugin, so that the metadata of the installation is complete."""

_settings: Settings | None = None


@hookimpl
def kehu_init_app(app: Flask) -> None:
    """Add the pages of sign-up and of the firm's own settings."""
    global _settings
    _settings = app.extensions["kehu.settings"]
    # The first module registers its pages on the blueprint of `views`.
    from tenants import start_views, views
    from tenants.archive import views as _archive  # noqa: F401
    from tenants.console import views as console
    from tenants.domains import hosts
    from tenants.domains import views as _domains  # noqa: F401
    from tenants.support import edge as support
    from tenants.support import views as support_views

    app.register_blueprint(views.blueprint)
    start_views.join(app)
    support_views.join()
    console.join(app)
    hosts.join(app)
    support.join(app)
    jobs.also_load(support_actor)
    app.extensions["kehu.landing"] = views.landing


def support_actor(session: Session, visit_id: uuid.UUID) -> context.Actor | None:
    """Return the operator whose visit left a job behind."""
    from tenants.support.services import SupportService

    return SupportService(session).working(visit_id)


@hookimpl
def kehu_resolve_tenant(host: str, claimed_id: uuid.UUID | None) -> context.TenantInfo | None:
    """Find the tenant of a request."""
    return queries.resolve(host, _settings.base_domain if _settings else "localhost", claimed_id)


@hookimpl
def kehu_tenant_by_id(tenant_id: uuid.UUID) -> context.TenantInfo | None:
    """Return a tenant by id."""
    return queries.by_id(tenant_id)


@hookimpl
def kehu_member_tenants(user_id: uuid.UUID) -> list[context.TenantInfo]:
    """Return the tenants of a person; his memberships lie in all tenants, so this is cross-tenant work."""
    from kehu.members.models import Member

    with db.cross_tenant("the firms of a person who signs in or switches") as session:
        found = list(
            session.execute(
                select(Member.tenant_id).where(
                    Member.user_id == user_id, Member.state == "active", Member.deleted_at.is_(None)
                )
            ).scalars()
        )
    return queries.by_ids(found)


@hookimpl
def kehu_active_tenants() -> list[context.TenantInfo]:
    """Return the tenants that are in use."""
    return queries.active()


@hookimpl
def kehu_store_plugins(tenant_id: uuid.UUID, slugs: Sequence[str], held: Sequence[str]) -> bool:
    """Keep a tenant's plugins in its row, which each request reads anyway."""
    from tenants.services import TenantService

    assert context.tenant().id == tenant_id
    TenantService(db.session()).set_plugins(list(slugs), list(held))
    return True


@hookimpl
def kehu_keep_fact(tenant_id: uuid.UUID, name: str, value: object) -> bool:
    """Keep a fact among the tenant's settings, which each request reads anyway."""
    from tenants.services import TenantService

    assert context.tenant().id == tenant_id
    TenantService(db.session()).note(**{name: value})
    return True
