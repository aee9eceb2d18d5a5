"""Helpers of migrations, and running them: one way to make tables of each scope (DATABASE.md 4)."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Text, bindparam, create_engine, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.pool import NullPool

APP_ROLE = "kehu_app"
CROSS_ROLE = "kehu_cross"
OWNER_ROLE = "kehu_owner"
LOCK_KEY = 0x6B656875  # "kehu"

POLICY = "tenant_id = nullif(current_setting('kehu.tenant_id', true), '')::uuid"
"""The condition of every policy: no tenant, set or empty, means no rows."""

_FULL = "SELECT, INSERT, UPDATE, DELETE"


# In a migration ---------------------------------------------------------------------------


def begin() -> None:
    """Open a migration: bounded waiting for locks and, on Citus, one shard after the other."""
    op.execute("SET LOCAL citus.multi_shard_modify_mode TO 'sequential'")
    op.execute("SET LOCAL lock_timeout TO '10s'")
    op.execute("SET LOCAL statement_timeout TO '15min'")


def tenant_table(name: str, *parts: Any, append_only: bool = False, schema: str | None = None) -> None:
    """Create a tenant-owned table: columns first, then policy and grants; keys come by `add_fk`.

    :param append_only: the runtime role may add and read, never change or remove (audit).
    :param schema: a plugin's own schema.
    """
    op.create_table(name, *parts, schema=schema)
    full = f"{schema}.{name}" if schema else name
    op.execute(f"ALTER TABLE {full} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {name}_tenant ON {full} USING ({POLICY}) WITH CHECK ({POLICY})")
    _grant(full, "SELECT, INSERT" if append_only else _FULL)


def record_columns() -> list[Any]:
    """Return the columns that every editable record has: version, authorship, trash and custom values."""
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("version", sa.BigInteger(), server_default=text("1"), nullable=False),
        sa.Column("created_at", moment, server_default=text("now()"), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("updated_at", moment, server_default=text("now()"), nullable=False),
        sa.Column("updated_by", sa.UUID(), nullable=True),
        sa.Column("deleted_at", moment, nullable=True),
        sa.Column("deleted_by", sa.UUID(), nullable=True),
        sa.Column("custom", JSONB(), server_default=text("'{}'::jsonb"), nullable=False),
    ]


def reference_table(name: str, *parts: Any) -> None:
    """Create a small table that tenant rows point at."""
    op.create_table(name, *parts)
    _grant(name, _FULL)


def local_table(name: str, *parts: Any) -> None:
    """Create a table that belongs to no tenant."""
    op.create_table(name, *parts)
    _grant(name, _FULL)


def _grant(name: str, rights: str) -> None:
    op.execute(f"GRANT {rights} ON {name} TO {APP_ROLE}")
    op.execute(f"GRANT {_FULL} ON {name} TO {CROSS_ROLE}")


def grant(permission: str, *codes: str) -> None:
    """Give a new right to the built-in roles of these codes."""
    op.execute(
        text(
            "UPDATE roles SET permissions = permissions || jsonb_build_object(:right, 'all') WHERE code = ANY(:codes)"
        ).bindparams(bindparam("codes", list(codes), ARRAY(Text)), bindparam("right", permission, Text))
    )


def add_fk(
    name: str,
    table: str,
    columns: Sequence[str],
    target: str,
    target_columns: Sequence[str],
    ondelete: str | None = None,
    schema: str | None = None,
) -> None:
    """Add a foreign key as a statement of its own; the target lies in the core."""
    op.create_foreign_key(
        name, table, target, list(columns), list(target_columns), ondelete=ondelete, source_schema=schema
    )


def index_concurrently(name: str, table: str, columns: Sequence[Any], **options: Any) -> None:
    """Add an index to a table that is in use, without locking out writers."""
    with op.get_context().autocommit_block():
        op.create_index(
            name, table, list(columns), postgresql_concurrently=True, if_not_exists=True, **options
        )


# Running them -----------------------------------------------------------------------------


def location() -> Path:
    """Return the folder of the core's migrations."""
    spec = importlib.util.find_spec("migrations")
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(__file__).parents[3] / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(location()))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def owner_engine(url: str) -> Engine:
    """Return an engine of the owner role without a pool."""
    driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return create_engine(driver, poolclass=NullPool, connect_args={"connect_timeout": 5})


def heads() -> str | None:
    """Return the newest revision of the code."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(connection: Connection) -> str | None:
    """Return the revision of a database."""
    return MigrationContext.configure(connection).get_current_revision()


def applied(connection: Connection) -> frozenset[str]:
    """Return the revisions that a database has been through."""
    script, have = ScriptDirectory.from_config(_config()), current(connection)
    return frozenset(one.revision for one in script.iterate_revisions(have, "base")) if have else frozenset()


def upgrade(url: str, revision: str = "head") -> tuple[str | None, str | None]:
    """Bring a database to a revision and return (before, after); parallel callers wait for each other."""
    return _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> tuple[str | None, str | None]:
    """Take a database back to a revision ("base" for an empty schema)."""
    return _run(url, lambda config: command.downgrade(config, revision))


def _run(url: str, act: Any) -> tuple[str | None, str | None]:
    engine = owner_engine(url)
    with engine.connect() as connection:
        # The lock is the session's and outlives the transactions of the single migrations.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        connection.commit()
        try:
            before = current(connection)
            connection.commit()
            act(_config(connection))
            connection.commit()
            after = current(connection)
            if after:
                # The web compares it with the code before it says that it is ready.
                connection.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}, {CROSS_ROLE}"))
                connection.commit()
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
            connection.commit()
    engine.dispose()
    return before, after
