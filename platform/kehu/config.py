"""Settings: declared once, read from the environment only here, checked at start, then frozen."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


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
    billing_mode: str = _setting(
        "KEHU_BILLING_MODE", "off", "off, demo (no money moves), manual (bank transfer) or stripe"
    )
    seat_limit: int = _setting(
        "KEHU_SEAT_LIMIT", 0, "Most members of a firm while billing is off; 0 for any number"
    )
    seller: str = _setting(
        "KEHU_SELLER", "", "Who writes invoices in the mode manual: name; street; town; tax id; bank"
    )
    stripe_key: str = _setting("KEHU_STRIPE_KEY", "", "Secret key of Stripe, sk_… or rk_…; mode stripe only")
    stripe_webhook_secret: str = _setting(
        "KEHU_STRIPE_WEBHOOK_SECRET", "", "Signing secrets of Stripe's webhooks, by comma while one is rolled"
    )
    stripe_url: str = _setting(
        "KEHU_STRIPE_URL", "", "Another address than Stripe's own; test keys only, https or this machine"
    )
    stripe_test_key_ok: bool = _setting(
        "KEHU_STRIPE_TEST_KEY_OK", False, "Let a production installation run with a test key of Stripe"
    )
    stripe_tax: bool = _setting(
        "KEHU_STRIPE_TAX", False, "Let Stripe Tax work taxes out, instead of the catalogue's fixed rates"
    )
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
    dns_server: str = _setting(
        "KEHU_DNS_SERVER",
        "",
        "Name server that checks firms' own domains, as 192.0.2.1:53; else the system's",
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
    if settings.dns_server and not re.fullmatch(r"[0-9a-fA-F.:]+:\d{1,5}", settings.dns_server):
        raise ConfigError(
            f"KEHU_DNS_SERVER is {settings.dns_server!r}; write address and port, as 192.0.2.1:53."
        )
    _check_billing(settings)


def _check_billing(settings: Settings) -> None:
    """Refuse what could charge by mistake, or make a hosted service free by mistake."""
    mode, key = settings.billing_mode, settings.stripe_key
    if mode not in ("off", "manual", "demo", "stripe"):
        raise ConfigError(f"KEHU_BILLING_MODE is {mode!r}; write off, manual, demo or stripe.")
    if settings.seat_limit < 0:
        raise ConfigError(f"KEHU_SEAT_LIMIT is {settings.seat_limit}; write 0 or a number of members.")
    if mode != "stripe":
        if key:
            raise ConfigError(
                f"KEHU_STRIPE_KEY is set while KEHU_BILLING_MODE is {mode}; "
                "set KEHU_BILLING_MODE=stripe, or take the key away."
            )
        if mode == "manual" and not settings.seller:
            raise ConfigError(
                "KEHU_SELLER is missing; invoices of the mode manual name who writes them: "
                "name; street; town; tax id; bank account."
            )
        return
    kind = re.match(r"(?:sk|rk)_(test|live)_\w", key)
    if kind is None:
        raise ConfigError(
            "KEHU_STRIPE_KEY is missing or no secret key; write the sk_… or rk_… key of Stripe."
        )
    if not settings.stripe_webhook_secret:
        raise ConfigError("KEHU_STRIPE_WEBHOOK_SECRET is missing; write the whsec_… of the webhook endpoint.")
    if settings.stripe_url:
        _check_stripe_url(settings.stripe_url, kind[1])
    if kind[1] == "test" and settings.environment == "production" and not settings.stripe_test_key_ok:
        raise ConfigError(
            "KEHU_STRIPE_KEY is a test key in production, so that nobody would be charged; "
            "set a live key, or KEHU_STRIPE_TEST_KEY_OK=1 if that is meant."
        )


def _check_stripe_url(url: str, kind: str) -> None:
    parts = urlsplit(url)
    if kind == "live":
        raise ConfigError(
            "KEHU_STRIPE_URL is set with a live key; live keys go to Stripe alone: take it away."
        )
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise ConfigError(f"KEHU_STRIPE_URL is {url!r}; write an https address, or http on this machine.")
