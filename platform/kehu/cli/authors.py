"""`kehu plugin` for those who write plugins: begin one, check it, and what the API has become."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from kehu.cli.plugins import group


@group.command("api-diff")
@click.option(
    "--renew", is_flag=True, help="Agree on the present surface: write snapshot and reference anew."
)
@click.option(
    "--against",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another snapshot, such as that of a release.",
)
def api_diff(renew: bool, against: Path | None) -> None:
    """Print what the plugin API gained, changed and lost against the snapshot; the status is 1 if anything."""
    from kehu.authoring import reference, surface

    difference = surface.compare(surface.kept(against), surface.present())
    for line in difference.lines():
        click.echo(line)
    if renew:
        surface.renew()
        reference.write()
        click.echo(f"The snapshot holds {len(surface.kept())} lines now.")
    elif difference:
        raise click.exceptions.Exit(1)
    else:
        click.echo("The plugin API is as the snapshot has it.")


@group.command("new")
@click.argument("slug")
@click.option("--name", default="", help="Its name for people; made from the slug when it is left out.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to make; ./kehu-SLUG when it is left out.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Keep what it is about as a record type, whose lists, forms and REST Kehu makes.",
)
def new(slug: str, name: str, into: Path | None, record: bool) -> None:
    """Begin a plugin: a small whole one with page, panel, settings, job and tests."""
    from kehu.core import clock
    from plugins.scaffold import ScaffoldError, write_scaffold

    folder = into or Path(f"kehu-{slug.replace('_', '-')}")
    try:
        files = write_scaffold(slug, folder, name=name, record=record, today=clock.today("UTC"))
    except ScaffoldError as error:
        raise click.ClickException(str(error)) from error
    if find_spec("ruff"):
        # Where lines break depends on how long the slug is.
        subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache", str(folder)], check=True
        )
    click.echo(f"Wrote {len(files)} files into {folder}. Next: kehu plugin check {folder}")


@group.command("check")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--files-only", is_flag=True, help="Take seconds: no ruff, mypy, pytest.")
def check(folder: Path, files_only: bool) -> None:
    """Look at a plugin in FOLDER: manifest, imports, templates, declarations, format, style, types, tests."""
    from kehu.authoring.checking import check as steps
    from kehu.authoring.lend import NoPluginError

    good = True
    try:
        for step in steps(folder, tools=not files_only):
            good = good and not step.problems
            click.echo(f"{'ok  ' if not step.problems else 'FAIL'}  {step.title}")
            for problem in step.problems:
                click.echo(f"      {problem}")
    except NoPluginError as error:
        raise click.ClickException(str(error)) from error
    if not good:
        raise click.exceptions.Exit(1)


@group.command("cycle")
@click.argument("plugin")
def cycle(plugin: str) -> None:
    """Switch a plugin on, off, purge it and switch it on again, for a firm and a database made for it.

    PLUGIN is the slug of an installed one, or the folder of another.
    """
    from kehu.authoring.lend import NoPluginError, entries_of, lend, project_of

    with tempfile.TemporaryDirectory() as scratch:
        slugs, environment = [plugin], dict(os.environ)
        if Path(plugin).is_dir():
            try:
                slugs = list(entries_of(project_of(Path(plugin))))
                environment = lend([Path(plugin)], Path(scratch))
            except NoPluginError as error:
                raise click.ClickException(str(error)) from error
        for slug in slugs:
            # In a process of its own: this one knows the plugins that are installed.
            done = subprocess.run(
                [sys.executable, "-m", "kehu.authoring.cycle", slug], env=environment, check=False
            )
            if done.returncode:
                raise click.exceptions.Exit(1)


@group.command("texts")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
def texts(folder: Path) -> None:
    """Collect the texts of a plugin in FOLDER into the catalogues of its languages, to be translated there."""
    from kehu.authoring.catalogues import update
    from kehu.authoring.lend import NoPluginError

    try:
        for file, missing in update(folder):
            click.echo(f"{file}: {missing} texts to translate" if missing else f"{file}: complete")
    except NoPluginError as error:
        raise click.ClickException(str(error)) from error


COMMANDS: tuple[click.Command, ...] = ()
"""They are added to the group `kehu plugin`."""
