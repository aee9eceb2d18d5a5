"""Asks each plugin once what it adds, and checks that everything carries its name."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Final

from pluggy import PluginManager

from plugins.blueprint import PluginBlueprint
from plugins.contracts import RecordDeclaration
from plugins.offering import OfferSource
from plugins.records import Installed, PluginRecord, State
from plugins.relay import PluginError, Relay, location_of
from plugins.reporting import Report
from plugins.results import (
    Criterion,
    CustomField,
    JobDef,
    NavItem,
    Panel,
    Permission,
    RecordAction,
    SettingsSchema,
)
from plugins.sending import MessageTemplate
from plugins.starters import Starter

log = logging.getLogger(__name__)

_MOST_LINES: Final = 5


@dataclass(slots=True)
class Declarations:
    """Everything that is declared at boot, each with the slug of its plugin."""

    routes: list[tuple[str, PluginBlueprint]] = field(default_factory=list)
    permissions: list[tuple[str, Permission]] = field(default_factory=list)
    records: list[tuple[str, RecordDeclaration]] = field(default_factory=list)
    custom_fields: list[tuple[str, CustomField]] = field(default_factory=list)
    navigation: list[tuple[str, NavItem]] = field(default_factory=list)
    panels: list[tuple[str, Panel]] = field(default_factory=list)
    actions: list[tuple[str, RecordAction]] = field(default_factory=list)
    jobs: list[tuple[str, JobDef]] = field(default_factory=list)
    settings: list[tuple[str, SettingsSchema]] = field(default_factory=list)
    reports: list[tuple[str, Report]] = field(default_factory=list)
    messages: list[tuple[str, MessageTemplate]] = field(default_factory=list)
    offer_sources: list[tuple[str, OfferSource]] = field(default_factory=list)
    starters: list[tuple[str, Starter]] = field(default_factory=list)
    segments: list[tuple[str, Criterion]] = field(default_factory=list)

    def extend(self, other: "Declarations") -> None:
        """Take over what one plugin declares."""
        for one in fields(self):
            getattr(self, one.name).extend(getattr(other, one.name))

    def without(self, slug: str) -> "Declarations":
        """Return all but what one plugin declares."""
        return Declarations(
            **{
                one.name: [entry for entry in getattr(self, one.name) if entry[0] != slug]
                for one in fields(self)
            }
        )


class ForeignNameError(ValueError):
    """Raised when a plugin declares something under a name that is not its own."""


def collect_declarations(installed: Installed, relay: Relay, manager: PluginManager) -> Declarations:
    """Return what all ready plugins declare.

    One that fails or uses foreign names becomes broken and is taken out.
    """
    everything = Declarations()
    for record in installed.ready:
        try:
            everything.extend(_declared(record, relay))
        except (PluginError, ForeignNameError) as error:
            log.error("plugin %s is left out", record.slug, exc_info=error)
            mark_broken(installed, record, relay, manager, str(error), error)
    return everything


def mark_broken(
    installed: Installed,
    record: PluginRecord,
    relay: Relay,
    manager: PluginManager,
    reason: str,
    error: BaseException | None = None,
) -> None:
    """Take a plugin out after it was registered: none of its hooks is called any more.

    :param error: what was raised; the place in the plugin's code is added to the reason.
    """
    place = _place(manager.get_plugin(record.slug), reason, error)
    manager.unregister(name=record.slug)
    relay.forget()
    remedy = "Tell the plugin's author, or block it in KEHU_PLUGINS_BLOCK."
    installed.put(record.moved(State.BROKEN, f"{reason} ({place})" if place else reason, remedy))


def _place(plugin: Any, reason: str, error: BaseException | None) -> str:
    """Return file and line of the hook that a reason names, as `kehu_dentist.hooks:34`."""
    named = re.search(r"\bkehu_[a-z_]+", reason)
    hook = getattr(plugin, named[0], None) if named else None
    if hook is None:
        return ""
    return location_of((error and error.__cause__) or error or Exception(), hook)


def _declared(record: PluginRecord, relay: Relay) -> Declarations:
    slug = record.slug

    def ask(hook: str, check: Callable[[Any], str | None]) -> list[tuple[str, Any]]:
        entries = list(relay.run_one(hook, slug) or ())
        if not record.system:
            for entry in entries:
                problem = check(entry)
                if problem:
                    raise ForeignNameError(f"{hook}: {problem}")
        return [(slug, entry) for entry in entries]

    def own_endpoint(endpoint: str) -> str | None:
        blueprint = endpoint.partition(".")[0]
        if blueprint == slug or blueprint.startswith(f"{slug}_"):
            return None
        return f"the endpoint {endpoint!r} is not the plugin's own. Use a route of its blueprint {slug!r}."

    def own_code(code: str) -> str | None:
        if code.startswith(f"{slug}."):
            return None
        return (
            f'the permission {code!r} does not carry the plugin\'s name. Write it as "{slug}.thing:action".'
        )

    declared = Declarations(
        routes=ask("kehu_register_routes", lambda one: own_endpoint(f"{one.name}.x")),
        permissions=ask("kehu_register_permissions", lambda one: own_code(one.code)),
        records=ask("kehu_register_records", _records(slug)),
        custom_fields=ask("kehu_register_custom_fields", _once(lambda one: f"{one.object}.{one.field.key}")),
        navigation=ask("kehu_register_navigation", lambda one: own_endpoint(one.endpoint)),
        panels=ask("kehu_register_panels", lambda one: own_endpoint(one.endpoint)),
        actions=ask("kehu_register_actions", lambda one: own_endpoint(one.endpoint)),
        jobs=ask("kehu_register_jobs", _once(lambda one: one.name)),
        settings=ask("kehu_register_settings", _once(lambda _one: "the settings")),
        reports=ask("kehu_register_reports", _once(lambda one: one.name)),
        messages=ask("kehu_register_messages", lambda one: _own_key(slug, one.key)),
        offer_sources=ask("kehu_offer_sources", lambda one: _own_key(slug, one.key)),
        starters=ask("kehu_register_starters", _once(lambda one: one.key)),
        segments=ask("kehu_register_segments", lambda one: _own_key(slug, one.key)),
    )
    if len(declared.navigation) > _MOST_LINES and not record.system:
        raise ForeignNameError(
            f"kehu_register_navigation: {len(declared.navigation)} lines; {_MOST_LINES} are allowed."
        )
    return declared


def _once(name: Callable[[Any], str]) -> Callable[[Any], str | None]:
    """Return a check that no name comes twice."""
    seen: set[str] = set()

    def check(entry: Any) -> str | None:
        twice = name(entry) in seen
        seen.add(name(entry))
        return f"{name(entry)!r} is declared twice." if twice else None

    return check


def _records(slug: str) -> Callable[[RecordDeclaration], str | None]:
    """Return a check of the names of records: the plugin's slug in front, and each once."""
    once = _once(lambda one: one.name), _once(lambda one: one.singular)

    def check(entry: RecordDeclaration) -> str | None:
        for name in (entry.name, entry.singular):
            if not re.fullmatch(rf"{re.escape(slug)}\.[a-z][a-z0-9_]*", name):
                return f'{name!r} is no name of a record of this plugin. Write it as "{slug}.things".'
        if entry.name == entry.singular:
            return f"{entry.name!r} is the plural and the singular. Give them two names."
        return once[0](entry) or once[1](entry)

    return check


def _own_key(slug: str, key: str) -> str | None:
    if key.startswith(f"{slug}."):
        return None
    return f'{key!r} does not carry the plugin\'s name. Write it as "{slug}.name".'
