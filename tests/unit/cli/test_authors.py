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
