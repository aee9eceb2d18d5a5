"""Let an operation carry out a smaller plan that waited for the end of its period."""

from __future__ import annotations

from alembic import op

from kehu.core import migration

revision = "20261129_24"
down_revision = "20261129_23"
branch_labels = None
depends_on = None

KINDS = "'subscribe', 'abandon', 'change', 'cancel', 'undo', 'pay', 'card', 'credit', 'refund', 'end'"
BEFORE = f"kind IN ({KINDS})"
AFTER = f"kind IN ({KINDS}, 'later')"


def upgrade() -> None:
    migration.begin()
    _kinds(AFTER)


def downgrade() -> None:
    migration.begin()
    op.execute("DELETE FROM billing_operations WHERE kind = 'later'")
    _kinds(BEFORE)


def _kinds(allowed: str) -> None:
    op.drop_constraint(op.f("billing_operations_kind_check"), "billing_operations", type_="check")
    op.create_check_constraint(op.f("billing_operations_kind_check"), "billing_operations", allowed)
