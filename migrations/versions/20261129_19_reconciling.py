"""Keep what the nightly comparison with Stripe found, since when and through how many runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_19"
down_revision = "20261129_18"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment, count = sa.DateTime(timezone=True), sa.text("0")
    migration.local_table(
        "billing_recon_runs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("at", moment, nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False, server_default=count)
            for name in ("looked", "found", "repaired", "seconds")
        ),
        sa.PrimaryKeyConstraint("id", name="billing_recon_runs_pkey"),
    )
    migration.local_table(
        "billing_recon_diffs",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.Column("first_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("runs", sa.BigInteger(), nullable=False, server_default=count),
        sa.PrimaryKeyConstraint("kind", "object_id", name="billing_recon_diffs_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_recon_diffs")
    op.drop_table("billing_recon_runs")
