"""Note which kinds of customers the database has, so that no installation of another kind serves them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_29"
down_revision = "20261129_28"
branch_labels = None
depends_on = None

PRESENT = (
    "INSERT INTO billing_kinds (kind, since) "
    "SELECT CASE WHEN a.mode <> 'stripe' THEN a.mode WHEN a.livemode THEN 'live' ELSE 'test' END, now() "
    "FROM billing_accounts a WHERE a.mode IN ('demo', 'manual', 'stripe') AND (a.stripe_customer_id IS NOT NULL "
    "OR EXISTS (SELECT FROM billing_subscriptions s WHERE s.tenant_id = a.tenant_id)) GROUP BY 1"
)


def upgrade() -> None:
    migration.begin()
    migration.local_table(
        "billing_kinds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="billing_kinds_pkey"),
    )
    op.execute(PRESENT)


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_kinds")
