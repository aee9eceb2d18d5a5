"""Whatever the double does at an address, on a page or in time names the page of Stripe that it was written from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import tests.stripe_double as package
from tests.stripe_double import families
from tests.stripe_double.pages import PAGES
from tests.stripe_double.routes import ROUTES
from tests.stripe_double.world import TIMERS

assert families
FOLDER = Path(package.__file__).parent
NO_BEHAVIOUR = {"__init__", "__main__", "control", "e2e", "families", "faults", "process", "sdk", "step"}
"""What starts and orders the double, or only reads the SDK."""


def _named(function: Any) -> bool:
    return "https://docs.stripe.com/" in (function.__doc__ or "")


def test_each_address_page_and_timer_names_its_source() -> None:
    silent = [f"{one.method} {one.path}" for one in ROUTES if not _named(one.handler)]
    silent += [name for name, timer in TIMERS.items() if not _named(timer)]
    silent += [pattern.pattern for pattern, page in PAGES if not _named(page)]
    assert not silent
    assert len(ROUTES) > 90


def test_the_table_of_the_readme_has_each_module_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)", (FOLDER / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    modules = {file.stem for file in FOLDER.glob("*.py")} - NO_BEHAVIOUR
    assert set(rows) == modules, set(rows) ^ modules
    for name in modules - {"world"}:
        assert "docs.stripe.com" in (FOLDER / f"{name}.py").read_text(encoding="utf-8"), name
