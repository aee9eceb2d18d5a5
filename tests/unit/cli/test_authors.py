"""The commands for those who write plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from kehu.authoring import surface
from tests.unit.cli.conftest import Run


def test_the_command_compares_and_renews(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "api.txt"
    kept.write_text(
        "\n".join(one for one in surface.present() if one != "kehu.api.select") + "\nkehu.api.gone\n"
    )
    monkeypatch.setattr(surface, "SNAPSHOT", kept)
    told = run("plugin", "api-diff", code=1).output
    assert told == "+ kehu.api.select\n- kehu.api.gone\n"
    assert "The snapshot holds" in run("plugin", "api-diff", "--renew").output
    assert run("plugin", "api-diff").output == "The plugin API is as the snapshot has it.\n"
    older = tmp_path / "older.txt"
    older.write_text("kehu.api.gone\n")
    assert "- kehu.api.gone" in run("plugin", "api-diff", "--against", str(older), code=1).output


def test_new_writes_a_plugin_that_passes_its_files_check(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "kehu-sea"
    assert (
        "Next: kehu plugin check"
        in run("plugin", "new", "sea", "--name", "Sea", "--into", str(folder)).output
    )
    shown = run("plugin", "check", str(folder), "--files-only").output
    titles = ("manifest", "imports", "templates", "contract", "declarations")
    assert shown.splitlines() == [f"ok    {title}" for title in titles]
    assert "complete" in run("plugin", "texts", str(folder)).output
    assert "small letters" in run("plugin", "new", "Sea", "--into", str(tmp_path / "x"), code=1).output
    (folder / "kehu_sea/web.py").write_text(
        "from kehu.core import db\nfrom kehu.api import _\n\n_('Low tide')\n"
    )
    shown = run("plugin", "check", str(folder), "--files-only", code=1).output
    assert "FAIL  imports\n      web.py:1 imports kehu.core." in shown
    assert "texts to translate" in run("plugin", "texts", str(folder)).output


def test_a_folder_without_a_plugin_is_told(run: Run, tmp_path: Path) -> None:
    for command in ("check", "texts", "cycle"):
        assert "There is no" in run("plugin", command, str(tmp_path), code=1).output
