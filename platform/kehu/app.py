"""The application factory: an ordered list of named steps; it neither queries, migrates nor waits."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from kehu import schema
from kehu.config import Settings, load_settings
from kehu.core import db, jobs, logging
from kehu.members.loading import actor_of_job
from kehu.web import security

FEATURES = (
    "accounts",
    "members",
    "calendars",
    "consent",
    "customers",
    "deals",
    "items",
    "relations",
    "booking",
    "tickets",
    "activities",
    "files",
    "messages",
    "offers",
    "surveys",
    "timeline",
    "views",
    "rewind",
    "search",
    "dashboard",
    "imports",
    "reports",
    "settings",
    "addons",
    "webhooks",
    "rest",
    "merging",
    "privacy",
    "segments",
    "rules",
    "fields",
    "freshness",
    "flows",
    "suggestions",
    "watch",
    "dev",
)
"""The core's features, in the order in which their pages and record types are registered."""

SYSTEM_PARTS = ("tenants", "billing")
"""Floors 3 and 4; they join through the hook specifications."""


def create_app(settings: Settings | None = None, **overrides: Any) -> Flask:
    """Return the application, built from the installed parts.

    :param settings: read from the environment when not given.
    :param overrides: single settings, by name.
    """
    settings = settings or load_settings(**overrides)
    logging.setup_logging(settings.log_level)
    app = Flask("kehu", static_folder=None)
    configure(app, settings)
    connect_database(settings)
    load_feature_parts("permissions", "records", "tasks")
    init_web(app)
    init_plugins(app, settings)
    security.protect_forms(app)
    register_pages(app)
    finish(app)
    jobs.bind(app, actor_of_job)
    return app


def configure(app: Flask, settings: Settings) -> None:
    """Translate the settings into Flask's."""
    app.extensions["kehu.settings"] = settings
    app.config.update(
        SECRET_KEY=settings.secret_key,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.upload_mb * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        SESSION_COOKIE_NAME="kehu_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=60 * 60 * 24 * 30,
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        TEMPLATES_AUTO_RELOAD=settings.development,
    )
    if settings.proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )


def connect_database(settings: Settings) -> None:
    """Make the engines and complete the metadata; nothing connects yet."""
    db.init_engines(settings)
    schema.load_core()
    logging.watch_queries(db.engine("app"), settings.slow_query_ms)


def load_feature_parts(*parts: str) -> None:
    """Import the named modules of each feature, where it has them; importing registers what they declare."""
    for feature in FEATURES:
        for part in parts:
            name = f"kehu.{feature}.{part}"
            if find_spec(name) is not None:
                import_module(name)


def init_web(app: Flask) -> None:
    """Install language, edge, accounts, errors and the frame of pages."""
    from kehu.accounts import security as accounts
    from kehu.web import edge, errors, language, limits, shell, templates

    templates.init_templates(app, FEATURES)
    language.init_language(app)
    edge.init_edge(app)
    security.init_security(app)
    accounts.init_accounts(app)
    limits.init_limits(app)
    errors.init_errors(app)
    shell.init_shell(app)


def init_plugins(app: Flask, settings: Settings) -> None:
    """Find and start the plugins; a bad one is reported, never fatal."""
    from kehu.addons import start

    start.start(app, settings, SYSTEM_PARTS)


def register_pages(app: Flask) -> None:
    """Register the pages of every feature, then its REST resources."""
    for feature in FEATURES:
        if find_spec(f"kehu.{feature}.views") is not None:
            views = import_module(f"kehu.{feature}.views")
            app.register_blueprint(views.blueprint)
    from kehu.rest import setup

    setup.init_rest(app, FEATURES)


def finish(app: Flask) -> None:
    """Let the floors above and the plugins add their pages."""
    from kehu.addons import start

    start.mount(app)
