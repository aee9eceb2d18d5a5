"""Let firms say how long they keep what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_45"
down_revision = "20261130_44"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "retention_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("only_for", sa.Text(), nullable=True),
        sa.Column("years", sa.BigInteger(), server_default="10", nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="retention_rules_pkey"),
        sa.CheckConstraint(
            "object IN ('customers', 'contacts', 'tickets', 'trash')",
            name=op.f("retention_rules_object_check"),
        ),
        sa.CheckConstraint("act IN ('trash', 'erase')", name=op.f("retention_rules_act_check")),
        sa.CheckConstraint("unit IN ('days', 'months')", name=op.f("retention_rules_unit_check")),
        sa.CheckConstraint(
            "after BETWEEN 1 AND 1200 AND years BETWEEN 0 AND 50", name=op.f("retention_rules_spans_check")
        ),
    )
    migration.add_fk(
        "retention_rules_tenant_fkey", "retention_rules", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    for action in ("read", "write", "delete"):
        migration.grant(f"retention_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("retention_rules")
