"""Keep what the provider was told of a firm's tax, so that a change is seen and told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_32"
down_revision = "20261129_31"
branch_labels = None
depends_on = None

KINDS = (
    "'subscribe', 'abandon', 'change', 'cancel', 'undo', 'pay', 'card', 'credit', 'refund', 'end', 'later'"
)
BEFORE = f"kind IN ({KINDS})"
AFTER = f"kind IN ({KINDS}, 'details')"


def upgrade() -> None:
    migration.begin()
    op.add_column("billing_accounts", sa.Column("tax_told", sa.Text(), server_default="", nullable=False))
    _kinds(AFTER)


def downgrade() -> None:
    migration.begin()
    op.execute("DELETE FROM billing_operations WHERE kind = 'details'")
    _kinds(BEFORE)
    op.drop_column("billing_accounts", "tax_told")


def _kinds(rule: str) -> None:
    op.drop_constraint(op.f("billing_operations_kind_check"), "billing_operations", type_="check")
    op.create_check_constraint(op.f("billing_operations_kind_check"), "billing_operations", rule)
