"""Keep what a firm asks its provider for before the provider hears of it, so that a lost answer charges once."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261129_17"
down_revision = "20261129_16"
branch_labels = None
depends_on = None


def _text(name: str, default: str | None = None) -> Any:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _count(name: str) -> Any:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))


def _moment(name: str, nullable: bool = True) -> Any:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "billing_operations",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        _text("kind"),
        sa.Column("desired", JSONB(), nullable=False, server_default=sa.text("'{}'::jsonb")),
        _text("state"),
        _text("url", ""),
        _text("error", ""),
        _count("attempts"),
        _count("round"),
        sa.Column("actor_id", sa.UUID(), nullable=True),
        _text("actor_name"),
        _moment("made_at", nullable=False),
        _moment("sent_at"),
        _moment("ended_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="billing_operations_pkey"),
        sa.CheckConstraint(
            "kind IN ('subscribe', 'change', 'cancel', 'undo', 'pay', 'card')",
            name=op.f("billing_operations_kind_check"),
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'done', 'failed', 'needs_action')",
            name=op.f("billing_operations_state_check"),
        ),
    )
    migration.add_fk(
        "billing_operations_tenant_fkey", "billing_operations", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index("billing_operations_made_idx", "billing_operations", ["tenant_id", "made_at", "id"])
    op.create_index(
        "billing_operations_open_key",
        "billing_operations",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('pending', 'sent')"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_operations")
