"""Keep the numbers of the operator's own invoices: one range for all firms, without a gap."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_21"
down_revision = "20261129_20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.local_table(
        "billing_numbers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="billing_numbers_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_numbers")
