"""Keep what is done to cars again and again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_11"
down_revision = "20261129_10"
branch_labels = None
depends_on = None

SCHEMA, TABLE = "p_automotive", "service_items"
LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create the table."""
    begin_migration()
    number = sa.UUID()
    tenant_table(
        TABLE,
        sa.Column("tenant_id", number, nullable=False),
        sa.Column("id", number, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("vehicle_id", number, nullable=False),
        sa.Column("kind", sa.Text(), server_default=sa.text("'service'"), nullable=False),
        sa.Column("months", sa.BigInteger()),
        sa.Column("km", sa.BigInteger()),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("done_km", sa.BigInteger()),
        sa.Column("due_on", sa.Date()),
        sa.Column("due_by", sa.Text()),
        sa.Column("basis", sa.Text()),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("owner_id", number),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="service_items_pkey"),
        sa.CheckConstraint("kind IN ('service', 'wear', 'inspection')", name="service_items_kind"),
        sa.CheckConstraint("months > 0 OR km > 0", name="service_items_interval"),
        schema=SCHEMA,
    )
    add_fk("service_items_tenant_fkey", TABLE, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    op.create_foreign_key(
        "service_items_vehicle_fkey", TABLE, "vehicles", ["tenant_id", "vehicle_id"], ["tenant_id", "id"],
        ondelete="CASCADE", source_schema=SCHEMA, referent_schema=SCHEMA,
    )  # fmt: skip
    op.create_index("service_items_vehicle_idx", TABLE, ["tenant_id", "vehicle_id", "id"], schema=SCHEMA)
    for name, *columns in (("due", "due_on", "id"), ("updated", "updated_at", "id")):
        op.create_index(
            f"service_items_{name}_idx", TABLE, ["tenant_id", *columns], schema=SCHEMA, postgresql_where=LIVE
        )


def downgrade() -> None:
    """Drop it."""
    begin_migration()
    op.drop_table(TABLE, schema=SCHEMA)
