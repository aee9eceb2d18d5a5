"""Let a rule for records be a gate: asked only when a record comes to be one of those that it is for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_48"
down_revision = "20261130_47"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column(
        "record_rules",
        sa.Column("entering", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_column("record_rules", "entering")
