"""Let a field's kind change: where the change that is under way stands, beside the definition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261130_41"
down_revision = "20261130_40"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    empty = sa.text("'{}'::jsonb")
    op.add_column("custom_fields", sa.Column("changing", JSONB(), server_default=empty, nullable=False))


def downgrade() -> None:
    migration.begin()
    op.drop_column("custom_fields", "changing")
