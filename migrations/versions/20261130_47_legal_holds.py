"""Let firms say whom they have to keep, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_47"
down_revision = "20261130_46"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "legal_holds",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("said_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="legal_holds_pkey"),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (contact_id IS NULL)", name=op.f("legal_holds_one_person_check")
        ),
    )
    migration.add_fk("legal_holds_tenant_fkey", "legal_holds", ["tenant_id"], "tenants", ["id"], "CASCADE")
    for one in ("customer", "contact"):
        migration.add_fk(
            f"legal_holds_{one}_fkey",
            "legal_holds",
            ["tenant_id", f"{one}_id"],
            f"{one}s",
            ["tenant_id", "id"],
            "CASCADE",
        )
        op.create_index(f"legal_holds_{one}_idx", "legal_holds", ["tenant_id", f"{one}_id"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("legal_holds")
