"""The relay: calls hooks for one tenant, contains what fails, and checks what comes back.

Pluggy keeps the implementations; the relay reads them once and calls them itself, because pluggy knows no
tenants, lets one failing plugin end the call for all, and believes every result. The cost is one dictionary
look-up plus the calls of the plugins that are switched on, however many are installed.
"""

import hashlib
import logging
import traceback
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from time import monotonic
from types import CodeType
from typing import Any, Final, NamedTuple

from pluggy import PluginManager

from plugins.breaker import Breaker, Key
from plugins.results import Contribution, Fault, Veto
from plugins.rules import HookRule, Mode

log = logging.getLogger(__name__)

_CACHED_SETS: Final = 4096

running: ContextVar[str | None] = ContextVar("kehu_running_plugin", default=None)
"""The plugin whose code runs now, so that the database layer can refuse a commit from inside a hook."""

_NO_PLUGINS: Final[frozenset[str]] = frozenset()

_FAILURES: Final = (Exception, SystemExit)
"""What a plugin's code may raise at us. A plugin that calls `sys.exit` must not end the worker."""


class PluginError(Exception):
    """Raised when a plugin fails in a call whose failure must reach the caller."""

    def __init__(self, plugin: str, hook: str, reason: str, place: str = "") -> None:
        super().__init__(f"The plugin {plugin!r} failed in {hook}: {reason}")
        self.plugin, self.hook, self.reason, self.place = plugin, hook, reason, place


class GuardFailedError(PluginError):
    """Raised when a guard could not be asked. It counts as a refusal."""


class PluginRests(PluginError):
    """Raised instead of a call that the breaker holds back."""


class WrongResultError(TypeError):
    """Raised when an implementation returns something else than its specification says."""


class _Target(NamedTuple):
    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    system: bool


def _ignore(fault: Fault) -> None:
    """Record nothing; the log line stands."""


class Relay:
    """Calls the hooks of one application.

    :param rules: rule of each hook, as `plugins.rules.rules_of` returns them.
    :param order: slugs in the order of calls: what others need comes first.
    :param system: slugs of the platform's own parts, which are always on and whose failures are the
        product's.
    :param on_fault: stores a fault; it must not use the transaction that the call ran in.
    :param savepoint: opens a savepoint in the present transaction, rolled back when the block raises.
    :param strict: let every failure through, for tests.
    """

    def __init__(
        self,
        manager: PluginManager,
        rules: Mapping[str, HookRule],
        *,
        order: Sequence[str] = (),
        system: frozenset[str] = frozenset(),
        breaker: Breaker | None = None,
        on_fault: Callable[[Fault], None] = _ignore,
        savepoint: Callable[[], AbstractContextManager[Any]] = nullcontext,
        strict: bool = False,
    ) -> None:
        self._manager = manager
        self._rules = rules
        self._rank = {slug: place for place, slug in enumerate(order)}
        self._system = system
        self.breaker = breaker or Breaker(monotonic)
        self._on_fault = on_fault
        self._savepoint = savepoint
        self.strict = strict
        self._targets: dict[tuple[str, frozenset[str]], tuple[_Target, ...]] = {}

    def forget(self) -> None:
        """Read the implementations anew, after plugins were registered or taken out."""
        self._targets.clear()

    def implementers(self, hook: str, enabled: frozenset[str] = _NO_PLUGINS) -> tuple[str, ...]:
        """Return who implements a hook, of the platform's parts and the given plugins, in call order."""
        return tuple(target.plugin for target in self._find(hook, enabled))

    def collect(
        self,
        hook: str,
        /,
        *,
        enabled: frozenset[str] = _NO_PLUGINS,
        tenant: Hashable = None,
        **arguments: Any,
    ) -> list[Contribution]:
        """Call all implementations and return what they answered, without the Nones.

        A failing plugin is recorded and left out (in mode G it refuses); a failing part of the platform
        raises.

        :param enabled: the plugins that the tenant has switched on.
        :param tenant: the tenant's id, for the breaker and the record of faults.
        """
        rule = self._rules[hook]
        answers = []
        for target in self._find(hook, enabled):
            value = self._contained(rule, target, tenant, arguments)
            if value is not None:
                answers.append(Contribution(target.plugin, value))
        return answers

    def items(
        self,
        hook: str,
        /,
        *,
        enabled: frozenset[str] = _NO_PLUGINS,
        tenant: Hashable = None,
        **arguments: Any,
    ) -> list[Contribution]:
        """Call all implementations of a hook that returns lists, and return the entries of all lists."""
        lists = self.collect(hook, enabled=enabled, tenant=tenant, **arguments)
        return [Contribution(one.plugin, entry) for one in lists for entry in _entries(one.value)]

    def first(
        self,
        hook: str,
        /,
        *,
        enabled: frozenset[str] = _NO_PLUGINS,
        tenant: Hashable = None,
        **arguments: Any,
    ) -> Any:
        """Call implementations until one answers, and return that answer or None."""
        rule = self._rules[hook]
        for target in self._find(hook, enabled):
            value = self._contained(rule, target, tenant, arguments)
            if value is not None:
                return value
        return None

    def run_one(self, hook: str, slug: str, /, *, tenant: Hashable = None, **arguments: Any) -> Any:
        """Call one plugin's implementation, if it has one, and let a failure reach the caller.

        For the modes L and O, where a job or an admin waits for the outcome. The breaker is not asked.

        :raises Veto: as the plugin raised it.
        :raises PluginError: from the plugin's own exception.
        """
        rule = self._rules[hook]
        for target in self._find(hook, frozenset((slug,))):
            if target.plugin != slug:
                continue
            values = [*map(arguments.__getitem__, target.arguments)]
            try:
                return self._call(rule, target, values)
            except Veto:
                # Said on purpose, to the person who waits: no fault.
                raise
            except _FAILURES as error:
                if target.system or self.strict:
                    raise
                self._record(rule, target, tenant, error, trip=None)
                raise PluginError(slug, hook, _words(error)) from error
        return None

    def run_declared(
        self,
        kind: str,
        slug: str,
        function: Callable[..., Any],
        /,
        *arguments: Any,
        tenant: Hashable = None,
        **named: Any,
    ) -> Any:
        """Call a function that a plugin declared (a job, a report), in a savepoint, and let a failure reach the caller.

        :param kind: what it is, for the record of faults, as `job nightly`.
        :raises PluginError: from the plugin's own exception, which is recorded.
        """
        target = _Target(slug, function, (), slug in self._system)
        try:
            return self._run(target, arguments, named)
        except _FAILURES as error:
            if target.system or self.strict:
                raise
            self._fault(kind, target, tenant, error)
            raise PluginError(slug, kind, _words(error), location_of(error, function)) from error

    def run_page(
        self,
        kind: str,
        slug: str,
        view: Callable[..., Any],
        answer: Callable[[], Any],
        /,
        *,
        tenant: Hashable = None,
        passing: tuple[type[BaseException], ...] = (),
    ) -> Any:
        """Answer a request by a plugin's page; the breaker counts its faults, and they reach the caller.

        :param kind: what it is, for the breaker and the record of faults, as `page dentist.list`.
        :param view: the plugin's own function, to name file and line of a fault.
        :param answer: makes the answer.
        :param passing: what is raised on purpose, to the reader: no fault.
        :raises PluginRests: while the breaker holds the page back.
        :raises PluginError: from the plugin's own exception, which is recorded.
        """
        key, quiet = Key(tenant, slug, kind), self.breaker.quiet
        if not (quiet or self.breaker.allows(key)):
            raise PluginRests(slug, kind, "it rests after repeated failures")
        token = running.set(slug)
        try:
            value = answer()
        except passing:
            raise
        except _FAILURES as error:
            if self.strict:
                raise
            # What was sent may have been meant to break it: it costs the firm its page, never others the plugin.
            trip = self.breaker.failed(key, alone=True)
            self._fault(kind, _Target(slug, view, (), False), tenant, error, trip)
            raise PluginError(slug, kind, _words(error)) from error
        finally:
            running.reset(token)
        if not quiet:
            self.breaker.succeeded(key)
        return value

    def _run(self, target: _Target, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        token = running.set(None if target.system else target.plugin)
        try:
            with self._savepoint():
                return target.function(*arguments, **named)
        finally:
            running.reset(token)

    def _find(self, hook: str, enabled: frozenset[str]) -> tuple[_Target, ...]:
        found = self._targets.get((hook, enabled))
        return self._read(hook, enabled) if found is None else found

    def _read(self, hook: str, enabled: frozenset[str]) -> tuple[_Target, ...]:
        known = self._rules[hook].arguments
        targets = []
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            slug, system = implementation.plugin_name, implementation.plugin_name in self._system
            if system or slug in enabled:
                names = tuple(name for name in implementation.argnames if name in known)
                targets.append(_Target(slug, implementation.function, names, system))
        targets.sort(
            key=lambda one: (not one.system, self._rank.get(one.plugin, len(self._rank)), one.plugin)
        )
        if len(self._targets) >= _CACHED_SETS:
            self._targets.clear()
        self._targets[hook, enabled] = result = tuple(targets)
        return result

    def _call(self, rule: HookRule, target: _Target, values: list[Any]) -> Any:
        token = running.set(None if target.system else target.plugin)
        try:
            if rule.transaction:
                with self._savepoint():
                    return _checked(rule, target, target.function(*values))
            value = target.function(*values)
        finally:
            running.reset(token)
        return value if value is None else _checked(rule, target, value)

    def _contained(self, rule: HookRule, target: _Target, tenant: Hashable, arguments: dict[str, Any]) -> Any:
        # Outside the try: an argument the caller forgot is the caller's mistake, not the plugin's.
        values = [*map(arguments.__getitem__, target.arguments)]
        if target.system:
            return self._call(rule, target, values)
        quiet = self.breaker.quiet
        if not (quiet or self.breaker.allows(Key(tenant, target.plugin, rule.name))):
            if rule.mode is Mode.GUARD:
                raise GuardFailedError(target.plugin, rule.name, "it rests after repeated failures")
            return None
        try:
            value = self._call(rule, target, values)
        except _FAILURES as error:
            if self.strict:
                raise
            trip = self.breaker.failed(Key(tenant, target.plugin, rule.name))
            self._record(rule, target, tenant, error, trip=trip)
            if rule.mode is Mode.GUARD:
                raise GuardFailedError(target.plugin, rule.name, _words(error)) from error
            return None
        if not quiet:
            self.breaker.succeeded(Key(tenant, target.plugin, rule.name))
        return value

    def _record(
        self, rule: HookRule, target: _Target, tenant: Hashable, error: BaseException, trip: str | None
    ) -> None:
        self._fault(rule.name, target, tenant, error, trip)

    def _fault(
        self, name: str, target: _Target, tenant: Hashable, error: BaseException, trip: str | None = None
    ) -> None:
        location = location_of(error, target.function)
        fault = Fault(
            plugin=target.plugin,
            hook=name,
            tenant_id=None if tenant is None else str(tenant),
            error=error,
            fingerprint=_fingerprint(target.plugin, name, type(error).__name__, location),
            location=location,
            trip=trip,
        )
        log.error("plugin %s failed in %s at %s", fault.plugin, fault.hook, location, exc_info=error)
        try:
            self._on_fault(fault)
        except Exception:
            log.exception("the fault of plugin %s in %s could not be stored", fault.plugin, fault.hook)


def _checked(rule: HookRule, target: _Target, value: Any) -> Any:
    if rule.accepts(value):
        return value
    raise WrongResultError(
        f"{rule.name} of {target.plugin} returned {type(value).__name__} where {rule.expectation()} is expected."
    )


def _entries(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else (value,)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def location_of(error: BaseException | None, function: Callable[..., Any]) -> str:
    """Return file and line where the plugin failed: the deepest frame in its own file, else its function."""
    code: CodeType | None = getattr(function, "__code__", None)
    if code is None:
        return function.__module__
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__ if error else None)
        if frame.filename == code.co_filename
    ]
    line = frames[-1].lineno if frames else code.co_firstlineno
    return f"{function.__module__}:{line}"


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
