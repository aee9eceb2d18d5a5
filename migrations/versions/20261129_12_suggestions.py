"""Keep what people decide on suggestions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_12"
down_revision = "20261129_11"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "suggestion_decisions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="suggestion_decisions_pkey"),
        sa.CheckConstraint(
            "decision IN ('accepted', 'dismissed')", name=op.f("suggestion_decisions_decision_check")
        ),
    )
    table = "suggestion_decisions"
    migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        f"{table}_customer_fkey",
        table,
        ["tenant_id", "customer_id"],
        "customers",
        ["tenant_id", "id"],
        "CASCADE",
    )
    op.create_index(f"{table}_once_key", table, ["tenant_id", "object", "record_id", "key"], unique=True)
    op.create_index(f"{table}_kind_idx", table, ["tenant_id", "kind", "at"])
    op.create_index(f"{table}_customer_idx", table, ["tenant_id", "customer_id"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("suggestion_decisions")
