"""`kehu plugin`: what is installed, and switching it for a tenant."""

from __future__ import annotations

import click

from kehu.cli.scope import make_app, tenant_scope
from kehu.core import db, hooks
from plugins.relay import PluginError


@click.group("plugin")
def group() -> None:
    """See plugins and switch them for a tenant."""


@group.command("list")
def list_plugins() -> None:
    """List installed plugins with their state, and why one is left out."""
    make_app()
    for record in hooks.host().installed:
        kind = "part of the platform" if record.system else "plugin"
        click.echo(f"{record.slug}  {record.version}  {kind}  {record.state.value}")
        if record.reason:
            click.echo(f"    {record.reason} {record.remedy}")
    click.echo("`kehu plugin doctor` looks at their tables as well.")


@group.command("enable")
@click.argument("address")
@click.argument("slug")
def enable(address: str, slug: str) -> None:
    """Switch a plugin on for a tenant."""
    from kehu.addons.services import PluginService

    with tenant_scope(make_app(), address) as tenant:
        PluginService(db.session()).enable(slug)
        click.echo(f"{slug} is on for {tenant.name}.")


@group.command("disable")
@click.argument("address")
@click.argument("slug")
def disable(address: str, slug: str) -> None:
    """Switch a plugin off for a tenant; its data stays."""
    from kehu.addons.services import PluginService

    with tenant_scope(make_app(), address) as tenant:
        PluginService(db.session()).disable(slug)
        click.echo(f"{slug} is off for {tenant.name}; its data stays.")


@group.command("run")
@click.argument("address")
@click.argument("job")
@click.argument("arguments", nargs=-1, metavar="[KEY=VALUE]...")
def run(address: str, job: str, arguments: tuple[str, ...]) -> None:
    """Run a job of a plugin for a tenant now, and say what came of it."""
    from kehu.addons.tasks import run_now

    slug, _dot, name = job.partition(".")
    named = dict(one.partition("=")[::2] for one in arguments)
    with tenant_scope(make_app(), address):
        try:
            click.echo(run_now(slug, name, **named))
        except PluginError as error:
            # The log line above has the traceback; this is what an author needs of it.
            raise click.ClickException(
                f"{error.reason} ({error.place})" if error.place else str(error)
            ) from None


COMMANDS = (group,)
