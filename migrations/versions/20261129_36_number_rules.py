"""Let firms give customers, deals and tickets codes by a rule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_36"
down_revision = "20261129_35"
branch_labels = None
depends_on = None

CODED = ("customers", "deals", "tickets")


def upgrade() -> None:
    migration.begin()
    for table in CODED:
        op.add_column(table, sa.Column("code", sa.Text(collation="C"), nullable=True))
        op.create_index(f"{table}_code_key", table, ["tenant_id", "code"], unique=True)
    migration.tenant_table(
        "number_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("reset", sa.Text(), server_default="never", nullable=False),
        sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="number_rules_pkey"),
        sa.CheckConstraint("reset IN ('never', 'year', 'month')", name="number_rules_reset_check"),
    )
    migration.add_fk("number_rules_tenant_fkey", "number_rules", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "number_rules_object_key",
        "number_rules",
        ["tenant_id", "object"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    for action in ("read", "write", "delete"):
        migration.grant(f"number_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("number_rules")
    for table in CODED:
        op.drop_index(f"{table}_code_key", table)
        op.drop_column(table, "code")
