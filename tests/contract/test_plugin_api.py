"""What plugins rely on changes only on purpose: its surface is that of the committed snapshot."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from kehu.authoring import reference, surface
from plugins import hookspecs
from plugins.manifest import Manifest
from plugins.rules import Mode, rules_of

ROOT = Path(__file__).resolve().parents[2]


def test_the_surface_is_that_of_the_snapshot():
    difference = surface.compare(surface.kept(), surface.present())
    assert not difference, "\n".join(
        [f"The plugin API changed. If that is meant: .venv/bin/{surface.RENEW}", *difference.lines()]
    )


def test_a_difference_is_told_by_what_became_of_each_name():
    before = [
        "hook kehu_a() -> None, mode R",
        "kehu.api.b(x: int) -> None",
        "plugin API 0.1",
        "slot c.side(c_id)",
    ]
    after = ["kehu.api.b(x: str) -> None", "plugin API 0.2", "slot c.side(c_id)", "kehu.api.d"]
    told = surface.compare(before, after)
    assert list(told.lines()) == [
        "+ kehu.api.d",
        "~ kehu.api.b(x: int) -> None",
        "  now kehu.api.b(x: str) -> None",
        "~ plugin API 0.1",
        "  now plugin API 0.2",
        "- hook kehu_a() -> None, mode R",
    ]
    assert not surface.compare(after, reversed(after))


def test_the_reference_is_that_of_the_sources():
    assert reference.PAGE.read_text() == reference.page(), f"Run: .venv/bin/{surface.RENEW}"
    assert set(reference.MANIFEST) == {one.name for one in fields(Manifest)}


HOOKS = sorted(name for name, rule in rules_of(hookspecs).items() if rule.mode is not Mode.SYSTEM)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_an_example_in_the_docs(hook):
    pages = "\n".join(path.read_text() for path in (ROOT / "docs/plugins").rglob("*.md"))
    code = "\n".join(path.read_text() for path in (ROOT / "plugins/data/scaffold").rglob("*.py.txt"))
    assert f"def {hook}(" in pages + code, f"Write an example of {hook} into docs/plugins."
    prose = (ROOT / "docs/plugins/guide.md").read_text() + (ROOT / "docs/plugins/tutorial.md").read_text()
    assert hook in prose, f"Say in docs/plugins/guide.md what {hook} is for."


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_caller_and_a_test(hook):
    product = [path.read_text() for name in ("platform", "plugins") for path in (ROOT / name).rglob("*.py")]
    assert any(f'"{hook}"' in text for text in product), f"Nothing calls {hook}."
    tests = [path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "test_plugin_api.py"]
    # The tutorial is run by a test, so what it shows is tested.
    tests.append((ROOT / "docs/plugins/tutorial.md").read_text())
    tests += [path.read_text() for path in (ROOT / "plugins/data/scaffold").rglob("*.py.txt")]
    # Tests also declare things for one test alone, without a module of hooks.
    rule, kind = rules_of(hookspecs)[hook], hook.removeprefix("kehu_register_")
    item = rule.item.__name__ if rule.mode is Mode.REGISTER else hook
    declared = re.compile(rf"\b({hook}\b|{item}\(|{kind}\"?[=,] ?\[)")
    assert any(declared.search(text) for text in tests), f"No test uses {hook}."
