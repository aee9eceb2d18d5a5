"""Keep what other programs call customers and contacts, so that their files are recognised."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_35"
down_revision = "20261129_34"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    for table in ("customers", "contacts"):
        op.add_column(table, sa.Column("external_id", sa.Text(collation="C"), nullable=True))
        op.create_index(f"{table}_external_idx", table, ["tenant_id", "external_id"])


def downgrade() -> None:
    migration.begin()
    for table in ("customers", "contacts"):
        op.drop_index(f"{table}_external_idx", table_name=table)
        op.drop_column(table, "external_id")
