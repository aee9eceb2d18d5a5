"""`kehu tenant`: look at the firms of an installation."""

from __future__ import annotations

import click
from sqlalchemy import func, select, text

from kehu.cli.scope import make_app, tenant_scope
from kehu.core import context, db


@click.group("tenant")
def group() -> None:
    """See the tenants of this installation."""


@group.command("list")
def list_tenants() -> None:
    """List all tenants with their members and plugins."""
    app = make_app()
    statement = text(
        "SELECT t.address, t.name, t.state, t.plugins, "
        "(SELECT count(*) FROM members m WHERE m.tenant_id = t.id AND m.state = 'active') AS members "
        "FROM tenants t ORDER BY t.address"
    )
    count = 0
    with app.app_context(), context.use(actor=context.SYSTEM), db.cross_tenant("kehu tenant list") as session:
        for row in session.execute(statement, execution_options={"yield_per": 500}):
            count += 1
            plugins = ", ".join(row.plugins) or "-"
            click.echo(f"{row.address}  {row.name}  {row.state}  {row.members} members  plugins {plugins}")
    click.echo(f"{count} tenants.")


@group.command("show")
@click.argument("address")
def show(address: str) -> None:
    """Print what a tenant holds, in numbers."""
    from kehu.core import doctor

    app = make_app()
    with tenant_scope(app, address) as tenant:
        click.echo(
            f"{tenant.name} ({tenant.address}), {tenant.state}, {tenant.currency}, {tenant.zone}, {tenant.locale}"
        )
        for table in doctor.tenant_tables():
            counted = select(func.count()).select_from(table).where(table.c.tenant_id == tenant.id)
            count = db.session().execute(counted).scalar()
            if count:
                click.echo(f"  {table.name}: {count}")


COMMANDS = (group,)
