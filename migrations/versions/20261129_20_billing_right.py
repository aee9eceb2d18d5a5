"""Give owners and admins of existing firms the right to choose plan and seats."""

from __future__ import annotations

from alembic import op

from kehu.core import migration

revision = "20261129_20"
down_revision = "20261129_19"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.grant("billing:manage", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.execute("UPDATE roles SET permissions = permissions - 'billing:manage'")
