"""The surface that plugins rely on, as lines of text: what a snapshot remembers and `kehu plugin api-diff` compares."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as fields_of
from enum import Enum
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from kehu.authoring import frame_surface
from plugins import hookspecs
from plugins.api_version import API_VERSION
from plugins.manifest import Manifest
from plugins.rules import Mode, rules_of
from plugins.slots import SLOTS

SNAPSHOT = Path(__file__).parent / "data" / "api_surface.txt"
"""The surface as it was last agreed on; it is committed."""

RENEW = "kehu plugin api-diff --renew"

SOURCE_MODULES = {
    "kehu.testkit.contract": ("PluginContract",),
    "kehu.testkit.fixtures": ("Shop", "count_queries"),
    "kehu.testkit.switch": ("disable", "enable", "purge", "run_job_now", "usage_of"),
}
"""What tests of plugins stand on, by module."""

_OURS = ("kehu", "plugins")
_SERVICE = "kehu.api.service_for.<service>"
_CALLED = {
    f"{_SERVICE}.{name}"
    for name in ("create", "create_many", "get", "restore", "trash", "trash_many", "update", "update_many")
}
"""What plugins call on a record type's service; the rest is for the feature that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a surface has that another had not, and the other way round; `changed` holds (before, after)."""

    added: list[str]
    changed: list[tuple[str, str]]
    removed: list[str]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def lines(self) -> Iterator[str]:
        """Give one line for each thing, as `+ kehu.api.public(…)`."""
        yield from (f"+ {line}" for line in self.added)
        for before, after in self.changed:
            yield f"~ {before}"
            yield f"  now {after}"
        yield from (f"- {line}" for line in self.removed)


def present() -> list[str]:
    """Return the surface of this installation, one line a name, sorted."""
    from kehu import api
    from kehu.core.records.service import RecordService

    lines = {f"plugin API {API_VERSION}"}
    lines |= {_hook(name) for name, rule in rules_of(hookspecs).items() if rule.mode is not Mode.SYSTEM}
    lines |= {f"slot {name}({', '.join(arguments)})" for name, arguments in SLOTS.items()}
    lines |= {f"plugin.toml {one.name}" for one in fields_of(Manifest)}
    lines |= set(_names(api))
    for home, names in SOURCE_MODULES.items():
        for name in names:
            lines |= set(described(f"{home}.{name}", getattr(import_module(home), name)))
    lines |= {line for line in members(_SERVICE, RecordService) if line.partition("(")[0] in _CALLED}
    lines |= set(frame_surface.lines())
    return sorted(lines)


def kept(path: Path | None = None) -> list[str]:
    """Return the lines of a snapshot; of the committed one by default."""
    return [line for line in (path or SNAPSHOT).read_text(encoding="utf-8").splitlines() if line]


def renew() -> None:
    """Make the present surface the one that is agreed on."""
    SNAPSHOT.write_text("\n".join(present()) + "\n", encoding="utf-8")


def compare(before: Iterable[str], after: Iterable[str]) -> Difference:
    """Return what was added, changed and removed; a name stands for the same thing whatever follows it."""
    old, new = set(before), set(after)
    was, now = {_name(line): line for line in old - new}, {_name(line): line for line in new - old}
    return Difference(
        added=sorted(now[name] for name in now.keys() - was.keys()),
        changed=sorted((was[name], now[name]) for name in now.keys() & was.keys()),
        removed=sorted(was[name] for name in was.keys() - now.keys()),
    )


def _name(line: str) -> str:
    if line.startswith("plugin API "):
        return "plugin API"
    return line.partition("(")[0].partition(": ")[0].partition(" = ")[0]


def _hook(name: str) -> str:
    rule = rules_of(hookspecs)[name]
    return f"hook {name}{signature(getattr(hookspecs, name))}, mode {rule.mode.value}"


def _names(module: ModuleType) -> Iterator[str]:
    for name in module.__all__:
        yield from described(f"{module.__name__}.{name}", getattr(module, name))


def described(name: str, thing: Any) -> Iterator[str]:
    """Give the lines that a name of the surface is made of: how it is called, then its members."""
    if isinstance(thing, ModuleType):
        for member, value in vars(thing).items():
            if (
                inspect.isfunction(value)
                and value.__module__ == thing.__name__
                and not member.startswith("_")
            ):
                yield f"{name}.{member}{signature(value)}"
    elif not is_ours(thing):
        # Of another library: that it is handed on is all that is ours.
        yield name
    elif not isinstance(thing, type):
        yield f"{name}{signature(thing)}" if callable(thing) else name
    else:
        called = is_dataclass(thing) or issubclass(thing, BaseException)
        yield f"{name}{signature(thing)}" if called else name
        yield from members(name, thing)


def is_ours(thing: Any) -> bool:
    """Tell whether a thing comes from Kehu and not from a library that it hands on."""
    return (getattr(thing, "__module__", None) or "").partition(".")[0] in _OURS


def members(name: str, cls: type) -> Iterator[str]:
    """Give a line for each public part of a class."""
    if issubclass(cls, Enum):
        yield from (f"{name}.{one.name} = {one.value!r}" for one in cls)
        return
    own = {
        member: value
        for base in reversed(cls.__mro__)
        if is_ours(base)
        for member, value in vars(base).items()
    }
    if not is_dataclass(cls):
        for base in filter(is_ours, reversed(cls.__mro__)):
            for member, typed in inspect.get_annotations(base).items():
                if not member.startswith("_"):
                    yield f"{name}.{member}: {annotation(typed)}"
    for member, value in own.items():
        plain = getattr(value, "__func__", value)
        if member.startswith("_"):
            continue
        if isinstance(value, property):
            yield f"{name}.{member}: {annotation(inspect.signature(value.fget).return_annotation)}"  # type: ignore[arg-type]
        elif inspect.isfunction(plain) and inspect.signature(plain).return_annotation is not NoReturn:
            yield f"{name}.{member}{signature(plain)}"


def signature(thing: Any, *, values: bool = False) -> str:
    """Return how a function or class is called; of a default only that there is one.

    :param values: write plain defaults out.
    """
    try:
        called = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    told, before = [], None
    for parameter in called.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and before not in (
            parameter.KEYWORD_ONLY,
            parameter.VAR_POSITIONAL,
        ):
            told.append("*")
        before = parameter.kind
        told.append(_parameter(parameter, values))
    returned = called.return_annotation
    shown = "" if isinstance(thing, type) or returned is called.empty else f" -> {annotation(returned)}"
    return f"({', '.join(told)}){shown}"


def _parameter(parameter: inspect.Parameter, values: bool = False) -> str:
    marks: dict[Any, str] = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
    mark = marks.get(parameter.kind, "")
    typed = "" if parameter.annotation is parameter.empty else f": {annotation(parameter.annotation)}"
    given: Any = parameter.default
    if given is parameter.empty:
        return f"{mark}{parameter.name}{typed}"
    if isinstance(given, Enum):
        shown = str(given) if not isinstance(given, str) else repr(given.value)
    else:
        shown = repr(given) if given is None or isinstance(given, str | int | tuple) else "…"
    return f"{mark}{parameter.name}{typed} = {shown if values else '…'}"


def annotation(thing: Any) -> str:
    """Return a type as it is written in the source."""
    if isinstance(thing, str):
        return thing
    if isinstance(thing, type) and not hasattr(thing, "__args__"):
        return thing.__name__
    text = inspect.formatannotation(thing)
    for module in (
        "collections.abc.",
        "typing.",
        "plugins.blueprint.",
        "plugins.contracts.",
        "plugins.results.",
    ):
        text = text.replace(module, "")
    return text
