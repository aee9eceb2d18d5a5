"""`kehu --help` lists everything; commands parse, open a scope, call a service and say what they did."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import entry_points

import click
from sqlalchemy.exc import OperationalError

from kehu.config import ConfigError
from kehu.core.errors import KehuError

GROUPS = ("db", "jobs", "users", "plugins", "upkeep", "mails", "authors", "server")
FLOORS = ("tenants", "billing")
"""Whose commands are taken: the product's own floors, no plugin's."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="kehu")
def kehu() -> None:
    """Operate an installation of Kehu; settings come from KEHU_… variables (`kehu config`)."""


for _name in GROUPS:
    for _command in import_module(f"kehu.cli.{_name}").COMMANDS:
        kehu.add_command(_command)

# The floors above bring theirs along, found as their plugins are.
for _entry in entry_points(group="kehu.commands"):
    if _entry.name in FLOORS:
        for _command in _entry.load().COMMANDS:
            kehu.add_command(_command)


def main() -> int:
    """Run the command line and return the exit status."""
    try:
        # Outside of its standalone mode click returns the status of an Exit; a command itself returns nothing.
        return kehu.main(standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except (ConfigError, KehuError) as error:
        click.echo(f"kehu: {error}", err=True)
        return 1
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else str(error)
        click.echo(f"kehu: the database does not answer: {reason}", err=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
