"""Counters for Prometheus: by route, never by tenant, so that their number stays bounded.

With several processes gunicorn's configuration names a folder in PROMETHEUS_MULTIPROC_DIR, through which the
library adds them up.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import structlog
from flask import Flask, Response, g, has_request_context, request, request_finished, request_started
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event, text
from sqlalchemy.exc import SQLAlchemyError

from kehu.core import db

log = structlog.get_logger("kehu.request")

REQUESTS = Counter("kehu_requests", "Answered requests", ["method", "route", "status"])
SECONDS = Histogram(
    "kehu_request_seconds",
    "Time to answer a request",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
QUIET = ("/static/", "/healthz", "/readyz", "/metrics")


def init_metrics(app: Flask) -> None:
    """Measure every request of an application."""
    request_started.connect(_started, app)
    request_finished.connect(_finished, app)
    event.listen(db.engine("app"), "before_cursor_execute", _count_statement)


def _count_statement(*_about: object) -> None:
    if has_request_context():
        g.statements = g.get("statements", 0) + 1


def _started(_app: Flask, **_more: object) -> None:
    g.started = time.perf_counter()


def _finished(_app: Flask, response: Response, **_more: object) -> None:
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    # The pattern, not the path: paths hold ids, and strangers can ask for any number of them.
    route = request.url_rule.rule if request.url_rule else "unknown"
    REQUESTS.labels(request.method, route, str(response.status_code)).inc()
    SECONDS.labels(route).observe(seconds)
    if not request.path.startswith(QUIET):
        log.info(
            "request",
            method=request.method,
            route=route,
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
            statements=g.get("statements", 0),
        )


class JobCollector(Collector):
    """Counts background jobs by status, when Prometheus asks."""

    def collect(self) -> Iterable[Metric]:
        """Ask the queue; say nothing while the database is away."""
        family = GaugeMetricFamily("kehu_jobs", "Background jobs", labels=["status"])
        statement = text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
        try:
            with db.engine("app").connect() as connection:
                connection.execute(text("SET LOCAL statement_timeout TO 2000"))
                for status, count in connection.execute(statement):
                    family.add_metric([status], count)
        except SQLAlchemyError as error:
            log.warning("jobs_not_counted", error=type(error).__name__)
        yield family


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(JobCollector())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
        return generate_latest(registry)
    return generate_latest(REGISTRY) + generate_latest(registry)
