"""The worker as a process: empties the queue, takes up what the dead left, waits for a database that is away."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from kehu.core.ids import new_id
from kehu.dev import roles, settings
from kehu.dev.processes import Child, stop_all
from kehu.dev.roles import DatabaseUrls
from kehu.dev.run import COMMAND
from kehu.testkit.database import TestServer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def urls(database_server: TestServer) -> Iterator[DatabaseUrls]:
    """A database whose queue belongs to these tests."""
    made = database_server.make()
    yield made
    database_server.drop(made)


@pytest.fixture
def environment(urls: DatabaseUrls, tmp_path: Path) -> dict[str, str]:
    """What `make run` would give to the worker."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("KEHU_")}
    return settings.child_environment(urls, tmp_path, settings.free_port(), 1, given)


def ask(urls: DatabaseUrls, statement: str, *values: Any) -> Any:
    """Return the first cell of a statement's answer."""
    with psycopg.connect(urls.app, autocommit=True) as connection:
        row = connection.execute(statement.encode(), values).fetchone()
        return row[0] if row else None


def enqueue(urls: DatabaseUrls, status: str = "todo", worker: int | None = None) -> int:
    """Put a job into the queue that does nothing: its tenant does not exist."""
    made = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id) VALUES "
        "('events', 'addons.deliver', jsonb_build_object('tenant_id', %s::text, 'slug', 'x', 'batch_id', %s::text), "
        "%s::procrastinate_job_status, %s) RETURNING id"
    )
    return int(ask(urls, made, str(new_id()), str(new_id()), status, worker))


def status(urls: DatabaseUrls, number: int) -> str | None:
    """Return the state of a job; None when it is done and gone."""
    found = ask(urls, "SELECT status::text FROM procrastinate_jobs WHERE id = %s", number)
    return None if found is None else str(found)


def found_firm(urls: DatabaseUrls) -> None:
    """Add the row of a firm, of whom all scheduled work is due at once."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO tenants (id, address, name, currency, zone, locale) "
            "VALUES (%s, 'worker-firm', 'Worker firm', 'GBP', 'Europe/London', 'en')",
            (new_id(),),
        )


def once(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the worker until the queue is empty."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, "worker", "--once"],
        env=environment,
        cwd=settings.root(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.1)


def test_once_empties_the_queue(urls: DatabaseUrls, environment: dict[str, str]) -> None:
    numbers = [enqueue(urls) for _number in range(5)]
    done = once(environment)
    assert done.returncode == 0, done.stderr
    assert [status(urls, number) for number in numbers] == [None] * 5


def test_a_job_may_enqueue_others(urls: DatabaseUrls, environment: dict[str, str]) -> None:
    found_firm(urls)
    tick = ask(
        urls,
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES "
        "('default', 'kehu.schedule.tick', '{}') RETURNING id",
    )
    done = once(environment)
    assert (done.returncode, status(urls, tick)) == (0, None), done.stderr
    assert "scheduled_work_enqueued" in done.stderr
    assert "job_failed" not in done.stderr


def test_jobs_of_the_dead_run_again_and_those_of_the_living_do_not(
    urls: DatabaseUrls, environment: dict[str, str]
) -> None:
    made = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id"
    dead, living = ask(urls, made, "5 minutes"), ask(urls, made, "1 second")
    lost, busy = enqueue(urls, "doing", dead), enqueue(urls, "doing", living)
    done = once(environment)
    assert done.returncode == 0, done.stderr
    assert "job_reclaimed" in done.stderr
    assert status(urls, lost) is None
    assert status(urls, busy) == "doing"


def test_a_database_that_goes_and_comes(
    urls: DatabaseUrls, environment: dict[str, str], database_server: TestServer, tmp_path: Path
) -> None:
    name = sql.Identifier(roles.database_name(urls.owner))
    child = Child(
        "worker", [sys.executable, "-c", COMMAND, "worker"], environment, tmp_path / "log" / "worker.log"
    )
    child.start()
    try:
        first = enqueue(urls)
        until(lambda: status(urls, first) is None)
        with database_server._admin() as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (roles.database_name(urls.owner),),
            )
            time.sleep(4)
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        assert child.alive, child.log_tail()
        second = enqueue(urls)
        until(lambda: status(urls, second) is None, 60)
        assert child.alive
        child.ask_to_stop()
        assert child.wait_stopped(25)
        assert child.ending == "exit code 0", child.log_tail()
    finally:
        stop_all([child], 5)
