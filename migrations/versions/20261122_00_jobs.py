"""The job queue: procrastinate's own schema, as its release 3.10 ships it."""

from __future__ import annotations

from alembic import op
from procrastinate.schema import SchemaManager

from kehu.core import migration

revision = "20261122_00"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "procrastinate_jobs",
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
)


def upgrade() -> None:
    migration.begin()
    script = SchemaManager.get_schema()
    if op.get_context().as_sql:
        op.get_context().impl.static_output(script)
    else:
        # The driver's own cursor: the script holds percent signs and several statements.
        op.get_bind().connection.cursor().execute(script)
    for table in TABLES:
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {migration.APP_ROLE}, {migration.CROSS_ROLE}"
        )
    roles = f"{migration.APP_ROLE}, {migration.CROSS_ROLE}"
    op.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {roles}")


def downgrade() -> None:
    migration.begin()
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
    op.execute(
        "DO $$ DECLARE f regprocedure; BEGIN FOR f IN SELECT oid::regprocedure FROM pg_proc "
        "WHERE proname LIKE 'procrastinate\\_%' LOOP "
        "EXECUTE format('DROP FUNCTION %s CASCADE', f); END LOOP; END $$"
    )
    op.execute(
        "DO $$ DECLARE t regtype; BEGIN FOR t IN SELECT oid::regtype FROM pg_type "
        "WHERE typname LIKE 'procrastinate\\_%' AND typtype IN ('e', 'c') LOOP "
        "EXECUTE format('DROP TYPE %s CASCADE', t); END LOOP; END $$"
    )
