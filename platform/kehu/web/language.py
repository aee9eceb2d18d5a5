"""Language and time zone of a request."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from flask import Flask, g, has_app_context, request
from flask_babel import Babel, Domain, get_domain
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from kehu.core import context
from kehu.core.i18n import LOCALES, match_locale, whole

COOKIE = "kehu_locale"

FOLDER = Path(__file__).parents[1] / "locale"
"""The platform's own catalogues."""


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

    Flask-Babel forgets `babel_translations` itself when the language is forced or refreshed. Behind the platform's
    texts stand those of the plugins: they add words, and change none.
    """

    def __init__(self, domain: str = "messages") -> None:
        super().__init__(domain=domain)
        self._plugins: tuple[tuple[str, Path], ...] = ()
        self._complete: set[int] = set()

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """Translate a text with a plural; its number is written with separators."""
        text = self.get_translations().ungettext(singular, plural, num)
        return str(text % {"num": whole(num), **variables})

    def add_plugins(self, catalogues: Iterable[tuple[str, Path]]) -> None:
        """Look for texts that the platform has not in the plugins' catalogues too.

        :param catalogues: slug and folder `locale` of each plugin, in the order in which they are asked.
        """
        self._plugins = tuple(catalogues)
        self.cache.clear()
        self._complete.clear()

    def get_translations(self) -> Any:
        """Return the catalogue of the present language."""
        kept = getattr(g, "_flask_babel", None) if has_app_context() else None
        found = getattr(kept, "babel_translations", None)
        if found is None:
            found = super().get_translations()
            if self._plugins and id(found) not in self._complete:
                self._complete.add(id(found))
                self._add_fallbacks(found)
            if kept is not None:
                kept.babel_translations = found
        return found

    def _add_fallbacks(self, translations: Any) -> None:
        for slug, folder in self._plugins:
            file = folder / choose_locale() / "LC_MESSAGES" / f"{slug}.po"
            if file.is_file():
                translations.add_fallback(read_catalogue(file))


def read_catalogue(file: Path) -> Translations:
    """Return the translations of a catalogue as people write it; nothing has to be compiled."""
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.parts[-3])
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def init_language(app: Flask) -> None:
    """Install Flask-Babel with our catalogues."""
    babel = Babel(
        app,
        locale_selector=choose_locale,
        timezone_selector=choose_zone,
        default_translation_directories=str(app.config.get("KEHU_LOCALE_DIR") or FOLDER),
        default_domain="messages",
    )
    babel.domain_instance = KeptDomain(domain="messages")
    app.jinja_env.globals["ngettext"] = _counted


@pass_context
def _counted(found: Context, singular: str, plural: str, num: int, **variables: Any) -> str:
    """Do in templates what `ngettext` of the domain does in Python: Jinja fills the placeholders itself."""
    text = get_domain().get_translations().ungettext(singular, plural, num)
    written = Markup(text) if found.eval_ctx.autoescape else text  # noqa: S704 - our text; what fills it is escaped
    return written % {"num": whole(num), **variables}


def add_plugin_texts(app: Flask, catalogues: Iterable[tuple[str, Path]]) -> None:
    """Let the plugins bring their own translations: slug and folder `locale` of each."""
    app.extensions["babel"].instance.domain_instance.add_plugins(catalogues)
