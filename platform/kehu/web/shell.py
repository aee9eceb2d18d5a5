"""Give every page what its frame needs: macros, filters, navigation, language, theme.

Other parts add to the frame by registering providers: ``shell_of(app).nav.append(function)``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, has_request_context, request, url_for
from flask_babel import get_locale
from jinja2 import StrictUndefined
from markupsafe import Markup

from kehu.core.context import Context, current
from kehu.core.i18n import LOCALES, day_text, html_lang, whole
from kehu.web import charts, compress, panels, toasts, widgets, words
from kehu.web.static import asset_url, init_static
from plugins.relay import running

THEMES = ("light", "dark")
THEME_COOKIE = "kehu_theme"
DENSITY_COOKIE = "kehu_density"
_EXTENSION = "kehu.shell"
_LAYERS = "kehu.layers"
HIDDEN_LINES = "hidden_lines"
"""Under which name a member's settings hold the lines of the side bar that he does not want to see."""

GROUPS = ("work", "plugins", "office")
"""The parts of the side bar from above: the daily work, what plugins add, what is seldom opened."""


@dataclass(frozen=True, slots=True)
class NavItem:
    """One line of the side bar.

    :param key: compared with ``data-nav`` of ``<main>`` to mark the current section.
    :param hotkey: key sequence, for example ``g d``.
    :param phone: stands in the bottom bar on phones too.
    :param group: the part of the side bar, one of `GROUPS`.
    :param fixed: can't be hidden.
    """

    key: str
    label: str
    url: str
    icon: str
    count: int | None = None
    hotkey: str = ""
    phone: bool = False
    group: str = "work"
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class SideLines:
    """The lines of the side bar in their order, and those of them that the member hides."""

    every: list[NavItem]
    hidden: list[NavItem]

    @property
    def shown(self) -> list[NavItem]:
        """The lines that stand in the side bar."""
        return [item for item in self.every if item not in self.hidden]


@dataclass(frozen=True, slots=True)
class Command:
    """One entry of the create menu and of the palette."""

    label: str
    url: str
    icon: str = "plus"
    hotkey: str = ""
    dialog: bool = True


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A saved view in the side bar."""

    label: str
    url: str
    hue: int = 1


@dataclass(frozen=True, slots=True)
class Checklist:
    """How far the first steps have come."""

    done: int
    total: int
    url: str


@dataclass(frozen=True, slots=True)
class TenantLink:
    """Another firm the member may switch to."""

    name: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Banner:
    """A line above every page: what needs somebody, and the one next step.

    :param tone: ``info``, ``warn`` or ``bad``.
    :param label: of the step; without one the line only tells.
    """

    text: str
    tone: str = "info"
    label: str = ""
    url: str = ""


@dataclass(slots=True)
class Shell:
    """Who fills the frame; each provider gets the context of the request."""

    nav: list[Callable[[Context], Iterable[NavItem]]] = field(default_factory=list)
    places: list[Callable[[Context], Iterable[NavItem]]] = field(default_factory=list)
    """Pages without a line of their own, which the palette finds."""
    commands: list[Callable[[Context], Iterable[Command]]] = field(default_factory=list)
    saved_views: list[Callable[[Context], Iterable[ViewLink]]] = field(default_factory=list)
    tenants: list[Callable[[Context], Iterable[TenantLink]]] = field(default_factory=list)
    banners: list[Callable[[Context], Iterable[Banner]]] = field(default_factory=list)
    operator: list[Callable[[], Iterable[NavItem]]] = field(default_factory=list)
    """Pages of whoever runs the installation, in the order in which they were added."""
    checklist: Callable[[Context], Checklist | None] | None = None
    remember_language: list[Callable[[Context, str], None]] = field(default_factory=list)

    def lines(self, context: Context) -> SideLines:
        """Return the lines of the side bar for a member: work first, then plugins, what is seldom opened last."""
        every = [item for provider in self.nav for item in provider(context)]
        every.sort(key=lambda item: GROUPS.index(item.group))
        kept = context.actor.prefs.get(HIDDEN_LINES) if context.actor else None
        unwanted = set(kept) if isinstance(kept, list) else set()
        return SideLines(every, [item for item in every if item.key in unwanted and not item.fixed])

    def collect(self, context: Context) -> dict[str, Any]:
        """Return the lists of the frame for a member."""
        lines = self.lines(context)
        return {
            "nav": lines.shown,
            "nav_hidden": lines.hidden,
            "phone": [item for item in lines.every if item.phone][:3],
            "commands": [item for provider in self.commands for item in provider(context)],
            "saved_views": [item for provider in self.saved_views for item in provider(context)],
            "tenants": [item for provider in self.tenants for item in provider(context)],
            "checklist": self.checklist(context) if self.checklist else None,
        }


class _Macros:
    """The macros of ``kehu/ui.html`` as attributes, so that no template has to import them."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._module: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._module is None or self._app.debug:
            self._module = self._app.jinja_env.get_template("kehu/ui.html").module
        return getattr(self._module, name)


def shell_of(app: Flask) -> Shell:
    """Return the frame of an application, to add providers to it."""
    found: Shell = app.extensions[_EXTENSION]
    return found


def theme() -> str:
    """Return the theme the browser asked for, or nothing to follow the system."""
    chosen = request.cookies.get(THEME_COOKIE, "") if has_request_context() else ""
    return chosen if chosen in THEMES else ""


def language_links(target: str = "") -> list[dict[str, Any]]:
    """Return the languages with their own names and the address that switches to each.

    :param target: the page to come back to, when it is not the present one.
    """
    now = str(get_locale())
    if not target:
        target = request.full_path.rstrip("?") if has_request_context() and request.method == "GET" else "/"
    return [
        {
            "code": code,
            "name": name,
            "lang": html_lang(code),
            "current": code == now,
            "url": f"/language/{code}?{urlencode({'next': target})}",
        }
        for code, name in LOCALES.items()
    ]


def _no_token() -> str:
    return ""


def asset_or_nothing(name: str) -> str:
    """Return the address of a built file, or nothing: for the page that must always work."""
    try:
        return asset_url(name)
    except (KeyError, OSError):
        return ""


class _Lazy:
    """Ask the providers once a request, and only when a whole page is drawn."""

    def __init__(self) -> None:
        self._values: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if self._values is None:
            # The frame is the platform's own, also around a plugin's page: what it keeps may be committed.
            token = running.set(None)
            try:
                self._values = shell_of(current_app).collect(current())
            finally:
                running.reset(token)
        return self._values[name]


def _frame() -> _Lazy:
    found: _Lazy | None = g.get("kehu_frame")
    if found is None:
        found = g.kehu_frame = _Lazy()
    return found


def _context() -> dict[str, Any]:
    now = current()
    return {
        "tenant": now.tenant,
        "member": now.actor,
        "theme": theme(),
        "density": request.cookies.get(DENSITY_COOKIE, "") if has_request_context() else "",
        "locale": str(get_locale() or "en"),
        "locales": language_links(),
        "frame": _frame(),
    }


def frame_banners() -> list[Banner]:
    """Return the lines above the page; their providers ask the database nothing."""
    now = current()
    return [one for provider in shell_of(current_app).banners for one in provider(now)]


def _operator_pages() -> list[NavItem]:
    return [item for provider in shell_of(current_app).operator for item in provider()]


def _may(permission: str) -> bool:
    actor = current().actor
    return bool(actor and actor.may(permission))


def _endpoint_exists(name: str) -> bool:
    return name in current_app.view_functions


def url_or_none(endpoint: str, **values: Any) -> str | None:
    """Return the address of an endpoint, or nothing when no part of the product registered it."""
    return url_for(endpoint, **values) if _endpoint_exists(endpoint) else None


def layers() -> Markup:
    """Return the dialogs that every page of a language shares, drawn once a process."""
    kept: dict[str, Markup] = current_app.extensions.setdefault(_LAYERS, {})
    locale = str(get_locale())
    if locale not in kept or current_app.jinja_env.auto_reload:
        kept[locale] = Markup(current_app.jinja_env.get_template("kehu/_layers.html").render())  # noqa: S704 - our template
    return kept[locale]


def init_shell(app: Flask) -> None:
    """Add the frame, the macros and the static files to an application."""
    app.extensions[_EXTENSION] = Shell()
    environment = app.jinja_env
    environment.undefined = StrictUndefined
    environment.trim_blocks = True
    environment.lstrip_blocks = True
    for name in ("jinja2.ext.i18n", "jinja2.ext.do"):
        environment.add_extension(name)
    environment.globals.update(
        ui=_Macros(app),
        icon=widgets.icon,
        avatar=widgets.avatar,
        pick_cell=widgets.pick_cell,
        lead_cell=widgets.lead_cell,
        badge=widgets.badge,
        tag=widgets.tag,
        charts=charts,
        asset_url=asset_url,
        asset_or_nothing=asset_or_nothing,
        attributes=widgets.attributes,
        take_toasts=toasts.take_toasts,
        may=_may,
        url_or_none=url_or_none,
        words=words.words,
        key_groups=words.key_groups,
        slot_panels=panels.slot_panels,
        record_actions=panels.record_actions,
        frame_banners=frame_banners,
        operator_pages=_operator_pages,
        layers=layers,
    )
    environment.globals.setdefault("csrf_token", _no_token)
    environment.filters.update(
        money=widgets.money,
        reltime=widgets.reltime,
        day=widgets.day,
        day_text=day_text,
        exact=widgets.exact,
        initials=widgets.initials,
        hue_of=widgets.hue_of,
        plain=widgets.plain,
        whole=whole,
        html_lang=html_lang,
    )
    app.context_processor(_context)
    compress.init_compression(app)
    toasts.init_toasts(app)
    init_static(app)
    _add_pages(app)


def _add_pages(app: Flask) -> None:
    # Imported here: the pages need the frame that this module declares.
    from kehu.web import pages, side_bar, style_page

    app.register_blueprint(pages.blueprint)
    app.register_blueprint(side_bar.blueprint)
    settings = app.extensions.get("kehu.settings")
    if settings is not None and settings.development:
        app.register_blueprint(style_page.blueprint)
