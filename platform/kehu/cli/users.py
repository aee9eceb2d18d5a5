"""`kehu user`: accounts of people."""

from __future__ import annotations

import click
from sqlalchemy import select

from kehu.accounts.models import LoginSession, User
from kehu.cli.scope import make_app
from kehu.core import clock, context, db
from kehu.core.text import normal_email


@click.group("user")
def group() -> None:
    """Look after people's accounts."""


def _user(email: str) -> User:
    user = (
        db.session().execute(select(User).where(User.email_norm == normal_email(email))).scalar_one_or_none()
    )
    if user is None:
        raise click.ClickException(f"Nobody signs in as {email}.")
    return user


@group.command("sign-out")
@click.argument("email")
def sign_out(email: str) -> None:
    """End all sign-in sessions of a person."""
    app = make_app()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command") as session:
        user = _user(email)
        rows = session.execute(
            select(LoginSession).where(LoginSession.user_id == user.id, LoginSession.revoked_at.is_(None))
        ).scalars()
        ended = 0
        for row in rows:
            row.revoked_at = clock.now()
            ended += 1
    click.echo(f"{ended} sessions of {email} ended.")


@group.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Keep a person from signing in; nothing of theirs is removed."""
    app = make_app()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command"):
        _user(email).active = False
    click.echo(f"{email} can't sign in any more. `kehu user enable` takes it back.")


@group.command("enable")
@click.argument("email")
def enable(email: str) -> None:
    """Let a person sign in again."""
    app = make_app()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command"):
        _user(email).active = True
    click.echo(f"{email} can sign in.")


@group.command("operator")
@click.argument("email")
@click.option("--off", is_flag=True, help="Take the mark away.")
def operator(email: str, off: bool) -> None:
    """Let a person run the installation from the console at /operator; a second factor is needed there."""
    app = make_app()
    with app.app_context(), db.unit_of_work(actor=context.SYSTEM, source="command"):
        _user(email).operator = not off
    click.echo(f"{email} is {'no operator any more' if off else 'an operator now'}.")


COMMANDS = (group,)
