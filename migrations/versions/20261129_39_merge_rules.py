"""Let firms have certain doubles merged by themselves, and say of each merge how it came about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_39"
down_revision = "20261129_38"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column("merges", sa.Column("how", sa.Text(), server_default="person", nullable=False))
    migration.tenant_table(
        "merge_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="merge_rules_pkey"),
        sa.CheckConstraint("object IN ('customers', 'contacts')", name="merge_rules_object_check"),
    )
    migration.add_fk("merge_rules_tenant_fkey", "merge_rules", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "merge_rules_object_key",
        "merge_rules",
        ["tenant_id", "object"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for action in ("read", "write", "delete"):
        migration.grant(f"merge_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("merge_rules")
    op.drop_column("merges", "how")
