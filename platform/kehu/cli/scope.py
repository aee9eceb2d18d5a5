"""What commands share: settings, application, a unit of work for a tenant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from kehu.config import Settings, load_settings
from kehu.core import context, db, hooks
from kehu.core.errors import NotFound


def owner_url(settings: Settings | None = None) -> str:
    """Return the owner's database address.

    :raises click.ClickException: when it is not set.
    """
    url = (settings or load_settings()).database_url
    if not url:
        raise click.ClickException("Set KEHU_DATABASE_URL to the database as the role kehu_owner.")
    return url


def make_app() -> Flask:
    """Return the application as the settings say."""
    from kehu.app import create_app

    return create_app()


@contextmanager
def tenant_scope(app: Flask, address: str) -> Iterator[context.TenantInfo]:
    """Open a unit of work for a tenant as the product itself; commits at the end.

    :raises NotFound: when no tenant has the address.
    """
    settings: Settings = app.extensions["kehu.settings"]
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command"):
        tenant = hooks.first("kehu_resolve_tenant", host=f"{address}.{settings.base_domain}", claimed_id=None)
        if tenant is None:
            raise NotFound(f"There is no tenant with the address {address}. `kehu tenant list` shows them.")
        db.bind_tenant(tenant)
        yield tenant
