"""Language and time zone of a request."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, has_app_context, request
from flask_babel import Babel, Domain

from kehu.core import context
from kehu.core.i18n import LOCALES, match_locale

COOKIE = "kehu_locale"


def choose_locale() -> str:
    """Return the language: the person's own, else the cookie's, the tenant's, the browser's, else English."""
    now = context.current()
    if now.actor is not None and now.actor.locale in LOCALES:
        return now.actor.locale
    try:
        chosen = match_locale(request.cookies.get(COOKIE))
        if chosen:
            return chosen
        if now.tenant is not None:
            return match_locale(now.tenant.locale) or "en"
        for tag, _quality in request.accept_languages:
            if found := match_locale(tag):
                return found
    except RuntimeError:
        # Outside of a request (jobs) the tenant's language counts; tasks force it.
        return match_locale(now.tenant.locale) or "en" if now.tenant is not None else "en"
    return "en"


def choose_zone() -> str:
    """Return the tenant's time zone."""
    tenant = context.current().tenant
    return tenant.zone if tenant is not None else "UTC"


class KeptDomain(Domain):
    """Finds the catalogue once for a request: pages ask for hundreds of texts.

    Flask-Babel forgets `babel_translations` itself when the language is forced or refreshed.
    """

    def get_translations(self) -> Any:
        """Return the catalogue of the present language."""
        kept = getattr(g, "_flask_babel", None) if has_app_context() else None
        found = getattr(kept, "babel_translations", None)
        if found is None:
            found = super().get_translations()
            if kept is not None:
                kept.babel_translations = found
        return found


def init_language(app: Flask) -> None:
    """Install Flask-Babel with our catalogues."""
    babel = Babel(
        app,
        locale_selector=choose_locale,
        timezone_selector=choose_zone,
        default_translation_directories=str(app.config.get("KEHU_LOCALE_DIR") or _folder()),
        default_domain="messages",
    )
    babel.domain_instance = KeptDomain(domain="messages")


def _folder() -> str:
    from pathlib import Path

    return str(Path(__file__).parents[1] / "locale")
