"""The tutorial, followed as it is written: each snippet is put where it says, and the plugin passes its tests."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kehu.authoring.lend import lend
from plugins.scaffold import write_scaffold

DOCS = Path(__file__).resolve().parents[3] / "docs/plugins"
DENTIST = DOCS / "dentist"
SNIPPET = re.compile(r"<!-- (.+?) -->\n```\w+\n(.*?)```", re.DOTALL)
PLACE = re.compile(r'in (\S+) (behind|before|replace) "(.*)"', re.DOTALL)


def follow(text: str, folder: Path) -> int:
    """Do what a tutorial says; return the number of snippets."""
    steps = SNIPPET.findall(text)
    for order, snippet in steps:
        verb, _space, rest = order.partition(" ")
        place = PLACE.fullmatch(order)
        if place is not None:
            file, how, mark = folder / place[1], place[2], place[3]
            before = file.read_text()
            assert mark in before, f"{order}: there is no such place."
            inserted = {
                "behind": f"{mark}\n{snippet.rstrip()}",
                "before": f"{snippet.rstrip()}\n{mark}",
                "replace": snippet.rstrip(),
            }
            file.write_text(before.replace(mark, inserted[how], 1))
        elif verb == "stands":
            file = folder / rest.removeprefix("in ")
            assert snippet.rstrip() in file.read_text(), f"{order}: it does not."
        else:
            file = folder / rest.removeprefix("to ")
            kept = f"{file.read_text().rstrip()}\n\n\n" if verb == "append" else ""
            assert verb in ("append", "write"), order
            file.write_text(kept + snippet)
    return len(steps)


def ruff(folder: Path, *arguments: str) -> None:
    """Run ruff as an author does."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_tutorial_s_plugin_and_the_dentists_pass_their_tests(tmp_path: Path) -> None:
    folder = tmp_path / "kehu-clinic"
    write_scaffold("clinic", folder, name="Clinic", today=dt.date(2026, 11, 28))
    ruff(folder, "format", "-q")
    text = (DOCS / "tutorial.md").read_text()
    assert follow(text, folder) == len(re.findall(r"^```(?!console)\w", text, re.MULTILINE))
    ruff(folder, "check", "--fix", "-q")
    ruff(folder, "format", "-q")
    environment = lend([folder, DENTIST], tmp_path / "shelf")
    # One process for both: an application takes longer to start than their tests to run.
    command = [
        "pytest",
        "-q",
        "-n0",
        "-p",
        "no:cacheprovider",
        "-W",
        "error",
        "--import-mode=importlib",
        "-c",
        "/dev/null",
    ]
    done = subprocess.run(
        [sys.executable, "-m", *command, f"--rootdir={tmp_path}", str(folder / "tests"), str(DENTIST / "tests")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) > 50
