"""The papers say what the code does."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from kehu.config import Settings

ROOT = Path(__file__).parents[2]
PAPERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]


def test_every_setting_stands_in_the_table():
    rows = dict(
        re.findall(r"^\| `(KEHU_\w+)` \| (.*?) \|", (ROOT / "docs/operating.md").read_text(), re.MULTILINE)
    )
    for spec in fields(Settings):
        default = int(spec.default) if isinstance(spec.default, bool) else spec.default
        assert rows.pop(spec.metadata["env"]) == (f"`{default}`" if default != "" else "–")
    assert not rows


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_links_lead_somewhere(paper):
    for target in re.findall(r"\]\(([^)#:]+)\)", paper.read_text()):
        assert (paper.parent / target).exists(), target
