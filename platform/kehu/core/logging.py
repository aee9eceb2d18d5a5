"""Structured logs: JSON lines with request and tenant id, never personal data."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from typing import Any

import structlog
from sqlalchemy import Engine, event

from kehu.core import context


def _add_context(_logger: Any, _name: str, entry: dict[str, Any]) -> dict[str, Any]:
    now = context.current()
    if now.request_id:
        entry.setdefault("request_id", now.request_id)
    if now.tenant is not None:
        entry.setdefault("tenant_id", str(now.tenant.id))
    return entry


def setup_logging(level: str = "INFO") -> None:
    """Send structlog and the standard library's loggers to standard error as JSON lines."""
    shared: list[Any] = [
        _add_context,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in ("procrastinate", "alembic"):
        logging.getLogger(name).setLevel("WARNING")


def frames(error: BaseException) -> str:
    """Return kind and place of an error without its message, which may quote what somebody wrote or a whole row."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"


def watch_queries(target: Engine, slow_ms: int) -> None:
    """Log each statement that takes longer than a bound, without its values."""
    if slow_ms <= 0:
        return
    log = structlog.get_logger("kehu.slow_query")

    @event.listens_for(target, "before_cursor_execute")
    def _start(conn: Any, _cursor: Any, _statement: str, _params: Any, _ctx: Any, _many: bool) -> None:
        conn.info["kehu_started"] = time.perf_counter()

    @event.listens_for(target, "after_cursor_execute")
    def _end(conn: Any, _cursor: Any, statement: str, _params: Any, _ctx: Any, _many: bool) -> None:
        taken = (time.perf_counter() - conn.info.pop("kehu_started", time.perf_counter())) * 1000
        if taken >= slow_ms:
            log.warning("slow_query", milliseconds=round(taken), statement=statement[:2000])
