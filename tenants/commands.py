"""`kehu tenant`: look at the firms of an installation, take one out as an archive, read one in."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask
from sqlalchemy import func, select, text

from kehu.cli.scope import make_app, tenant_scope
from kehu.core import audit, context, db
from kehu.files.store import FileStore
from tenants import erasing
from tenants.archive import reading, writing
from tenants.domains.services import DomainService
from tenants.models import Tenant
from tenants.services import TenantService


@click.group("tenant")
def group() -> None:
    """See the tenants of this installation, take one out, read one in."""


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


@group.command("suspend")
@click.argument("address")
@click.option("--reason", required=True, help="Kept in the firm's trail.")
def suspend(address: str, reason: str) -> None:
    """Let nobody in and run no scheduled work, until it is released; nothing is lost."""
    with tenant_scope(make_app(), address) as tenant:
        TenantService(db.session()).set_state("suspended", reason)
    click.echo(f"{tenant.address} is suspended.")


@group.command("release")
@click.argument("address")
@click.option("--reason", default="", help="Kept in the firm's trail.")
def release(address: str, reason: str) -> None:
    """Let a suspended firm work again."""
    with tenant_scope(make_app(), address) as tenant:
        TenantService(db.session()).set_state("active", reason)
    click.echo(f"{tenant.address} works again.")


@group.command("close")
@click.argument("address")
@click.option("--reason", required=True, help="Kept in the firm's trail.")
def close(address: str, reason: str) -> None:
    """End a firm: nobody gets in, its address answers nothing; the data stays until it is erased."""
    with tenant_scope(make_app(), address) as tenant:
        DomainService(
            db.session()
        ).remove()  # Whoever has the domain next can't ask a closed firm to let go of it.
        TenantService(db.session()).set_state("closed", reason)
    click.echo(f"{tenant.address} is closed. Its id is {tenant.id}.")


@group.command("erase")
@click.argument("address")
@click.option("--really", required=True, help="The firm's id, as `kehu tenant close` printed it.")
@click.option("--reason", required=True, help="Kept in the proof.")
def erase(address: str, really: str, reason: str) -> None:
    """Erase a closed firm with all its rows and files, for good, and print the proof."""
    app = make_app()
    with (
        app.app_context(),
        context.use(actor=context.SYSTEM),
        db.cross_tenant(f"erase the tenant {address}") as session,
    ):
        found = session.execute(select(Tenant.id).where(Tenant.address == address)).scalar_one_or_none()
        if found is None or str(found) != really:
            raise click.ClickException("Address and id are not of one firm; nothing was erased.")
        proof = erasing.erase(
            session, found, app.extensions["kehu.settings"].var, by="command", reason=reason
        )
        said = [f"  {name}: {count}" for name, count in sorted(proof.rows.items())]
        number, people, files = proof.id, proof.people, proof.files
    click.echo("\n".join(said))
    click.echo(
        f"Erased, with {people} accounts and {files} files; nothing was found afterwards. Proof {number}."
    )


def _store(app: Flask) -> FileStore:
    settings = app.extensions["kehu.settings"]
    return FileStore(settings.var / "files", settings.upload_mb * 1024 * 1024)


@group.command("export")
@click.argument("address")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(address: str, file: Path) -> None:
    """Write all that a firm has into a ZIP file: data, files, settings, history."""
    app = make_app()
    with tenant_scope(app, address) as tenant:
        session = db.session()
        session.commit()  # The archive shows one moment, which begins with the next transaction.
        writing.fix_moment(session)
        with file.open("xb") as into:
            summary = writing.write(session, _store(app), into)
        session.commit()
        audit.write(session, object="tenants", record_id=tenant.id, action="exported", title=tenant.name)
    click.echo(f"{file}: {summary.rows} rows, {summary.files} files.")
    for sha256 in summary.missing:
        click.echo(f"  missing in the file store: {sha256}", err=True)


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--address", default="", help="Another address than the firm had.")
@click.option(
    "--active", is_flag=True, help="Let it work at once; otherwise it waits for: kehu tenant release."
)
def import_archive(file: Path, address: str, active: bool) -> None:
    """Read an archive into this installation, which must not have the firm."""
    app = make_app()
    state = "active" if active else "suspended"
    with (
        app.app_context(),
        db.unit_of_work(actor=context.SYSTEM, source="command") as session,
        file.open("rb") as source,
    ):
        taken = reading.read(session, source, _store(app), address=address, state=state)
    click.echo(
        f"{taken.tenant.name} ({taken.tenant.address}), {state}: {taken.rows} rows, {taken.files} files, "
        f"{taken.people_known} people were known here. Everybody else sets a password by «Forgot password»."
    )
    if not active:
        click.echo(f"Look at it, then: kehu tenant release {taken.tenant.address}")


COMMANDS = (group,)
