"""Putting billing's parts into the console when the application is made."""

from __future__ import annotations

from flask import Flask

from billing.console import (
    actions,
    firm,
    health,
    listing,
    manual_actions,
    money_actions,
    stripe_actions,
    views,
)


def join(app: Flask) -> None:
    """Register everything that billing has for operators."""
    app.register_blueprint(views.blueprint)
    for part in (listing, firm, actions, stripe_actions, manual_actions, money_actions, health):
        part.join()
