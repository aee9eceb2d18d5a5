"""The author's journey: `kehu plugin new`, on for one firm and not for another, used, purged without a trace.

That what `new` writes passes `kehu plugin check` with its own contract tests untouched is proven in `test_authoring`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from kehu.authoring.lend import lend
from kehu.cli.main import kehu

WALK = Path(__file__).with_name("author_walk.py")


@pytest.mark.slow
def test_from_new_to_a_purge_without_a_trace(tmp_path: Path) -> None:
    folder = tmp_path / "kehu-lamp"
    told = CliRunner().invoke(kehu, ["plugin", "new", "lamp", "--into", str(folder)])
    assert (told.exit_code, "kehu plugin check" in told.output) == (0, True), told.output
    (folder / "tests/test_walk.py").write_text(WALK.read_text())
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/test_walk.py"]
    environment = lend([folder], tmp_path / "shelf")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout
