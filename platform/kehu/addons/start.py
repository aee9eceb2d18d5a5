"""Starts the plugins with the application and hands the relay what it needs of the database."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask

from kehu.addons import (
    calls,
    fields,
    frame,
    incidents,
    pages,
    records,
    starters,
    tasks,
)
from kehu.addons import (
    settings as plugin_settings,
)
from kehu.config import Settings
from kehu.core import db, hooks, permissions
from kehu.web import language
from plugins.finder import manifest_path
from plugins.host import start_plugins
from plugins.path_guard import install_path_guard


def start(app: Flask, settings: Settings, parts: Sequence[str]) -> None:
    """Find, load and register all plugins; their permissions join the registry."""
    host = start_plugins(
        system=parts,
        safe_mode=settings.safe_mode,
        blocked=[slug.strip() for slug in settings.plugins_block.split(",") if slug.strip()],
        on_fault=incidents.record,
        savepoint=lambda: db.session().begin_nested(),
        strict=settings.testing,
    )
    hooks.bind(host)
    app.extensions["kehu.plugins"] = host
    records.join(host)
    fields.join(host)
    plugin_settings.join(host)
    starters.join(host)
    for slug, permission in host.declarations.permissions:
        permissions.register(
            permissions.Permission(code=permission.code, sentence=permission.description, plugin=slug)
        )
    calls.connect_events()
    tasks.schedule_all()
    install_path_guard(app, hooks.enabled, pages.explain_held)


def mount(app: Flask) -> None:
    """Add the pages of plugins and of the floors above."""
    host = hooks.host()
    host.mount(app)
    language.add_plugin_texts(
        app,
        [
            (one.slug, manifest_path(one.module).parent / "locale")
            for one in host.installed.ready
            if not one.system
        ],
    )
    records.mount(app)
    frame.init_frame(app)
    host.relay.collect("kehu_init_app", app=app)
    pages.contain(app)
