"""What has to work before a process may be given requests."""

from __future__ import annotations

import functools
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from kehu.core import db, migration

log = structlog.get_logger(__name__)

# Longer than any healthy answer, shorter than the patience of those who ask.
TIMEOUT_MS = 2000
OK = "ok"


def readiness() -> dict[str, str]:
    """Return the state of each part: `ok`, or what is wrong and what to do."""
    states = dict.fromkeys(("database", *_CHECKS), "not checked, the database does not answer")
    try:
        with db.engine("app").connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout TO {TIMEOUT_MS}"))
            states["database"] = OK
            for name, check in _CHECKS.items():
                with connection.begin_nested():
                    states[name] = check(connection)
    except SQLAlchemyError as error:
        broken = next(name for name, state in states.items() if state != OK)
        # The reason stands in the log alone: it may name hosts and roles.
        states[broken] = "does not answer; the log says why"
        log.warning("not_ready", part=broken, error=str(error.__cause__ or error)[:500])
    return states


def _migrations(connection: Connection) -> str:
    have = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return (
        OK
        if have == _newest()
        else f"the database is at {have}, the code needs {_newest()}: run kehu db upgrade"
    )


def _queue(connection: Connection) -> str:
    connection.execute(text("SELECT 1 FROM procrastinate_jobs LIMIT 1"))
    return OK


@functools.cache
def _newest() -> str | None:
    return migration.heads()


_CHECKS: dict[str, Callable[[Connection], str]] = {"migrations": _migrations, "queue": _queue}
_FORBIDDING: dict[str, Callable[[Connection], str]] = {}


def forbid(name: str, check: Callable[[Connection], str]) -> None:
    """Add a part that must be in order before this installation serves at all, whatever else works.

    :param check: returns `ok`, or what is wrong with the remedy.
    """
    _CHECKS[name] = _FORBIDDING[name] = check


def refusals() -> list[str]:
    """Return why this process must not begin to serve; nothing while the database can't be asked.

    Web and worker ask before they begin; `/readyz` says the same afterwards.
    """
    try:
        with db.engine("app").connect() as connection:
            connection.execute(text(f"SET LOCAL statement_timeout TO {TIMEOUT_MS}"))
            states = {name: check(connection) for name, check in _FORBIDDING.items()}
    except SQLAlchemyError as error:
        log.warning("not_checked", error=str(error.__cause__ or error)[:500])
        return []
    return [f"{name}: {state}." for name, state in states.items() if state != OK]
