"""Background work on procrastinate: enqueued in the transaction that caused it, run for one tenant, retried.

A task's first argument is the tenant's id; `tenant_task` opens its scope and commits once. Tasks must be safe to
run twice. Platform-wide work uses `platform_task`.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import procrastinate
import structlog
from flask import Flask
from flask_babel import force_locale
from procrastinate import RetryStrategy
from sqlalchemy.orm import Session

from kehu.core import clock, context, db, hooks
from kehu.core.ids import new_id, parse_id

log = structlog.get_logger(__name__)

app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
"""The task registry of the web process; the worker exchanges the connector."""

RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)
"""Waits 3, 9, 27 … seconds; after the last attempt the job stands in the list of failed jobs."""

ActorLoader = Callable[[Session, uuid.UUID], context.Actor | None]

_flask: Flask | None = None
_load_actor: ActorLoader | None = None
_more_loaders: list[ActorLoader] = []


def bind(flask_app: Flask, load_actor: ActorLoader) -> None:
    """Say in which application tasks run, and how the member on whose behalf one runs is found."""
    global _flask, _load_actor
    _flask, _load_actor = flask_app, load_actor


def also_load(load_actor: ActorLoader) -> None:
    """Let other floors find who acts by an id that is no member's."""
    if load_actor not in _more_loaders:
        _more_loaders.append(load_actor)


def _acting(member_id: str | None) -> context.Actor:
    if not member_id or _load_actor is None:
        return context.SYSTEM
    with db.unit_of_work() as session:
        loaders = (_load_actor, *_more_loaders)
        found = next((who for load in loaders if (who := load(session, uuid.UUID(member_id)))), None)
    # Who is gone may do nothing: work in somebody's name must never become the product's own.
    return found or context.Actor(kind="job", member_id=uuid.UUID(member_id))


@contextmanager
def _failures_told(task: str) -> Iterator[None]:
    """Log why a task failed: the job runs again, and nobody would hear of it before the last attempt."""
    try:
        yield
    except Exception:
        log.warning("job_failed", task=task, exc_info=True)
        raise


def tenant_task(
    name: str, *, queue: str = "default", retry: Any = RETRY, one_transaction: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a task of one tenant: `def work(tenant_id, …)`.

    It runs with the tenant bound, in the tenant's language, as the member in `member_id` (or the product itself),
    with the rights that the member has then: none once parked.

    :param one_transaction: False for long work that opens units of work of its own.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(tenant_id: str, **arguments: Any) -> Any:
            assert _flask is not None
            with (
                _flask.app_context(),
                context.use(tenant=None, actor=None, request_id=new_id().hex, source="job"),
                _failures_told(name),
            ):
                with db.unit_of_work():
                    tenant = hooks.tenant_by_id(uuid.UUID(tenant_id))
                if tenant is None:
                    log.warning("job_without_tenant", task=name)
                    return None
                with context.use(tenant=tenant), force_locale(tenant.locale):
                    who = _acting(arguments.pop("member_id", None))
                    with context.use(actor=who):
                        if not one_transaction:
                            return function(tenant.id, **arguments)
                        with db.unit_of_work():
                            return function(tenant.id, **arguments)

        app.task(name=name, queue=queue, retry=retry)(run)
        run.task_name = name  # type: ignore[attr-defined]
        return run

    return decorate


def platform_task(
    name: str, *, queue: str = "default", retry: Any = RETRY, cron: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a task over all tenants; it uses `db.cross_tenant` itself. `cron` makes it periodic (UTC)."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(**arguments: Any) -> Any:
            assert _flask is not None
            arguments.pop("timestamp", None)
            with (
                _flask.app_context(),
                context.use(tenant=None, actor=context.SYSTEM, request_id=new_id().hex, source="job"),
                _failures_told(name),
            ):
                return function(**arguments)

        task: Any = app.task(name=name, queue=queue, retry=retry)(run)
        if cron:
            app.periodic(cron=cron)(task)
        run.task_name = name  # type: ignore[attr-defined]
        return run

    return decorate


QUEUED = (
    "procrastinate_defer_jobs_v1(ARRAY[ROW(CAST(:queue AS varchar), CAST(:task AS varchar), 0, NULL, NULL, "
    "CAST(:arguments AS jsonb), NULL)::procrastinate_job_to_defer_v1])"
)
"""SQL that puts a job into the queue from within a statement, which then is the whole transaction; see `queued`."""


def queued(name: str, **arguments: str) -> dict[str, str]:
    """Return what `QUEUED` is bound to, for a task that is no tenant's."""
    return {"queue": app.tasks[name].queue, "task": name, "arguments": json.dumps(arguments)}


def enqueue(
    session: Session,
    task: Callable[..., Any] | str,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    wait: dt.timedelta | None = None,
    **arguments: Any,
) -> None:
    """Put a job into the queue within the session's transaction: it exists if the change does.

    :param task: a declared task or its name.
    :param lock: jobs with the same lock run one after the other.
    :param queueing_lock: a second waiting job with the same one is left out.
    :param wait: run it so much later.
    """
    name = task if isinstance(task, str) else task.task_name  # type: ignore[attr-defined]
    tenant = context.current().tenant
    if "tenant_id" not in arguments and tenant is not None:
        arguments["tenant_id"] = str(tenant.id)
    who = context.current().actor
    if "member_id" not in arguments and "tenant_id" in arguments and who is not None and who.member_id:
        # What support leaves behind runs by its visit, with no more rights than it has.
        arguments["member_id"] = str(who.visit_id or who.member_id)
    plain = {
        key: str(value) if parse_id(value) and not isinstance(value, str) else value
        for key, value in arguments.items()
    }
    session.flush()  # The rows that the job is about precede it in the same transaction.
    options: dict[str, Any] = {"name": name, "lock": lock, "queueing_lock": queueing_lock}
    if wait is not None:
        options["schedule_at"] = clock.now() + wait
    try:
        with session.begin_nested() if queueing_lock else nullcontext():
            # Asked for inside the block: the savepoint is opened only when its connection is used.
            options["connection"] = session.connection().connection.driver_connection
            app.configure_task(**options, allow_unknown=False).defer(**plain)
    except procrastinate.exceptions.AlreadyEnqueued:
        log.debug("job_already_waiting", task=name)
