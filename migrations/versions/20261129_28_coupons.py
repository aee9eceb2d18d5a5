"""Keep the coupon that a subscription holds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from kehu.core import migration

revision = "20261129_28"
down_revision = "20261129_27"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column("billing_subscriptions", sa.Column("coupon", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    migration.begin()
    op.drop_column("billing_subscriptions", "coupon")
