"""The database: engines by role, the unit of work, and the tenant of each transaction.

This module alone sets `kehu.tenant_id`, transaction-locally, whenever a session begins a transaction,
and adds the tenant filter to each ORM statement (DATABASE.md 1.2 and 1.3). Row-level security is the net below.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import structlog
from psycopg import ServerCursor
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from kehu.config import Settings
from kehu.core import context
from kehu.core.ids import new_id
from kehu.core.tables import TenantOwned
from plugins.relay import running

log = structlog.get_logger(__name__)

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
UNEVEN = ("custom_values",)
"""Tables in which one value may stand once and another one on half of a firm's records."""

_session: ContextVar[Session | None] = ContextVar("kehu_session", default=None)
_engines: dict[str, Engine] = {}
_cross: ContextVar[bool] = ContextVar("kehu_cross_tenant", default=False)


class CrossSession(Session):
    """A session of the role with BYPASSRLS; made only by `cross_tenant`."""


def _driver_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )


_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def _load_json(data: str | bytes) -> Any:
    """Read JSON that PostgreSQL wrote: it is valid, in UTF-8 and has no space around, so the checks are left out."""
    return _scan(data if isinstance(data, str) else str(data, "utf-8"), 0)[0]


def make_engine(url: str, *, pool_size: int = 5, name: str = "kehu") -> Engine:
    """Return an engine for a `postgresql://` address; broken pooled connections are noticed and replaced."""
    return create_engine(
        _driver_url(url),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        json_deserializer=_load_json,
        hide_parameters=True,  # An error would quote them in the log.
        connect_args={"application_name": name, "connect_timeout": 5},
    )


def init_engines(settings: Settings) -> None:
    """Make the engines of this process; a second call replaces those of the first."""
    dispose_engines()
    _engines["app"] = make_engine(settings.app_database_url, pool_size=settings.pool_size)
    event.listen(_engines["app"], "before_cursor_execute", _look_at_statement)
    event.listen(_engines["app"], "do_execute", _plan_by_values)
    event.listen(_engines["app"], "connect", _bound)
    if settings.cross_database_url:
        _engines["cross"] = make_engine(settings.cross_database_url, pool_size=1, name="kehu-cross")


def _bound(connection: Any, _record: Any) -> None:
    """Bound what is asked outside of a transaction, too: those of `lone_statement` wait for nobody's lock for ever."""
    connection.execute(
        f"SET statement_timeout TO {STATEMENT_TIMEOUT_MS}; SET lock_timeout TO {LOCK_TIMEOUT_MS}",
        prepare=False,
    )
    connection.commit()


def dispose_engines() -> None:
    """Close all connections (after a fork, at the end of a test run)."""
    for engine in _engines.values():
        engine.dispose()
    _engines.clear()


def engine(role: str = "app") -> Engine:
    """Return the engine of a role: app or cross."""
    return _engines[role]


def session() -> Session:
    """Return the session of the running unit of work.

    :raises RuntimeError: outside of one.
    """
    found = _session.get()
    if found is None:
        raise RuntimeError("No unit of work is open: use kehu.core.db.unit_of_work().")
    return found


def has_session() -> bool:
    """Tell whether a unit of work is open."""
    return _session.get() is not None


def is_cross_tenant() -> bool:
    """Tell whether the open unit of work is one over all tenants, where no tenant filters what is read."""
    return _cross.get()


def open_session() -> Session:
    """Open a session for the running unit of work (request wrapper only; elsewhere use `unit_of_work`)."""
    opened = Session(_engines["app"], expire_on_commit=False)
    _session.set(opened)
    return opened


def close_session() -> None:
    """Close the session of the unit of work; what was not committed is rolled back."""
    found = _session.get()
    if found is not None:
        _session.set(None)
        found.close()


@contextmanager
def unit_of_work(**changes: Any) -> Iterator[Session]:
    """Open a session, run the block, commit once; roll back when the block raises.

    :param changes: parts of the context to set for the block (tenant, actor, source, request_id).
    """
    with context.use(**changes):
        opened = Session(_engines["app"], expire_on_commit=False)
        # The platform's own, even when a plugin runs further out: what the plugin may not do is not at stake here.
        token, apart = _session.set(opened), running.set(None)
        try:
            yield opened
            opened.commit()
        finally:
            running.reset(apart)
            _session.reset(token)
            opened.close()


@contextmanager
def lone_statement() -> Iterator[Connection]:
    """Lend a connection on which one statement is its own transaction: one round trip where a unit of work takes four.

    No tenant is set, so the tables of tenants are empty here.
    """
    with _engines["app"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


@contextmanager
def cross_tenant(reason: str) -> Iterator[Session]:
    """Open a unit of work over all tenants, as the role with BYPASSRLS.

    The only way around the tenant filter. Each use is logged and kept in `cross_tenant_uses`.

    :param reason: why, in a few words; shown to operators.
    """
    who = context.current().actor
    opened = CrossSession(_engines["cross"], expire_on_commit=False)
    token, flag, apart = _session.set(opened), _cross.set(True), running.set(None)
    log.info("cross_tenant", reason=reason)
    try:
        opened.execute(
            text(
                "INSERT INTO cross_tenant_uses (id, at, reason, actor) VALUES (:id, now(), :reason, :actor)"
            ),
            {"id": new_id(), "reason": reason, "actor": who.name if who else "system"},
        )
        yield opened
        opened.commit()
    finally:
        running.reset(apart)
        _cross.reset(flag)
        _session.reset(token)
        opened.close()


def bind_tenant(tenant: context.TenantInfo) -> None:
    """Make a tenant the one of this unit of work, also within the transaction that is open.

    A member of the tenant that was bound before is nobody in this one.
    """
    _refuse_inside_plugin("change the tenant")
    now = context.current()
    stays = now.tenant is None or now.tenant.id == tenant.id or now.actor is context.SYSTEM
    context.set_context(replace(now, tenant=tenant, actor=now.actor if stays else None))
    found = _session.get()
    if found is not None and found.in_transaction():
        _announce(found)


def transaction_settings(tenant_id: uuid.UUID | None) -> str:
    """Return the statements that open a transaction for a tenant, as one simple string (DATABASE.md 1.2)."""
    value = str(tenant_id) if tenant_id is not None else ""
    return (
        f"SET LOCAL citus.propagate_set_commands TO 'local'; SET LOCAL kehu.tenant_id TO '{value}'; "
        f"SET LOCAL statement_timeout TO {STATEMENT_TIMEOUT_MS}; SET LOCAL lock_timeout TO {LOCK_TIMEOUT_MS}"
    )


def hurry(milliseconds: int) -> None:
    """Bound each further statement of the open transaction; its end lifts the bound."""
    session().execute(text(f"SET LOCAL statement_timeout TO {int(milliseconds)}"))


def _announce(target: Session) -> None:
    _apply(target.connection())


def _refuse_inside_plugin(act: str) -> None:
    """Refuse what would break the unit of work that a plugin's hook runs in; a seat belt, no border."""
    slug = running.get()
    if slug is None:
        return
    from kehu.core import hooks

    record = hooks.host().installed.get(slug)
    if record is None or not record.system:
        raise RuntimeError(f"The plugin {slug} may not {act} inside a hook.")


_FORBIDDEN = (
    (re.compile(r"kehu\.tenant_id|\bset_config\s*\(", re.IGNORECASE), "change the tenant"),
    (
        re.compile(
            r"\bset\s+(?:local\s+|session\s+)?role\b|\breset\s|\bsession\s+authorization\b", re.IGNORECASE
        ),
        "change the role",
    ),
    (
        re.compile(
            r"(?:^|;)\s*(?:commit|begin|start\s+transaction|end|abort|prepare\s+transaction|rollback(?!\s+to\b))\b",
            re.IGNORECASE,
        ),
        "commit",
    ),
)


def _look_at_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    """Refuse a statement by which a plugin would leave its tenant, role or transaction."""
    if running.get() is None:
        return
    for shape, act in _FORBIDDEN:
        if shape.search(statement):
            _refuse_inside_plugin(act)


def _plan_by_values(cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
    """Have questions to uneven tables planned for the values asked, never once for all (a prepared statement is).

    Whether a value stands on three records or on half of them decides how it is best looked for.

    :returns: True when the statement is executed here.
    """
    # What is read by a cursor of the server, as an archive is, is never prepared.
    if isinstance(cursor, ServerCursor) or not statement.startswith("SELECT"):
        return False
    if not any(table in statement for table in UNEVEN):
        return False
    cursor.execute(statement, parameters, prepare=False)
    return True


@event.listens_for(Session, "before_commit")
def _no_commit_by_plugins(target: Session) -> None:
    if not target.in_nested_transaction():
        _refuse_inside_plugin("commit")


def _apply(connection: Any) -> None:
    tenant = context.current().tenant
    # Straight to the driver: a statement of several parts must never become a prepared one.
    raw = connection.connection.driver_connection
    raw.execute(transaction_settings(tenant.id if tenant else None), prepare=False)


@event.listens_for(Session, "after_begin")
def _set_tenant(target: Session, transaction: SessionTransaction, connection: Any) -> None:
    if isinstance(target, CrossSession) or transaction.nested:
        return
    _apply(connection)


@event.listens_for(Session, "do_orm_execute")
def _filter_tenant(state: ORMExecuteState) -> None:
    if isinstance(state.session, CrossSession) or state.is_column_load or state.is_relationship_load:
        return
    tenant = context.current().tenant
    if tenant is None:
        return
    tenant_id = tenant.id
    state.statement = state.statement.options(
        with_loader_criteria(
            TenantOwned,
            lambda cls: cls.tenant_id == tenant_id,
            include_aliases=True,
            propagate_to_loaders=True,
            track_closure_variables=True,
        )
    )


@event.listens_for(Session, "before_flush")
def _stamp_tenant(target: Session, _flush_context: Any, _instances: Any) -> None:
    if isinstance(target, CrossSession):
        return
    tenant = context.current().tenant
    for row in target.new:
        if isinstance(row, TenantOwned):
            if tenant is None:
                raise RuntimeError(f"{type(row).__name__} can't be written without a tenant.")
            given: uuid.UUID | None = row.tenant_id
            if given is None:
                row.tenant_id = tenant.id
            elif given != tenant.id:
                raise RuntimeError(f"{type(row).__name__} belongs to another tenant.")


def tenant_id() -> uuid.UUID:
    """Return the id of the present tenant, for Core statements and text that carry the filter themselves."""
    return context.tenant().id
