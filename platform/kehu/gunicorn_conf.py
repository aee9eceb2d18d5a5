"""How gunicorn serves Kehu: `gunicorn --config python:kehu.gunicorn_conf wsgi:app`.

Options on the command line (or in GUNICORN_CMD_ARGS) win over these.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psutil
import uuid_utils

from kehu.config import load_settings

_MEMORY = Path("/dev/shm")  # noqa: S108 - files in memory, not a shared name
_settings = load_settings()


def _counters() -> Path:
    """Make the folder through which the processes add up what they count; drop those of servers that were killed."""
    base = _MEMORY if _MEMORY.is_dir() else Path(tempfile.gettempdir())
    for old in base.glob("kehu-metrics-*-*"):
        if not psutil.pid_exists(int(old.name.split("-")[2])):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"kehu-metrics-{os.getpid()}-", dir=base))


# The library looks for the name when it is imported, so it has to be there before the application is.
_given = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
_counts = Path(_given) if _given else _counters()
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts)

bind = [f"127.0.0.1:{_settings.port}"]
workers = 2
# Threads, not one request a process: a slow upload or a slow browser then holds a thread, not half of the site,
# and connections stay open between requests. Four match the connections that a process keeps to the database.
worker_class = "gthread"
threads = 4
keepalive = 15
# The import happens once and its memory is shared by the workers; `gc.freeze` below keeps it shared.
preload_app = True
timeout = 60
graceful_timeout = 10
# Filters live in the address; a cookie with a session is under 4 kB.
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
# Requests are logged once, by the application, with request id and tenant.
accesslog = None
errorlog = "-"
loglevel = "warning"
# gunicorn's own control socket would lie in the home directory, the same for each installation of this machine.
control_socket_disable = True
# The heartbeat file must never wait for a disk.
worker_tmp_dir = str(_MEMORY) if _MEMORY.is_dir() else None
forwarded_allow_ips = "*" if _settings.proxies else "127.0.0.1,::1"
proc_name = "kehu-web"


_M_ARENA_MAX = -8
"""The option's number in glibc's malloc.h."""


def _share_one_heap() -> None:
    """Let all threads of a process allocate from one heap: each of its own would keep the most it ever held.

    Python's own lock keeps the threads from waiting for each other there. Other C libraries have no such option.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 1)


_share_one_heap()


def on_starting(_server: Any) -> None:
    """Refuse to serve what the database forbids; one that does not answer yet forbids nothing."""
    from kehu.core import db
    from kehu.watch import checks

    found = checks.refusals()
    db.engine("app").dispose()  # Workers open their own connections.
    if found:
        raise SystemExit(f"kehu: {' '.join(found)}")


def when_ready(_server: Any) -> None:
    """Put what the import made out of the garbage collector's reach, so that the workers go on sharing it."""
    gc.collect()
    gc.freeze()


def post_fork(_server: Any, _worker: Any) -> None:
    """Give the worker what must not be shared: connections and the source of random ids."""
    from kehu.core import db

    for role in ("app", "cross") if _settings.cross_database_url else ("app",):
        # Forgotten, not closed: a connection that the import may have opened is still the parent's.
        db.engine(role).dispose(close=False)
    # Without this all workers would make the same ids: the library's generator is copied by the fork.
    uuid_utils.reseed_rng()


def child_exit(_server: Any, worker: Any) -> None:
    """Forget what a worker that ended was doing; what it counted stays."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


def on_exit(_server: Any) -> None:
    """Remove the files of the counters."""
    shutil.rmtree(_counts, ignore_errors=True)
