"""Child processes of `make run`: started apart from the terminal, restarted when they die, stopped in order."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
# A child that lived this long was well; its next death starts with the short pause again.
HEALTHY_SECONDS = 60.0
LOG_BYTES = 10_000_000
_PR_SET_PDEATHSIG = 1


class Child:
    """One process that is kept alive.

    :param name: shown to people; also the name of its log file.
    :param log: file that takes what the process prints.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.command = list(command)
        self.environment = dict(environment)
        self.log = log
        self.deaths = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next_start = 0.0

    def start(self) -> None:
        """Start the process; its output goes to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal reaches the supervisor alone, which stops the rest in order.
                start_new_session=True,
                preexec_fn=_die_with_parent(os.getpid()),  # noqa: PLW1509 - the supervisor has one thread
            )
        self._started = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def watch(self) -> str | None:
        """Restart the process when it has died and its pause is over; return what to tell people."""
        if self.alive or self._process is None:
            return None
        now = time.monotonic()
        if not self._next_start:
            if now - self._started > HEALTHY_SECONDS:
                self.deaths = 0
            pause = min(FIRST_PAUSE * 2**self.deaths, LONGEST_PAUSE)
            self.deaths += 1
            self._next_start = now + pause
            return f"The {self.name} process ended ({self.ending}); it starts again in {pause:.0f} s. See {self.log}."
        if now >= self._next_start:
            self._next_start = 0.0
            self.start()
            return f"The {self.name} process runs again."
        return None

    @property
    def ending(self) -> str:
        """How the process ended, in words."""
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"signal {signal.Signals(-code).name}"
        return f"exit code {code}"

    def ask_to_stop(self) -> None:
        """Ask the process to finish what it does and end."""
        if self._process is not None and self.alive:
            self._process.terminate()

    def wait_stopped(self, seconds: float) -> bool:
        """Wait for the end; kill the whole group when it takes too long. Return whether it went by itself."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False
        finally:
            _kill_group(self._process.pid)
            self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        """Return the end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Stop all children at once, each with the same time to finish."""
    for child in children:
        child.ask_to_stop()
    until = time.monotonic() + seconds
    for child in children:
        if not child.wait_stopped(max(0.1, until - time.monotonic())):
            print(
                f"The {child.name} process did not end in {seconds:.0f} s and was stopped hard.", flush=True
            )


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # The group is gone: nothing of it was left over.
        return


def _die_with_parent(parent: int) -> Callable[[], None] | None:
    """Return what makes a child end when the supervisor is killed hard (Linux only; elsewhere None)."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        # The parent may have died between fork and here.
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel
