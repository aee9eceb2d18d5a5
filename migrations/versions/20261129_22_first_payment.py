"""Keep the page of a firm's first payment, so that it can be finished or called off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_22"
down_revision = "20261129_21"
branch_labels = None
depends_on = None

BEFORE = "kind IN ('subscribe', 'change', 'cancel', 'undo', 'pay', 'card')"
AFTER = "kind IN ('subscribe', 'abandon', 'change', 'cancel', 'undo', 'pay', 'card')"


def upgrade() -> None:
    migration.begin()
    for name in ("checkout_id", "checkout_url"):
        op.add_column("billing_accounts", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("billing_accounts", sa.Column("checkout_until", sa.DateTime(timezone=True), nullable=True))
    _kinds(AFTER)


def downgrade() -> None:
    migration.begin()
    op.execute("DELETE FROM billing_operations WHERE kind = 'abandon'")
    _kinds(BEFORE)
    for name in ("checkout_until", "checkout_url", "checkout_id"):
        op.drop_column("billing_accounts", name)


def _kinds(allowed: str) -> None:
    op.drop_constraint(op.f("billing_operations_kind_check"), "billing_operations", type_="check")
    op.create_check_constraint(op.f("billing_operations_kind_check"), "billing_operations", allowed)
