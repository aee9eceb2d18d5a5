"""Remember when scheduled work of a tenant was last enqueued, so that no due moment is served twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261128_01"
down_revision = "20261122_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "schedule_runs",
        sa.Column("tenant_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="schedule_runs_pkey"),
    )
    migration.add_fk(
        "schedule_runs_tenant_fkey", "schedule_runs", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("schedule_runs")
