"""Let firms say which roles see a field and which may change it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_43"
down_revision = "20261130_42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "field_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("edited_by", sa.Text(), nullable=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="field_rules_pkey"),
    )
    migration.add_fk("field_rules_tenant_fkey", "field_rules", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "field_rules_field_key",
        "field_rules",
        ["tenant_id", "object", "field"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for action in ("read", "write", "delete"):
        migration.grant(f"field_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("field_rules")
