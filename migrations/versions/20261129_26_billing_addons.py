"""Keep what a firm has of paid add-ons: days to try, what is paid until when, and the items of a subscription."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kehu.core import migration

revision = "20261129_26"
down_revision = "20261129_25"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "billing_addons",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("trial_started_at", moment, nullable=True),
        sa.Column("trial_until", moment, nullable=True),
        sa.Column("paid_quantity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paid_until", moment, nullable=True),
        sa.Column("wanted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="billing_addons_pkey"),
    )
    migration.add_fk(
        "billing_addons_tenant_fkey", "billing_addons", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index("billing_addons_slug_key", "billing_addons", ["tenant_id", "slug"], unique=True)
    op.add_column(
        "billing_subscriptions",
        sa.Column("addons", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_column("billing_subscriptions", "addons")
    op.drop_table("billing_addons")
