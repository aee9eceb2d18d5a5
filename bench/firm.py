"""An application over a fresh database, for benches that measure one firm."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from kehu.app import create_app
from kehu.config import Settings
from kehu.testkit.database import TestServer
from kehu.testkit.leases import leased

SECRET = "bench-bench-bench-bench-bench-bench-bench"


@contextmanager
def fresh() -> Iterator[tuple[Flask, Any]]:
    """Give an application and the addresses of its database, which is dropped after the block."""
    var = Path(os.environ.get("KEHU_VAR", "var"))
    with leased(var / "pg-bench") as cluster:
        lender = TestServer(cluster.url(), None)
        lender.clean()
        urls = lender.make()
        try:
            yield app_over(urls), urls
        finally:
            lender.drop(urls)


def app_over(urls: Any) -> Flask:
    """Return an application over a database."""
    var = Path(os.environ.get("KEHU_VAR", "var"))
    return create_app(
        Settings(
            environment="production",
            secret_key=SECRET,
            database_url=urls.owner,
            app_database_url=urls.app,
            cross_database_url=urls.cross,
            https=False,
            var=var,
            log_level="ERROR",
        )
    )


def memory() -> int:
    """Return the most memory that the process had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
