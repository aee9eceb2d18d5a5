"""Share one embedded server between test processes: the first starts it, the last one stops it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kehu.dev.embedded import Cluster


@contextmanager
def leased(home: Path) -> Iterator[Cluster]:
    """Lend the server in a folder.

    Leases are file locks, which a process gives back however it ends; so a run that was killed neither keeps
    the server alive for ever nor takes it away from others.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(home, durable=False)
    turn, lease = _lock_file(home, "turn"), _lock_file(home, "lease")
    with turn, lease:
        with _held(turn):
            fcntl.flock(lease, fcntl.LOCK_SH)
            cluster.ensure()
        try:
            yield cluster
        finally:
            with _held(turn):
                fcntl.flock(lease, fcntl.LOCK_UN)
                if _is_last(lease):
                    cluster.stop()


def _lock_file(home: Path, name: str) -> IO[str]:
    return home.with_name(f"{home.name}.{name}").open("w")


@contextmanager
def _held(file: IO[str]) -> Iterator[None]:
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_last(lease: IO[str]) -> bool:
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lease, fcntl.LOCK_UN)
    return True
