"""`kehu mail`: what a mail server hands over."""

from __future__ import annotations

from typing import BinaryIO

import click
from sqlalchemy.exc import SQLAlchemyError

from kehu.cli.scope import make_app, tenant_scope
from kehu.config import Settings
from kehu.core import db
from kehu.core.errors import KehuError, NotFound
from plugins.relay import PluginError

LARGEST = 25 * 1024 * 1024
NO_USER, TRY_AGAIN = 67, 75
"""Statuses of sendmail (sysexits.h) by which a mail server sends a mail back, or keeps it for later."""


class SentBack(click.ClickException):
    """Nobody takes the mail."""

    exit_code = NO_USER


class Later(click.ClickException):
    """It can't be taken in now."""

    exit_code = TRY_AGAIN


@click.group("mail")
def group() -> None:
    """Take in mails that a mail server hands over."""


@group.command("take-in")
@click.argument("recipient")
@click.argument("file", type=click.File("rb"), default="-")
def take_in(recipient: str, file: BinaryIO) -> None:
    """Take in one mail from standard input (or FILE) to RECIPIENT, whose domain names the firm."""
    from kehu.addons.receiving import receive
    from kehu.tickets import incoming

    app = make_app()
    settings: Settings = app.extensions["kehu.settings"]
    _box, _at, host = recipient.strip().lower().rpartition("@")
    address = host.removesuffix(f".{settings.base_domain}")
    raw: bytes = file.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise SentBack("This mail has more than 25 MB.")
    try:
        with tenant_scope(app, address):
            taken = receive(recipient.strip(), raw)
            if not taken and incoming.take(db.session(), recipient, raw):
                taken = "tickets"
    except NotFound as error:
        raise SentBack(f"There is no firm at {host}.") from error
    except (KehuError, PluginError, SQLAlchemyError) as error:
        raise Later(f"It could not be taken in now: {error}") from error
    if not taken:
        raise SentBack(f"Nobody takes in mails to {recipient}.")
    click.echo(f"Taken in by {taken}.")


COMMANDS = (group,)
