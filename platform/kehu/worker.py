"""The job worker: runs until a signal, survives the database's restart, takes up jobs of workers that died."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate import PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException

from kehu.config import ConfigError, Settings
from kehu.core import jobs
from kehu.watch import checks

log = structlog.get_logger(__name__)

STALLED_SECONDS = 60
HEARTBEAT_SECONDS = 10
SWEEP_SECONDS = 20
"""A worker that was killed is noticed after a minute; its jobs run again, from where they had committed."""

_GONE = (ConnectorException, psycopg.OperationalError, OSError)


class Connector(PsycopgConnector):
    """Asks for jobs without blocking; a job that enqueues another does so on the blocking connection of its own work.

    Procrastinate would use its open, non-blocking self there and fail on that connection.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._within_jobs = SyncPsycopgConnector()

    def get_sync_connector(self) -> Any:
        """Return what enqueues within jobs; it is always handed a connection, so it needs no pool."""
        return self._within_jobs


def run_worker(settings: Settings, *, concurrency: int = 2, once: bool = False) -> None:
    """Run jobs until SIGINT or SIGTERM.

    :param once: stop when the queue is empty.
    """
    asyncio.run(_run(settings, concurrency, once))


async def _run(settings: Settings, concurrency: int, once: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):
            loop.add_signal_handler(name, stop.set)
    while not stop.is_set():
        try:
            await _serve(settings, concurrency, once, stop)
            if once:
                return
        except _GONE as error:
            log.warning("worker_without_database", error=type(error).__name__)
        if not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2)


async def _serve(settings: Settings, concurrency: int, once: bool, stop: asyncio.Event) -> None:
    if found := checks.refusals():
        raise ConfigError(" ".join(found))
    connector = Connector(
        conninfo=settings.app_database_url,
        min_size=1,
        max_size=concurrency + 3,
        kwargs={"application_name": "kehu-worker"},
    )
    with jobs.app.replace_connector(connector) as app:
        async with app.open_async():
            await _reclaim(app)
            worker = asyncio.create_task(
                app.run_worker_async(
                    concurrency=concurrency,
                    wait=not once,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=5,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=STALLED_SECONDS,
                    shutdown_graceful_timeout=20,
                    delete_jobs="successful",
                )
            )
            sweep = asyncio.create_task(_sweep(app))
            stopping = asyncio.create_task(stop.wait())
            try:
                done, _pending = await asyncio.wait(
                    {worker, sweep, stopping}, return_when=asyncio.FIRST_COMPLETED
                )
                if worker not in done:
                    worker.cancel()
                for task in done - {stopping}:
                    task.result()
            finally:
                for task in (sweep, stopping, worker):
                    task.cancel()
                await asyncio.gather(worker, sweep, stopping, return_exceptions=True)


async def _sweep(app: procrastinate.App) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        await _reclaim(app)


async def _reclaim(app: procrastinate.App) -> None:
    """Put the jobs of dead workers back into the queue."""
    stalled: Any = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS)
    for job in stalled:
        log.warning("job_reclaimed", task=job.task_name, job=job.id)
        await app.job_manager.retry_job(job)
