"""Keep what plugins count for their price, each event once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_30"
down_revision = "20261129_29"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "addon_usage",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("meter", sa.Text(collation="C"), nullable=False),
        sa.Column("event", sa.Text(collation="C"), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("settled_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "slug", "meter", "event", name="addon_usage_pkey"),
        sa.CheckConstraint("quantity > 0", name=op.f("addon_usage_quantity_check")),
    )
    migration.add_fk("addon_usage_tenant_fkey", "addon_usage", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "addon_usage_open_idx",
        "addon_usage",
        ["tenant_id", "slug", "meter", "at"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("addon_usage_at_idx", "addon_usage", ["tenant_id", "at"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("addon_usage")
