"""Let the planner know how frequent a value of a firm's own field is, not of all fields of all firms together."""

from __future__ import annotations

from alembic import op

from kehu.core import migration

revision = "20261130_40"
down_revision = "20261129_39"
branch_labels = None
depends_on = None

COLUMNS = ("word", "number")
TARGET = 1000
"""So many of the most frequent values are known; firms with many rows own most of them."""


def upgrade() -> None:
    migration.begin()
    for column in COLUMNS:
        name = f"custom_values_{column}_freq"
        op.execute(f"CREATE STATISTICS {name} (mcv) ON tenant_id, field_id, {column} FROM custom_values")
        op.execute(f"ALTER STATISTICS {name} SET STATISTICS {TARGET}")


def downgrade() -> None:
    migration.begin()
    for column in COLUMNS:
        op.execute(f"DROP STATISTICS custom_values_{column}_freq")
