"""Fails a statement of the web role that touches a tenant's table without naming the tenant (DATABASE.md 1.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import sqlglot
from sqlalchemy import event
from sqlglot import exp

from kehu.core import db
from kehu.core.tables import metadata

_PLACEHOLDER = re.compile(
    r"%\(\w+\)s(::(TIMESTAMP WITH TIME ZONE|DOUBLE PRECISION|\w+)(\[\])?)?( COLLATE \"C\")?", re.IGNORECASE
)


@lru_cache(maxsize=1)
def _tenant_names() -> frozenset[str]:
    return frozenset(table.name for table in metadata.tables.values() if table.info.get("scope") == "tenant")


@lru_cache(maxsize=4096)
def unfiltered(statement: str) -> tuple[str, ...]:
    """Return the tenant tables that a statement reads or changes without a condition on their `tenant_id`."""
    if not any(name in statement for name in _tenant_names()):
        return ()
    tree = sqlglot.parse_one(_plain(statement), dialect="postgres")
    missing: list[str] = []
    for scope in tree.find_all(exp.Select, exp.Update, exp.Delete, exp.Insert):
        missing += _missing(scope)
    return tuple(missing)


def _plain(statement: str) -> str:
    # The driver's placeholders are no SQL; any literal stands for them.
    return _PLACEHOLDER.sub("'x'", statement).replace("%%", "%")


def _own_tables(scope: exp.Expression) -> list[exp.Table]:
    if isinstance(scope, exp.Insert):
        return []
    if isinstance(scope, exp.Update | exp.Delete):
        return [scope.this] if isinstance(scope.this, exp.Table) else []
    sources = [scope.args.get("from_") or scope.args.get("from"), *(scope.args.get("joins") or [])]
    return [source.this for source in sources if source is not None and isinstance(source.this, exp.Table)]


def _missing(scope: exp.Expression) -> list[str]:
    tables = {
        (table.alias_or_name): table.name for table in _own_tables(scope) if table.name in _tenant_names()
    }
    if not tables:
        return []
    named = set()
    for equal in scope.find_all(exp.EQ):
        for side, other in ((equal.this, equal.expression), (equal.expression, equal.this)):
            if isinstance(side, exp.Column) and side.name == "tenant_id":
                named.add(side.table or next(iter(tables)))
                if isinstance(other, exp.Column) and other.name == "tenant_id":
                    named.add(other.table)
    return [name for alias, name in tables.items() if alias not in named]


@contextmanager
def watch_statements() -> Iterator[list[str]]:
    """Collect, while the block runs, what the web role asked without naming the tenant."""
    found: list[str] = []

    def look(_conn: Any, _cursor: Any, statement: str, _params: Any, _ctx: Any, _many: bool) -> None:
        missing = unfiltered(statement)
        if missing:
            found.append(f"{', '.join(missing)}: {statement}")

    engine = db.engine("app")
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", look)
