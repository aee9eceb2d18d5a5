"""Keep what Stripe sends until it is mirrored, and how far the mirror of each of its customers is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261129_14"
down_revision = "20261129_13"
branch_labels = None
depends_on = None


def _text(name: str, nullable: bool = False, default: str | None = None) -> Any:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=default)


def _count(name: str) -> Any:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))


def _moment(name: str, nullable: bool = False) -> Any:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    migration.begin()
    migration.local_table(
        "billing_stripe_events",
        _text("id"),
        _text("type"),
        _text("object_id", default=""),
        _text("customer_id", nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        _text("api_version", default=""),
        _text("state", default="new"),
        _text("last_error", default=""),
        sa.Column("body", JSONB(), nullable=True),
        _moment("received_at"),
        _moment("done_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="billing_stripe_events_pkey"),
        sa.CheckConstraint(
            "state IN ('new', 'done', 'ignored', 'parked', 'failed')",
            name=op.f("billing_stripe_events_state_check"),
        ),
    )
    op.create_index(
        "billing_stripe_events_open_idx",
        "billing_stripe_events",
        ["customer_id"],
        postgresql_where=sa.text("state IN ('new', 'parked')"),
    )
    op.create_index("billing_stripe_events_received_idx", "billing_stripe_events", ["received_at"])
    migration.local_table(
        "billing_sync",
        _text("customer_id"),
        sa.Column("firm_id", sa.UUID(), nullable=True),
        _count("want"),
        _count("done"),
        sa.Column("lease_owner", sa.UUID(), nullable=True),
        _moment("lease_until", nullable=True),
        _count("attempts"),
        _moment("next_at"),
        _moment("since"),
        _text("last_error", default=""),
        sa.PrimaryKeyConstraint("customer_id", name="billing_sync_pkey"),
    )
    op.create_index(
        "billing_sync_behind_idx", "billing_sync", ["next_at"], postgresql_where=sa.text("want > done")
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_sync")
    op.drop_table("billing_stripe_events")
