from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from kehu.dev import processes
from kehu.dev.processes import Child, stop_all


def child(folder: Path, code: str) -> Child:
    return Child("part", [sys.executable, "-c", code], os.environ, folder / "log" / "part.log")


def wait_for(condition, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.01)


def test_what_it_prints_goes_to_its_log(tmp_path: Path):
    part = child(tmp_path, "print('good morning')")
    part.start()
    wait_for(lambda: not part.alive)
    assert "good morning" in part.log_tail()
    assert part.ending == "exit code 0"


def test_a_dead_child_is_started_again_after_a_growing_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "FIRST_PAUSE", 0.05)
    part = child(tmp_path, "import time; time.sleep(60)")
    part.start()
    for pauses in (1, 2):
        assert part.watch() is None
        assert part._process is not None
        os.kill(part._process.pid, signal.SIGKILL)
        wait_for(lambda: not part.alive)
        assert "SIGKILL" in (part.watch() or "")
        assert part.watch() is None
        wait_for(lambda: part.watch() is not None)
        assert part.alive
        assert part.deaths == pauses
    stop_all([part], 5)


def test_children_that_do_not_listen_are_stopped_hard(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    deaf = child(
        tmp_path,
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
    )
    deaf.start()
    wait_for(lambda: "deaf" in deaf.log_tail())
    stop_all([deaf], 0.2)
    assert not deaf.alive
    assert "stopped hard" in capsys.readouterr().out


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Only Linux tells a child of its parent's death."
)
def test_children_end_with_a_supervisor_that_is_killed(tmp_path: Path):
    code = f"""
import pathlib, sys, time
from kehu.dev.processes import Child
command = [sys.executable, "-c", "import time; time.sleep(60)"]
part = Child("part", command, {{}}, pathlib.Path({str(tmp_path)!r}) / "grandchild.log")
part.start()
print(part._process.pid, flush=True)
time.sleep(60)
"""
    supervisor = child(tmp_path, code)
    supervisor.environment = dict(os.environ)
    supervisor.start()
    wait_for(lambda: supervisor.log_tail().strip().isdigit())
    grandchild = int(supervisor.log_tail())
    assert supervisor._process is not None
    os.kill(supervisor._process.pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.alive)
    wait_for(
        lambda: (
            not Path(f"/proc/{grandchild}").exists() or "Z" in Path(f"/proc/{grandchild}/stat").read_text()
        )
    )
