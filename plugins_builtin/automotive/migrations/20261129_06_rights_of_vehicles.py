"""People and readings of vehicles belong to who looks after the vehicle; rights over vehicles are those of records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import begin_migration

revision = "20261129_06"
down_revision = "20261129_05"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
TABLES = (("vehicle_parties", "from_on"), ("odometer_readings", "read_on"))
TYPES = ("vehicles", "vehicle_models", "vehicle_parties", "odometer_readings")
READ = ("read",)
WRITE = ("write", "delete", "export", "import")


def upgrade() -> None:
    """Add the columns and take the rights over."""
    begin_migration()
    for table, day in TABLES:
        op.add_column(table, sa.Column("owner_id", pg.UUID(as_uuid=True)), schema=SCHEMA)
        op.create_index(
            f"{table}_owner_idx", table, ["tenant_id", "owner_id", day, "id"], schema=SCHEMA,
            postgresql_where=sa.text("deleted_at IS NULL"),
        )  # fmt: skip
    for old, actions in (("read", READ), ("write", WRITE)):
        new = {f"automotive.{name}:{action}": "all" for name in TYPES for action in actions}
        # Roles of the firms lie in the platform's table; the release before this one keeps reading the old rights.
        op.execute(
            sa.text(
                "UPDATE roles SET permissions = CAST(:new AS jsonb) || permissions WHERE permissions ? :old"
            ).bindparams(sa.bindparam("new", new, pg.JSONB()), old=f"automotive.vehicle:{old}")
        )


def downgrade() -> None:
    """Drop them again."""
    begin_migration()
    for table, _day in TABLES:
        op.drop_column(table, "owner_id", schema=SCHEMA)
