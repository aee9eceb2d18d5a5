"""Keep that an owner lets operators look into the firm, and when they were inside."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_27"
down_revision = "20261129_26"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "support_grants",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("member_name", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("writes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="support_grants_pkey"),
    )
    op.create_index(
        "support_grants_open_key",
        "support_grants",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    migration.tenant_table(
        "support_visits",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("grant_id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("session_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("pages", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="support_visits_pkey"),
    )
    op.create_index("support_visits_made_idx", "support_visits", ["tenant_id", "made_at", "id"])
    for table in ("support_grants", "support_visits"):
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], ondelete="CASCADE")
    migration.add_fk(
        "support_grants_member_fkey",
        "support_grants",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    migration.add_fk(
        "support_visits_grant_fkey",
        "support_visits",
        ["tenant_id", "grant_id"],
        "support_grants",
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("support_visits")
    op.drop_table("support_grants")
