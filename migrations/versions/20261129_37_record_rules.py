"""Let firms say what must hold for their records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_37"
down_revision = "20261129_36"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "record_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("only_for", sa.Text(), nullable=True),
        sa.Column("must", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="record_rules_pkey"),
    )
    migration.add_fk("record_rules_tenant_fkey", "record_rules", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "record_rules_object_idx",
        "record_rules",
        ["tenant_id", "object", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for action in ("read", "write", "delete"):
        migration.grant(f"record_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("record_rules")
