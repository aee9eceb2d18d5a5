"""`kehu plugin` for those who write plugins: the API they rely on."""

from __future__ import annotations

from pathlib import Path

import click

from kehu.cli.plugins import group


@group.command("api-diff")
@click.option("--renew", is_flag=True, help="Agree on the present surface: write the snapshot anew.")
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another snapshot, such as that of a release.",
)
def api_diff(renew: bool, against: Path | None) -> None:
    """Print what the plugin API gained, changed and lost against the snapshot; the status is 1 if anything."""
    from kehu.authoring import surface

    difference = surface.compare(surface.kept(against), surface.present())
    for line in difference.lines():
        click.echo(line)
    if renew:
        surface.renew()
        click.echo(f"The snapshot holds {len(surface.kept())} lines now.")
    elif difference:
        raise click.exceptions.Exit(1)
    else:
        click.echo("The plugin API is as the snapshot has it.")


COMMANDS: tuple[click.Command, ...] = ()
"""They are added to the group `kehu plugin`."""
