"""Opening hours with their holidays, by which business time is counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261128_02"
down_revision = "20261128_01"
branch_labels = None
depends_on = None

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "calendars",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *(sa.Column(day, sa.Text(), nullable=True) for day in WEEK),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="calendars_pkey"),
    )
    migration.tenant_table(
        "calendar_days",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("calendar_id", sa.UUID(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="calendar_days_pkey"),
    )
    migration.add_fk("calendars_tenant_fkey", "calendars", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "calendar_days_tenant_fkey", "calendar_days", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "calendar_days_calendar_fkey",
        "calendar_days",
        ["tenant_id", "calendar_id"],
        "calendars",
        ["tenant_id", "id"],
        "CASCADE",
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index("calendars_name_idx", "calendars", ["tenant_id", "name", "id"], postgresql_where=live)
    op.create_index(
        "calendar_days_day_key",
        "calendar_days",
        ["tenant_id", "calendar_id", "day"],
        unique=True,
        postgresql_where=live,
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("calendar_days")
    op.drop_table("calendars")
