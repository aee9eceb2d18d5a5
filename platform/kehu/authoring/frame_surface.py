"""What plugins rely on beside names of Python: macros, classes and tokens of pages, commands, events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"

_MACRO = re.compile(r"\{% macro ([a-z]\w*)\(([^)]*)\) %\}")
_CLASS = re.compile(r"\bk-[a-z0-9]+(?:-[a-z0-9]+)*\b")
_TOKEN = re.compile(r"^\s+--([a-z0-9-]+):", re.MULTILINE)
_ACTIONS = ("created", "updated", "trashed", "restored")


def lines() -> Iterator[str]:
    """Give one line for each, as `macro ui.card(title='')`."""
    yield from macros()
    yield from (f"class {name}" for name in sorted(classes()))
    yield from (f"token --{name}" for name in sorted(tokens()))
    yield from commands()
    yield from events()


def macros() -> Iterator[str]:
    """Give the macros of the global `ui`, with their arguments."""
    for path in sorted((WEB / "templates/kehu/ui").glob("*.html")):
        for name, arguments in _MACRO.findall(path.read_text(encoding="utf-8")):
            yield f"macro ui.{name}({', '.join(part.strip() for part in arguments.split(','))})"


def classes() -> set[str]:
    """Return the classes that stand on the style page and that the style sheets know."""
    shown = {
        name
        for path in (WEB / "templates/kehu/style").glob("*.html")
        for name in _CLASS.findall(path.read_text(encoding="utf-8"))
    }
    known = {
        name
        for path in (WEB / "static/src/css").glob("*.css")
        for name in _CLASS.findall(path.read_text(encoding="utf-8"))
    }
    return shown & known


def tokens() -> set[str]:
    """Return the names of colours, lengths and fonts that the style sheets stand on."""
    return set(_TOKEN.findall((WEB / "static/src/css/20-tokens.css").read_text(encoding="utf-8")))


def commands() -> Iterator[str]:
    """Give the commands for authors and operators of plugins, with their arguments and options."""
    from kehu.cli.main import kehu

    group = kehu.commands["plugin"]
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        parts = [
            one.opts[-1] if one.param_type_name == "option" else one.name.upper() for one in command.params
        ]
        yield f"command kehu plugin {name}({', '.join(parts)})"


def events() -> Iterator[str]:
    """Give the events of the platform's records, with the keys of their data."""
    from kehu.addons.calls import PAYLOAD
    from kehu.app import FEATURES
    from kehu.core.records.types import registered

    for feature in FEATURES:
        if find_spec(f"kehu.{feature}.records") is not None:
            import_module(f"kehu.{feature}.records")
    for record_type in registered().values():
        if record_type.model.__module__.startswith("kehu."):
            for action in _ACTIONS:
                yield f"event {record_type.singular}.{action}({', '.join(PAYLOAD)})"
