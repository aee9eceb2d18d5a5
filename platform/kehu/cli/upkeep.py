"""`kehu plugin` for whoever runs an installation: what stands badly, tables, what is left of removed plugins."""

from __future__ import annotations

import click

from kehu.addons import migrations
from kehu.cli.plugins import group
from kehu.cli.scope import make_app, owner_url, tenant_scope
from kehu.config import load_settings
from kehu.core import clock, context, db, hooks
from plugins.records import PluginRecord


@group.command("doctor")
def doctor() -> None:
    """Say of each plugin where it stands, why, and what to do; the status is 1 if anything is wrong."""
    from kehu.addons.checkup import checkup, troubles

    app = make_app()
    with app.app_context(), context.use(actor=context.SYSTEM, source="command"):
        found = checkup(hooks.host().installed)
    for one in found:
        mark = "FAIL" if one.trouble else "ok  "
        click.echo(f"{mark}  {one.slug}  {one.version or '-'}  {one.state}  on for {one.tenants} tenants")
        said = [one.reason, *one.problems, *one.warnings]
        said += [f"It rests for all firms: {one.resting}"] if one.resting else []
        for line in said:
            if line:
                click.echo(f"      {line}")
        if one.remedy:
            click.echo(f"      remedy: {one.remedy}")
    if troubles(found):
        raise click.exceptions.Exit(1)


def _blocked() -> list[str]:
    return [slug.strip() for slug in load_settings().plugins_block.split(",") if slug.strip()]


def _chosen(slug: str | None, every: bool) -> list[PluginRecord]:
    if bool(slug) == every:
        raise click.UsageError("Name one plugin, or say --all.")
    found = migrations.migratable(_blocked())
    if every:
        return found
    chosen = [record for record in found if record.slug == slug]
    if not chosen:
        raise click.ClickException(
            f"{slug} has no migrations that could run. `kehu plugin list` says which plugins can be used."
        )
    return chosen


@group.command("migrate")
@click.argument("slug", required=False)
@click.option("--all", "every", is_flag=True, help="All plugins, each by itself.")
@click.option("--sql", is_flag=True, help="Print the statements; run nothing.")
@click.option(
    "--again",
    is_flag=True,
    help="While a plugin is written: drop its tables with all their rows first. Not in production.",
)
def migrate(slug: str | None, every: bool, sql: bool, again: bool) -> None:
    """Bring a plugin's tables to its code. What would harm tenants or the platform is taken back."""
    failed = False
    app = None if sql else make_app()
    for record in _chosen(slug, every):
        if sql:
            click.echo(migrations.sql_of(owner_url(), record) or f"-- {record.slug}: nothing to do")
            continue
        if again:
            if load_settings().environment == "production":
                raise click.ClickException(
                    "--again removes rows of all firms; it is not there in production."
                )
            migrations.drop(owner_url(), record.slug)
        done = migrations.upgrade_one(owner_url(), record)
        failed = failed or bool(done.error)
        if done.error:
            click.echo(f"{done.slug}: stays at {done.after or 'nothing'}: {done.error}", err=True)
        elif done.before == done.after:
            click.echo(f"{done.slug}: is at {done.after}.")
        else:
            click.echo(f"{done.slug}: migrated from {done.before or 'nothing'} to {done.after}.")
        if (
            app is not None
            and not done.error
            and hooks.host().installed.get(done.slug) in hooks.host().installed.ready
        ):
            differences = migrations.differences(owner_url(), done.slug)
            failed = failed or bool(differences)
            for line in differences:
                click.echo(f"{done.slug}: {line}", err=True)
            if differences:
                click.echo(
                    "Was a migration edited after it had run? While nobody uses the plugin, "
                    f"`kehu plugin migrate {done.slug} --again` makes its tables anew; later, write the next one.",
                    err=True,
                )
    if failed:
        raise click.exceptions.Exit(1)


@group.command("revision")
@click.argument("slug")
@click.option("-m", "--message", default="Change the tables", show_default=True, help="What it does.")
def revision(slug: str, message: str) -> None:
    """Begin a plugin's next migration: a file behind its newest one."""
    from kehu.addons.revisions import begin

    app = make_app()
    record = hooks.host().installed.get(slug)
    if record is None or record.system:
        raise click.ClickException(f"There is no plugin {slug}. `kehu plugin list` shows them.")
    with app.app_context():
        try:
            file = begin(record, message, clock.today("UTC"))
        except LookupError as error:
            raise click.ClickException(str(error)) from error
    click.echo(f"Wrote {file}. Next: kehu plugin migrate {slug}")


@group.command("purge")
@click.argument("address")
@click.argument("slug")
@click.option("--dry-run", is_flag=True, help="Count what it would remove; change nothing.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def purge(address: str, slug: str, dry_run: bool, yes: bool) -> None:
    """Remove at once what a plugin keeps of a tenant; it must be off. Its code need not be there."""
    from kehu.addons import purge as purging
    from kehu.addons.services import PluginService
    from kehu.addons.states import ON, TenantState

    app = make_app()
    with tenant_scope(app, address) as tenant:
        report = PluginService(db.session()).purge_preview(slug)
    if not dry_run:
        if slug in tenant.plugins:
            raise click.ClickException(
                f"{slug} is on for {tenant.name}. Switch it off first: kehu plugin disable {address} {slug}"
            )
        if not yes:
            click.confirm(f"Remove {report.total} things of {slug} from {tenant.name} for ever?", abort=True)
        with app.app_context(), context.use(tenant=tenant, actor=context.SYSTEM, source="command"):
            report = purging.purge(slug, frozenset(TenantState) - ON)
    for what, count in {**report.tables, **report.kept, **report.elsewhere}.items():
        if count:
            click.echo(f"  {what}: {count}")
    if report.fault:
        click.echo(f"  the plugin failed when it was asked: {report.fault}")
    word = "would be" if dry_run else "were"
    click.echo(f"{report.total} things of {slug} {word} removed from {tenant.name}.")


@group.command("orphans")
@click.option("--drop", metavar="SLUG", help="Purge this one in all tenants and drop its tables.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def orphans(drop: str | None, yes: bool) -> None:
    """List what removed plugins have left in the database."""
    from kehu.addons import orphans as left

    app = make_app()
    with app.app_context(), context.use(actor=context.SYSTEM, source="command"):
        found = left.orphans()
        for one in found:
            rows = ", ".join(f"{name} {count}" for name, count in one.rows.items()) or "no tables"
            click.echo(f"{one.slug}: known to {one.tenants} tenants; rows: {rows}")
        if drop is None:
            click.echo(f"{len(found)} plugins have left tables behind.")
            return
        if not yes:
            click.confirm(f"Remove everything of {drop} for all tenants for ever?", abort=True)
        count = left.drop(owner_url(), drop)
        click.echo(f"{drop} was purged in {count} tenants and its tables are dropped.")


COMMANDS: tuple[click.Command, ...] = ()
"""They are added to the group `kehu plugin`."""
