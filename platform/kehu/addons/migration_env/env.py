"""Runs one plugin's migrations in the plugin's own schema, with a version table of its own.

Each is looked at before it is committed: one that leaves tables open to other tenants is taken back.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from kehu.addons import audits
from kehu.core.tables import metadata


class RefusedMigration(Exception):
    """Raised when a migration leaves tables that would harm tenants or the platform."""


def look(ctx: Any, step: Any, **_rest: Any) -> None:
    """Look at the plugin's tables within the transaction of the migration."""
    if ctx.as_sql or not step.is_upgrade:
        return
    found = audits.problems(ctx.connection, slug)
    if found:
        said = " ".join(found)
        raise RefusedMigration(f"{step.up_revision_id} was refused and taken back. {said}")


slug = context.config.attributes["slug"]
connection = context.config.attributes["connection"]
shared: dict[str, Any] = {
    "target_metadata": metadata,
    "version_table_schema": audits.schema_of(slug),
    "transaction_per_migration": True,
    "on_version_apply": look,
}
if connection is None:
    context.configure(dialect_name="postgresql", literal_binds=True, as_sql=True, **shared)
else:
    context.configure(connection=connection, **shared)
with context.begin_transaction():
    context.run_migrations()
