"""Runs one plugin's migrations in the plugin's own schema, with a version table of its own."""

from __future__ import annotations

from alembic import context

from kehu.core.tables import metadata

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    target_metadata=metadata,
    version_table_schema=attributes["schema"],
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
