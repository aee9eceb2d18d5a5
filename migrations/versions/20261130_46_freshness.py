"""Let people say that a value of a record was verified, and firms which fields are looked at again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_46"
down_revision = "20261130_45"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "freshness_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("days", sa.BigInteger(), server_default="365", nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="freshness_rules_pkey"),
        sa.CheckConstraint("object IN ('customers', 'contacts')", name=op.f("freshness_rules_object_check")),
        sa.CheckConstraint("days BETWEEN 1 AND 3650", name=op.f("freshness_rules_days_check")),
    )
    migration.add_fk(
        "freshness_rules_tenant_fkey", "freshness_rules", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index(
        "freshness_rules_field_key",
        "freshness_rules",
        ["tenant_id", "object", "field"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    migration.tenant_table(
        "freshness_stamps",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="freshness_stamps_pkey"),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (contact_id IS NULL)", name=op.f("freshness_stamps_one_record_check")
        ),
        sa.CheckConstraint("verdict IN ('verified', 'wrong')", name=op.f("freshness_stamps_verdict_check")),
    )
    migration.add_fk(
        "freshness_stamps_tenant_fkey", "freshness_stamps", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    for one in ("customer", "contact"):
        migration.add_fk(
            f"freshness_stamps_{one}_fkey",
            "freshness_stamps",
            ["tenant_id", f"{one}_id"],
            f"{one}s",
            ["tenant_id", "id"],
            "CASCADE",
        )
        op.create_index(
            f"freshness_stamps_{one}_idx", "freshness_stamps", ["tenant_id", f"{one}_id", "field", "id"]
        )
    for action in ("read", "write", "delete"):
        migration.grant(f"freshness_rules:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("freshness_stamps")
    op.drop_table("freshness_rules")
