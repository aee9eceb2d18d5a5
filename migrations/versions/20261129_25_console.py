"""Keep what waits for an operator, and how often deliveries of Stripe were refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_25"
down_revision = "20261129_24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.local_table(
        "operator_tasks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.UUID(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("made_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.Column("done_by", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="operator_tasks_pkey"),
    )
    op.create_index("operator_tasks_about_key", "operator_tasks", ["kind", "about"], unique=True)
    op.create_index(
        "operator_tasks_open_idx", "operator_tasks", ["made_at"], postgresql_where=sa.text("done_at IS NULL")
    )
    migration.local_table(
        "billing_stripe_refusals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("least", sa.BigInteger(), nullable=True),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("day", "why", name="billing_stripe_refusals_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_stripe_refusals")
    op.drop_table("operator_tasks")
