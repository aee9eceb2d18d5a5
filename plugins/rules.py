"""How a hook is called: the part of its specification that a machine reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, ModuleType
from typing import Any, Final, TypeVar

from pluggy import HookimplMarker, HookspecMarker

from plugins.deprecation import KehuPluginDeprecation

PROJECT: Final = "kehu"
"""The name the markers and the manager share, and the prefix of every hook."""

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)

_RULE: Final = "kehu_rule"
_F = TypeVar("_F", bound=Callable[..., Any])


class Mode(StrEnum):
    """What happens around a call and when it fails."""

    REGISTER = "R"
    """Once at boot, for every plugin. A failure makes the plugin broken."""
    LIFECYCLE = "L"
    """In a job, for one plugin. A failure reaches the caller, who rolls back and keeps the reason."""
    CONTRIBUTE = "C"
    """In a request. A failing plugin is left out and recorded."""
    VALIDATE = "V"
    """In the transaction that writes. A failing plugin is left out and recorded."""
    GUARD = "G"
    """Before something that must not happen by mistake. A failure is a refusal."""
    OBSERVE = "O"
    """After the commit, in a job for one plugin. A failure reaches the job, which tries again."""
    SYSTEM = "S"
    """Between the platform and its own parts. Plugins may not implement it; a failure reaches the caller."""


class Shape(StrEnum):
    """What an implementation returns."""

    NOTHING = "nothing"
    ONE = "one"
    LIST = "list"


@dataclass(frozen=True, kw_only=True, slots=True)
class HookRule:
    """One hook's rule. `transaction` says that it runs inside an open one, in a savepoint of its own."""

    name: str
    mode: Mode
    shape: Shape
    item: type | None
    first: bool
    transaction: bool
    arguments: tuple[str, ...]

    def accepts(self, value: object) -> bool:
        """Tell whether an implementation may return this value."""
        if value is None:
            return True
        if self.shape is Shape.NOTHING or self.item is None:
            return False
        if self.shape is Shape.ONE:
            return isinstance(value, self.item)
        if not isinstance(value, (list, tuple)):
            return False
        item = self.item
        for entry in value:  # noqa: SIM110 - a loop costs a third of a generator, on every call
            if not isinstance(entry, item):
                return False
        return True

    def expectation(self) -> str:
        """Return in words what an implementation has to return."""
        name = getattr(self.item, "__name__", "None")
        return {
            Shape.NOTHING: "nothing",
            Shape.ONE: f"one {name} or None",
            Shape.LIST: f"a list of {name}",
        }[self.shape]


def _usual_shape(item: type | None, first: bool) -> Shape:
    if item is None:
        return Shape.NOTHING
    return Shape.ONE if first else Shape.LIST


def spec(
    mode: Mode,
    *,
    item: type | None = None,
    shape: Shape | None = None,
    first: bool = False,
    transaction: bool = False,
    goes: str = "",
    arguments_go: Mapping[str, str] | None = None,
) -> Callable[[_F], _F]:
    """Declare a hook: how it is called, and what it returns.

    :param item: the class of the value, or of each value of the list.
    :param goes: for a hook that is to go: with which API, and what to use instead; told of each implementation.
    :param arguments_go: the same for arguments, by name.
    :param shape: NOTHING without an item, ONE if the first answer wins, else LIST, unless said otherwise.
    """

    def mark(function: _F) -> _F:
        code = function.__code__
        rule = HookRule(
            name=function.__name__,
            mode=mode,
            shape=shape or _usual_shape(item, first),
            item=item,
            first=first,
            transaction=transaction,
            arguments=code.co_varnames[: code.co_argcount],
        )
        setattr(function, _RULE, rule)
        # `first` is our relay's affair: were pluggy told, it would stop at a plugin that the tenant has not
        # got.
        return hookspec(
            function,
            warn_on_impl=KehuPluginDeprecation(f"{function.__name__} {goes}") if goes else None,
            warn_on_impl_args={
                name: KehuPluginDeprecation(f"The argument {name} of {function.__name__} {words}")
                for name, words in (arguments_go or {}).items()
            },
        )

    return mark


def rules_of(module: ModuleType | type) -> Mapping[str, HookRule]:
    """Return the rules of all hooks that a module declares, by name."""
    found = (getattr(value, _RULE, None) for value in vars(module).values())
    return MappingProxyType({rule.name: rule for rule in found if isinstance(rule, HookRule)})
