"""`kehu db`: migrations and the schema audit."""

from __future__ import annotations

import click

from kehu import schema
from kehu.addons import migrations
from kehu.cli.scope import owner_url
from kehu.core import doctor, migration


@click.group("db")
def group() -> None:
    """Migrate and examine the database."""


@group.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema to a revision (the newest by default)."""
    before, after = migration.upgrade(owner_url(), revision)
    click.echo(
        f"The schema is at {after}."
        if before == after
        else f"Migrated from {before or 'nothing'} to {after}."
    )
    if revision != "head":
        return
    failed = False
    for done in migrations.upgrade_all(owner_url()):
        if done.error:
            failed = True
            click.echo(f"plugin {done.slug}: stays at {done.after or 'nothing'}: {done.error}", err=True)
        elif done.before != done.after:
            click.echo(f"plugin {done.slug}: migrated from {done.before or 'nothing'} to {done.after}.")
    if failed:
        raise click.exceptions.Exit(1)


@group.command()
def current() -> None:
    """Print the revision of the database and of the code."""
    engine = migration.owner_engine(owner_url())
    with engine.connect() as connection:
        click.echo(f"database: {migration.current(connection) or 'empty'}\ncode: {migration.heads()}")


@group.command(name="doctor")
def examine() -> None:
    """Compare expected and real tables, columns, indexes, policies and roles; print the repair of each fault."""
    schema.load_everything()
    engine = migration.owner_engine(owner_url())
    with engine.connect() as connection:
        findings = doctor.audit(connection)
    for finding in findings:
        click.echo(f"{finding.table}: {finding.problem}")
        if finding.repair:
            click.echo(f"    repair: {finding.repair}")
    if findings:
        raise click.exceptions.Exit(1)
    held = len(doctor.tenant_tables())
    click.echo(f"{len(doctor.core_tables())} tables are as expected, {held} of them held by row security.")


COMMANDS = (group,)
