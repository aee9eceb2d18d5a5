"""Laws of the browser side: nothing inline, no raw HTML from data, only known icons and classes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kehu.web.widgets import icon_names

ROOT = Path(__file__).parents[2]
FLOORS = ("platform", "tenants", "billing", "plugins", "plugins_builtin")
TEMPLATES = sorted(
    path
    for floor in FLOORS
    for path in (ROOT / floor).rglob("templates/**/*.html")
    if "node_modules" not in path.parts
)
SCRIPTS = sorted((ROOT / "platform/kehu/web/static/src").rglob("*.js"))
SHEETS = sorted((ROOT / "platform/kehu/web/static/src").rglob("*.css"))

#: Pattern and what to do instead; mails are sent, not served, so their inline styles are allowed.
FORBIDDEN = {
    r"<script(?![^>]*\bsrc=)": "load a file by data-src",
    r"<style\b": "write it into app.css",
    r"\sstyle\s*=": "use a class",
    r"\shx-on": "write a delegated listener in the scripts",
    r"=[\"']\s*js:": "send values by fields",
    r"hx-trigger=\"[^\"]*\[": "filter in a script",
    r"\son(click|load|error|submit|change|input|focus|blur)\s*=": "write a delegated listener in the scripts",
    r"javascript:": "use a button",
}
IN_SCRIPTS = {
    r"\.innerHTML\b": "build nodes",
    r"\.outerHTML\s*=": "build nodes",
    r"insertAdjacentHTML": "build nodes",
    r"document\.write": "build nodes",
    r"setAttribute\(\s*[\"']style": "use a class",
    r"\beval\(|new Function": "call a function",
    r"\bhistory\.(push|replace)State": "let htmx move the address",
}


def _served(path: Path) -> bool:
    return "mails" not in path.parts and "mail" not in path.parts and not path.stem.startswith("mail")


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_templates_have_nothing_inline(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in TEMPLATES
        if _served(path)
        for line in path.read_text().splitlines()
        if re.search(pattern, line)
    ]
    assert not found, f"{FORBIDDEN[pattern]}: {found}"


@pytest.mark.parametrize("pattern", IN_SCRIPTS)
def test_scripts_write_no_raw_html(pattern: str) -> None:
    found = [path.name for path in SCRIPTS if re.search(pattern, path.read_text())]
    assert not found, f"{IN_SCRIPTS[pattern]}: {found}"


def test_icons_that_templates_name_are_in_the_sprite() -> None:
    used = re.compile(r"\bicon\('([a-z0-9-]+)'|icon_name='([a-z0-9-]+)'")
    named = {(one or two, path.name) for path in TEMPLATES for one, two in used.findall(path.read_text())}
    assert not {(name, where) for name, where in named if name not in icon_names()}


def test_classes_that_templates_use_are_in_the_sheet() -> None:
    sheet = "\n".join(path.read_text() for path in SHEETS)
    known = set(re.findall(r"\.(k-[a-z0-9-]+)", sheet))
    found = set()
    for path in TEMPLATES:
        if not _served(path):
            continue
        for value in re.findall(r'class="([^"]*)"', path.read_text()):
            plain = re.sub(r"[\w-]*\{[{%].*?[%}]\}[\w-]*", " ", value)
            found |= {
                (name, path.name)
                for name in re.findall(r"(?<![\w-])k-[a-z0-9-]*[a-z0-9](?![\w-])", plain)
                if name not in known
            }
    assert not found


def test_sheets_keep_letters_as_people_wrote_them() -> None:
    assert not [path.name for path in SHEETS if "text-transform: uppercase" in path.read_text()]
