"""One object that holds the installed plugins and through which the platform speaks to them."""

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import Any

from flask import Flask
from pluggy import PluginManager

from plugins import hookspecs
from plugins.blueprint import PUBLIC_ROUTES, register_blueprint
from plugins.breaker import Breaker
from plugins.declarations import Declarations, collect_declarations, mark_broken
from plugins.finder import installed_entry_points
from plugins.loader import find_plugins, load_plugins
from plugins.records import Installed
from plugins.relay import Relay
from plugins.results import Fault
from plugins.rules import PROJECT, rules_of

log = logging.getLogger(__name__)


class PluginHost:
    """The plugins of one application: what is installed, what it declares, and the relay to call it."""

    def __init__(self, manager: PluginManager, installed: Installed, relay: Relay) -> None:
        self.installed = installed
        self.relay = relay
        self._manager = manager
        self._live: dict[frozenset[str], frozenset[str]] = {}
        self._declarations = Declarations()

    @property
    def declarations(self) -> Declarations:
        """Return what all ready plugins declare."""
        return self._declarations

    def declare(self) -> None:
        """Ask all plugins what they add. Once, at boot."""
        self._declarations = collect_declarations(self.installed, self.relay, self._manager)
        self._live.clear()

    def refuse(self, slug: str, reason: str) -> None:
        """Make a plugin broken whose declarations the platform can't use."""
        record = self.installed.get(slug)
        if record is None or record not in self.installed.ready:
            return
        log.error("plugin %s is left out: %s", slug, reason)
        mark_broken(self.installed, record, self.relay, self._manager, reason)
        self._declarations = self._declarations.without(slug)
        self._live.clear()

    def live(self, enabled: frozenset[str]) -> frozenset[str]:
        """Return which plugins run for a tenant: what it has switched on and what is on for everybody, if ready.

        :param enabled: the slugs that the tenant has switched on.
        """
        found = self._live.get(enabled)
        if found is None:
            ready = [record for record in self.installed.ready if not record.system]
            found = frozenset(
                record.slug for record in ready if record.slug in enabled or not record.switchable
            )
            if len(self._live) >= 4096:
                self._live.clear()
            self._live[enabled] = found
        return found

    def mount(self, app: Flask) -> None:
        """Register all plugins' pages. A plugin whose blueprint can't be used becomes broken."""
        for slug, blueprint in list(self._declarations.routes):
            record = self.installed.get(slug)
            if record is None or record not in self.installed.ready:
                continue
            if record.system:
                app.register_blueprint(blueprint)
                continue
            try:
                able = record.manifest.capabilities if record.manifest else ()
                register_blueprint(app, slug, blueprint, public=PUBLIC_ROUTES in able)
            except Exception as error:
                if self.relay.strict:
                    raise
                log.exception("the pages of plugin %s can't be registered", slug)
                mark_broken(self.installed, record, self.relay, self._manager, str(error))
                self._declarations = self._declarations.without(slug)
                self._live.clear()


def start_plugins(
    *,
    system: Iterable[str] = (),
    safe_mode: bool = False,
    blocked: Iterable[str] = (),
    on_fault: Callable[[Fault], None] | None = None,
    savepoint: Callable[[], AbstractContextManager[Any]] = nullcontext,
    breaker: Breaker | None = None,
    strict: bool = False,
    entries: Callable[[], Iterable[EntryPoint]] = installed_entry_points,
    importer: Callable[[str], Any] = import_module,
) -> PluginHost:
    """Find, load and register all plugins, and ask what they add.

    :param system: slugs of the platform's own parts, in their order.
    :param safe_mode: leave out what is not built in.
    :param blocked: slugs that the operator keeps out.
    :param on_fault: stores a fault; it must not use the transaction that the call ran in.
    :param savepoint: opens a savepoint in the present transaction.
    :param strict: let every failure through, for tests.
    """
    parts = list(system)
    manager = PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    rules = rules_of(hookspecs)
    installed = find_plugins(system=parts, safe_mode=safe_mode, blocked=blocked, entries=entries)
    load_plugins(installed, manager, rules, importer=importer)
    options: dict[str, Any] = {} if on_fault is None else {"on_fault": on_fault}
    relay = Relay(
        manager,
        rules,
        order=[record.slug for record in installed],
        system=frozenset(parts),
        breaker=breaker,
        savepoint=savepoint,
        strict=strict,
        **options,
    )
    host = PluginHost(manager, installed, relay)
    host.declare()
    return host
