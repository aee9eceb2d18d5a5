"""`kehu config` and `kehu routes`: what this installation is set to and answers to."""

from __future__ import annotations

from dataclasses import fields

import click

from kehu.cli.scope import make_app
from kehu.config import Settings, load_settings

SECRET = (
    "secret_key",
    "database_url",
    "app_database_url",
    "cross_database_url",
    "mail_url",
    "stripe_key",
    "stripe_webhook_secret",
)


@click.command("config")
def config() -> None:
    """Print all settings with their variables; secrets are shown only as set or empty."""
    settings = load_settings()
    for spec in fields(Settings):
        value = getattr(settings, spec.name)
        shown = ("(set)" if value else "(empty)") if spec.name in SECRET else value
        click.echo(f"{spec.metadata['env']}={shown}\n    {spec.metadata['help']}")


@click.command("routes")
def routes() -> None:
    """Print every address with its methods and the right it needs."""
    app = make_app()
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        view = app.view_functions[rule.endpoint]
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        click.echo(f"{rule.rule}  {methods}  {getattr(view, 'kehu_access', '-')}")


COMMANDS = (config, routes)
