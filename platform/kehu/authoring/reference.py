"""Writes `docs/plugins/reference.md` from the hook specifications, `kehu.api`, the manifest and the test-kit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from kehu.authoring.surface import SOURCE_MODULES, described, is_ours, signature
from plugins import hookspecs
from plugins.api_version import API_VERSION
from plugins.manifest import Manifest
from plugins.rules import Mode, rules_of
from plugins.slots import SLOTS

PAGE: Final = Path(__file__).parents[3] / "docs" / "plugins" / "reference.md"
MACROS: Final = Path(__file__).parents[1] / "web" / "templates" / "kehu" / "ui"
"""Where the page lies in the sources; an installed Kehu has none."""

MODES: Final = {
    Mode.REGISTER: "once at boot; a failure leaves the plugin out",
    Mode.LIFECYCLE: "in a transaction that a failure rolls back",
    Mode.OBSERVE: "in a job after the commit; a failure makes it try again",
}

MANIFEST: Final = {
    "slug": "name for machines, fixed for ever; begins schema, routes, permissions, settings",
    "name": "name for people",
    "version": "version of the plugin; the same as in pyproject.toml",
    "summary": "one sentence on the add-on page",
    "api": "lowest plugin API that will do",
    "icon": "name of an icon of the platform",
    "category": "group on the add-on page",
    "keywords": "words by which it is found",
    "author": "who wrote it",
    "contact": "where users ask",
    "security_contact": "where weaknesses are told",
    "licence": "SPDX name of the licence",
    "docs_url": "address of its documentation",
    "requires_core_revision": "migration of the platform that must be applied",
    "requires": "other plugins it needs, with version ranges; switched on first",
    "optional": "other plugins it works with",
    "conflicts": "other plugins it can't run beside",
    "auto_enable_with": "glue: switched on by itself when all of these are on",
    "level": "tenant, or operator for the whole installation",
    "kind": "python, or remote",
    "capabilities": "db, files, guard, public_routes, meter, http:host, send:channel",
    "reads": "records of the platform that it reads, as customers:read",
    "writes": "records of the platform that it writes, as deals:write",
    "personal_data": "table: categories, basis, retention_days",
    "data_version": "whole number; a higher one than a tenant's runs kehu_tenant_upgrade",
    "locales": "languages it has texts in",
    "pricing": "kind (free, plan:feature, addon:key), version, trial_days, per (firm, seat), amounts, yearly, "
    "included (keys of plans), meters (name, label, included, amounts)",
    "pictures": "table: file in `pictures/` = what it shows; PNG, JPEG or WebP, at most 6",
    "status": "experimental, stable or deprecated",
    "replaced_by": "slug of its successor",
    "end_date": "day on which it ends",
    "quality": "bronze, silver or gold; see quality.md",
}
"""What each field of `plugin.toml` means."""


def page() -> str:
    """Return the whole page."""
    return "\n".join([*_head(), *_hooks(), *_slots(), *_manifest(), *_macros(), *_api(), *_testkit()]) + "\n"


def write() -> bool:
    """Write the page anew, where there is a folder for it."""
    if not PAGE.parent.is_dir():
        return False
    PAGE.write_text(page(), encoding="utf-8")
    return True


def _head() -> Iterator[str]:
    yield "# Reference"
    yield ""
    yield f"Made from the sources by `kehu plugin api-diff --renew`; don't edit it. Plugin API {API_VERSION}."
    yield "Examples stand in the [tutorial](tutorial.md) and the [guide](guide.md)."


def _hooks() -> Iterator[str]:
    yield from ("", "## Hooks")
    for name, rule in rules_of(hookspecs).items():
        if rule.mode in MODES:
            function = getattr(hookspecs, name)
            yield from ("", f"### `{name}{signature(function)}`", "")
            yield from _docs(function)
            yield from ("", f"Called {MODES[rule.mode]}.")


def _slots() -> Iterator[str]:
    yield from ("", "## Slots", "", "| slot | arguments of the panel's address |", "| --- | --- |")
    for name, arguments in SLOTS.items():
        yield f"| `{name}` | {', '.join(f'`{one}`' for one in arguments) or '–'} |"


def _manifest() -> Iterator[str]:
    yield from ("", "## plugin.toml", "", "| field | meaning | when left out |", "| --- | --- | --- |")
    for one in fields(Manifest):
        yield f"| `{one.name}` | {MANIFEST[one.name]} | {_default(one)} |"


def _default(one: Any) -> str:
    if one.default is not MISSING:
        return f"`{one.default!r}`" if one.default not in ("", ()) else "empty"
    return "it must be there" if one.default_factory is MISSING else "empty"


def _macros() -> Iterator[str]:
    yield from ("", "## Macros of templates", "")
    yield "Called as `ui.…`; the style page of a development installation (`/style`) shows what they draw."
    yield "What holds something is used with `{% call ui.card(…) %}…{% endcall %}`."
    for file in sorted(MACROS.glob("*.html")):
        yield from ("", f"### {file.stem.capitalize()}", "")
        for found in re.finditer(
            r"{%-? macro ([a-z]\w*)(\(.*?\)) -?%}(.*?){%-? endmacro", file.read_text("utf-8"), re.DOTALL
        ):
            yield f"* `ui.{found[1]}{found[2]}`{' (holds something)' if 'caller()' in found[3] else ''}"


def _api() -> Iterator[str]:
    from kehu import api

    yield from ("", "## kehu.api", "")
    handed = [
        name
        for name in api.__all__
        if not isinstance(getattr(api, name), ModuleType) and not is_ours(getattr(api, name))
    ]
    yield f"Handed on from Flask, SQLAlchemy and pluggy: {', '.join(f'`{name}`' for name in handed)}."
    for name in api.__all__:
        if name not in handed:
            yield from _thing(name, getattr(api, name))


def _testkit() -> Iterator[str]:
    from importlib import import_module

    yield from ("", "## kehu.testkit")
    for module, names in SOURCE_MODULES.items():
        for name in names:
            yield from _thing(name, getattr(import_module(module), name), of=f" (`{module}`)")


def _thing(name: str, thing: Any, of: str = "") -> Iterator[str]:
    lines = list(described(name, thing))
    yield from ("", f"### `{name}`{of}", "")
    if lines and lines[0].startswith(f"{name}("):
        yield from (f"`{name}{signature(thing, values=True)}`", "")
    yield from _docs(thing)
    parts = [line.removeprefix(f"{name}.") for line in lines if line.startswith(f"{name}.")]
    if parts:
        yield ""
        yield from (f"* `{line}`" for line in parts)


def _docs(thing: Any) -> list[str]:
    text = inspect.getdoc(thing) or ""
    # A generated docstring of a dataclass says what the signature says.
    return [] if text.startswith(f"{getattr(thing, '__name__', '')}(") else text.splitlines()
