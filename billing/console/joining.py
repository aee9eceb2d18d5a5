"""Putting billing's parts into the console when the application is made."""

from __future__ import annotations

from flask import Flask

from billing.console import actions, firm, listing


def join(app: Flask) -> None:
    """Register everything that billing has for operators."""
    for part in (listing, firm, actions):
        part.join()
