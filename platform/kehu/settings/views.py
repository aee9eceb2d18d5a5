"""Settings: the overview, and the pages that belong to no other feature."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from kehu.core import context
from kehu.core.context import Context
from kehu.core.i18n import _, _l
from kehu.settings.pages import SettingsPage, pages_for, register
from kehu.web.access import signed_in
from kehu.web.render import render_page
from kehu.web.shell import NavItem, shell_of

blueprint = Blueprint("settings", __name__)

register(
    SettingsPage(
        key="firm",
        label=_l("Firm"),
        text=_l("Name, country, currency, time zone, language"),
        url="/settings/firm",
        icon="building",
        permission="settings:manage",
        order=10,
    ),
    SettingsPage(
        key="members",
        label=_l("Members"),
        text=_l("Who works here, and as what"),
        url="/settings/members",
        icon="users",
        permission="members:read",
        order=20,
    ),
    SettingsPage(
        key="teams",
        label=_l("Teams"),
        text=_l("Groups of members that share a view of the records"),
        url="/settings/teams",
        icon="users-group",
        permission="members:manage",
        order=30,
    ),
    SettingsPage(
        key="roles",
        label=_l("Roles"),
        text=_l("What each role may do, and with whose records"),
        url="/settings/roles",
        icon="shield-check",
        permission="roles:manage",
        order=40,
    ),
    SettingsPage(
        key="plugins",
        label=_l("Plugins"),
        text=_l("Functions for your trade"),
        url="/settings/plugins",
        icon="puzzle",
        permission="plugins:manage",
        order=60,
    ),
    SettingsPage(
        key="tokens",
        label=_l("API tokens"),
        text=_l("Keys for other programs"),
        url="/settings/tokens",
        icon="key",
        permission="tokens:manage",
        order=70,
    ),
    SettingsPage(
        key="audit",
        label=_l("Changes"),
        text=_l("Who changed what, when and from where"),
        url="/settings/audit",
        icon="history",
        permission="audit:read",
        order=80,
    ),
    SettingsPage(
        key="jobs",
        label=_l("Failed jobs"),
        text=_l("Work in the background that needs a look"),
        url="/settings/jobs",
        icon="refresh",
        permission="jobs:manage",
        order=90,
    ),
)


PARTS: tuple[tuple[Any, int, int], ...] = (
    (_l("Your firm and its people"), 0, 45),
    (_l("How you work"), 45, 60),
    (_l("Plugins, programs and upkeep"), 60, 10_000),
)
"""The parts of the overview, by the order of the pages in them."""


@blueprint.get("/settings")
@signed_in
def index() -> Any:
    """List the settings that the member may open."""
    groups = [
        (label, [page for page in pages_for(context.actor()) if first <= page.order < end])
        for label, first, end in PARTS
    ]
    return render_page("settings/index.html", groups=[group for group in groups if group[1]])


@blueprint.record_once
def _join(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    shell_of(app).nav.append(_nav)
    shell_of(app).places.append(_places)
    app.jinja_env.globals["settings_pages"] = lambda: pages_for(context.actor())


def _places(now: Context) -> Iterable[NavItem]:
    if now.actor is not None:
        for page in pages_for(now.actor):
            yield NavItem(key=f"settings-{page.key}", label=str(page.label), url=page.url, icon=page.icon)


def _nav(now: Context) -> Iterable[NavItem]:
    if now.actor is not None and pages_for(now.actor):
        yield NavItem(
            key="settings",
            label=_("Settings"),
            url="/settings",
            icon="settings",
            hotkey="g s",
            group="office",
            fixed=True,
        )


from kehu.settings import (  # noqa: E402, F401 - routes
    audit_views,
    job_views,
    plugin_settings_views,
    plugin_views,
    token_views,
)
