"""Keep the names that firms had, and domains of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_31"
down_revision = "20261129_30"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.local_table(
        "old_addresses",
        sa.Column("address", sa.Text(collation="C"), nullable=False),
        sa.Column("firm_id", sa.UUID(), nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("address", name="old_addresses_pkey"),
    )
    op.create_index("old_addresses_firm_idx", "old_addresses", ["firm_id"])
    migration.local_table(
        "firm_domains",
        sa.Column("firm_id", sa.UUID(), nullable=False),
        sa.Column("host", sa.Text(collation="C"), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("asked_at", moment, nullable=True),
        sa.Column("checked_at", moment, nullable=True),
        sa.Column("verified_at", moment, nullable=True),
        sa.Column("failing_since", moment, nullable=True),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("seen", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'verified', 'failing', 'lapsed')", name=op.f("firm_domains_state_check")
        ),
        sa.PrimaryKeyConstraint("firm_id", name="firm_domains_pkey"),
    )
    op.create_index(
        "firm_domains_host_key",
        "firm_domains",
        ["host"],
        unique=True,
        postgresql_where=sa.text("state IN ('verified', 'failing')"),
    )
    op.create_index("firm_domains_claimed_idx", "firm_domains", ["host"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("firm_domains")
    op.drop_table("old_addresses")
