"""What a migration must not do (DATABASE.md 4), read from the SQL that it would run."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable

_RULES: tuple[tuple[str, str], ...] = (
    (
        r"\bFORCE\s+ROW\s+LEVEL\s+SECURITY",
        "forces row-level security: shard moves and backfills would see no rows",
    ),
    (r"\bCREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?TRIGGER\b", "creates a trigger"),
    (r"\bCREATE\s+(OR\s+REPLACE\s+)?RULE\b", "creates a rule"),
    (r"\bset_config\s*\(", "calls set_config; use SET LOCAL"),
    (r"^\s*MERGE\s+INTO\b", "uses MERGE"),
    (r"\bON\s+DELETE\s+SET\b", "sets values on delete"),
    (r"\bADD\s+COLUMN\b[^;]*\b(REFERENCES|CHECK)\b", "adds a constraint within ADD COLUMN"),
    (r"\bGRANT\b[^;]*\bON\s+ALL\s+TABLES\b", "grants on all tables"),
    (r"\bCREATE\s+POLICY\b[^;]*\bSELECT\b", "selects inside a policy"),
)
_NAMES = re.compile(
    r"\b(?:CONSTRAINT|INDEX(?:\s+CONCURRENTLY)?(?:\s+IF\s+NOT\s+EXISTS)?|POLICY|TABLE)\s+\"?(\w+)\"?",
    re.IGNORECASE,
)
_QUEUE = re.compile(r"-- Procrastinate Schema.*?(?=\nGRANT )", re.DOTALL)
_EXEMPT = "procrastinate_"
"""The job queue's own schema, local tables only."""


def faults(sql: str) -> list[str]:
    """Return what is wrong with a migration's SQL."""
    found: list[str] = []
    for statement in _statements(sql):
        for pattern, reason in _RULES:
            if re.search(pattern, statement, re.IGNORECASE | re.MULTILINE):
                found.append(f"{reason}: {' '.join(statement.split())[:120]}")
        found += [
            f"the name {name} is longer than 50 characters"
            for name in _NAMES.findall(statement)
            if len(name) > 50
        ]
    return found


def _statements(sql: str) -> Iterable[str]:
    return (part for part in _QUEUE.sub("", sql).split(";") if part.strip() and _EXEMPT not in part)


def offline_sql(revisions: str = "base:head") -> str:
    """Return the SQL of a range of migrations, without a database."""
    from alembic import command

    from kehu.core import migration

    config = migration._config()
    config.output_buffer = buffer = io.StringIO()
    command.upgrade(config, revisions.partition(":")[2], sql=True)
    return buffer.getvalue()
