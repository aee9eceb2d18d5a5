"""Runs the core's migrations as the owner role, one process at a time."""

from __future__ import annotations

from alembic import context

from kehu.core.tables import metadata

connection = context.config.attributes.get("connection")

if connection is None:
    # `alembic upgrade --sql`: the migration linter reads what would be run.
    context.configure(dialect_name="postgresql", target_metadata=metadata, literal_binds=True, as_sql=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
