"""Keep likely doubles of whole firms, and the days on which people were born."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_34"
down_revision = "20261129_33"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    for table in ("customers", "contacts"):
        op.add_column(table, sa.Column("born_on", sa.Date(), nullable=True))
    migration.tenant_table(
        "likely_doubles",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("low_id", sa.UUID(), nullable=False),
        sa.Column("high_id", sa.UUID(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="likely_doubles_pkey"),
    )
    migration.add_fk(
        "likely_doubles_tenant_fkey", "likely_doubles", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index(
        "likely_doubles_pair_key",
        "likely_doubles",
        ["tenant_id", "object", "low_id", "high_id"],
        unique=True,
    )
    op.create_index(
        "likely_doubles_likely_idx", "likely_doubles", ["tenant_id", "object", "millionths", "id"]
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("likely_doubles")
    for table in ("customers", "contacts"):
        op.drop_column(table, "born_on")
