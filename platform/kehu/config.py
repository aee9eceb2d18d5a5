"""Settings: declared once, read from the environment only here, checked at start, then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class ConfigError(ValueError):
    """Raised at start when a setting is missing or wrong; names the variable and the remedy."""


def _setting(env: str, default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"env": env, "help": help_text})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings of an installation. `docs/operating.md` lists them; a test compares."""

    environment: str = _setting("KEHU_ENV", "production", "development, test or production")
    secret_key: str = _setting("KEHU_SECRET_KEY", "", "Signs cookies and links; 32 random characters or more")
    database_url: str = _setting("KEHU_DATABASE_URL", "", "PostgreSQL as the owner role: migrations only")
    app_database_url: str = _setting(
        "KEHU_APP_DATABASE_URL", "", "PostgreSQL as the unprivileged role: web and worker"
    )
    cross_database_url: str = _setting(
        "KEHU_CROSS_DATABASE_URL", "", "PostgreSQL as the role with BYPASSRLS: named cross-tenant work"
    )
    base_domain: str = _setting("KEHU_BASE_DOMAIN", "localhost", "Tenants live at <address>.<base domain>")
    port: int = _setting("KEHU_PORT", 8000, "Port of the web server")
    https: bool = _setting("KEHU_HTTPS", True, "Whether people reach the site by https; marks cookies Secure")
    proxies: int = _setting("KEHU_PROXIES", 0, "Number of trusted reverse proxies in front (X-Forwarded-*)")
    mail_url: str = _setting(
        "KEHU_MAIL_URL", "", "smtp://user:password@host:port or smtps://…; empty sends no mail"
    )
    mail_from: str = _setting(
        "KEHU_MAIL_FROM", "Kehu <noreply@localhost>", "Sender of the product's own mails"
    )
    var: Path = _setting("KEHU_VAR", Path("var"), "Folder for uploaded files and the embedded database")
    billing_mode: str = _setting("KEHU_BILLING_MODE", "off", "off: nothing is charged")
    safe_mode: bool = _setting("KEHU_SAFE_MODE", False, "Start with built-in plugins only")
    plugins_block: str = _setting("KEHU_PLUGINS_BLOCK", "", "Slugs of plugins that must not load, by comma")
    upload_mb: int = _setting("KEHU_UPLOAD_MB", 110, "Largest upload in MB")
    slow_query_ms: int = _setting(
        "KEHU_SLOW_QUERY_MS", 200, "Queries over this are logged; 0 switches it off"
    )
    api_rate: str = _setting("KEHU_API_RATE", "600 per minute", "Requests a token may make")
    signup_rate: str = _setting(
        "KEHU_SIGNUP_RATE", "10 per hour", "Sign-ups and log-ins tried from one address"
    )
    pool_size: int = _setting("KEHU_POOL_SIZE", 5, "Database connections kept by each web process")
    webhooks_private: bool = _setting(
        "KEHU_WEBHOOKS_PRIVATE", False, "Let webhooks go to http and private addresses: trials only"
    )
    log_level: str = _setting("KEHU_LOG_LEVEL", "INFO", "DEBUG, INFO, WARNING or ERROR")

    @property
    def development(self) -> bool:
        """Whether this is a developer's or a trial installation (`make run`)."""
        return self.environment == "development"

    @property
    def testing(self) -> bool:
        """Whether the test suite runs."""
        return self.environment == "test"

    def base_url(self, address: str | None = None) -> str:
        """Return the public address of the site, or of a tenant within it."""
        host = f"{address}.{self.base_domain}" if address else self.base_domain
        port = "" if self.https else f":{self.port}"
        return f"{'https' if self.https else 'http'}://{host}{port}"


def _convert(name: str, raw: str, kind: Any) -> Any:
    if kind in ("bool", bool):
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() in ("0", "false", "no", "off", ""):
            return False
        raise ConfigError(f"{name} is {raw!r}; write 1 or 0.")
    if kind in ("int", int):
        try:
            return int(raw)
        except ValueError as error:
            raise ConfigError(f"{name} is {raw!r}; write a whole number.") from error
    return Path(raw) if kind in ("Path", Path) else raw


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment and check them.

    :raises ConfigError: names the variable and the remedy.
    """
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for spec in fields(Settings):
        name = spec.metadata["env"]
        if name in env:
            values[spec.name] = _convert(name, env[name], spec.type)
    values.update(overrides)
    settings = Settings(**values)
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if settings.environment not in ("development", "test", "production"):
        raise ConfigError(f"KEHU_ENV is {settings.environment!r}; write development, test or production.")
    if len(settings.secret_key) < 32:
        raise ConfigError("KEHU_SECRET_KEY is missing or short; set 32 random characters or more.")
    if not settings.app_database_url:
        raise ConfigError("KEHU_APP_DATABASE_URL is missing; name the database as the role kehu_app.")
    if settings.billing_mode != "off":
        raise ConfigError(f"KEHU_BILLING_MODE is {settings.billing_mode!r}; this release knows only off.")
