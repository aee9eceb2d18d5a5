"""Note of a test drive which reminders went out, and who was told that it is not back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.api import begin_migration

revision = "20261129_12"
down_revision = "20261129_11"
branch_labels = None
depends_on = None

SCHEMA, TABLE = "p_automotive", "test_drives"


def upgrade() -> None:
    """Add the columns."""
    begin_migration()
    for name in ("remind_step", "alarm_step"):
        column = sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column(TABLE, column, schema=SCHEMA)
    tasks = sa.Column("alarm_tasks", JSONB(), server_default=sa.text("'[]'"), nullable=False)
    op.add_column(TABLE, tasks, schema=SCHEMA)
    op.create_index(
        "test_drives_alarm_idx",
        TABLE,
        ["tenant_id", "id"],
        schema=SCHEMA,
        postgresql_where=sa.text("alarm_step > 0"),
    )


def downgrade() -> None:
    """Drop them."""
    begin_migration()
    op.drop_index("test_drives_alarm_idx", TABLE, schema=SCHEMA)
    for name in ("alarm_tasks", "alarm_step", "remind_step"):
        op.drop_column(TABLE, name, schema=SCHEMA)
