"""Keep from when to when a firm had a paid add-on, for billing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_08"
down_revision = "20261129_07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "addon_periods",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("trial_until", moment, nullable=True),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("started_by", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="addon_periods_pkey"),
    )
    migration.add_fk(
        "addon_periods_tenant_fkey", "addon_periods", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index("addon_periods_slug_idx", "addon_periods", ["tenant_id", "slug", "started_at"])
    op.create_index(
        "addon_periods_open_key",
        "addon_periods",
        ["tenant_id", "slug"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("addon_periods")
