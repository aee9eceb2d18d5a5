"""The vehicles of customers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, tenant_table

revision = "20261122_01"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table of vehicles."""
    begin_migration()
    tenant_table(
        "vehicles",
        sa.Column("tenant_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("vin", sa.Text(collation="C")),
        sa.Column("plate", sa.Text(collation="C")),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger()),
        sa.Column("odometer", sa.BigInteger()),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", pg.UUID(as_uuid=True)),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", pg.UUID(as_uuid=True)),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.Column("deleted_by", pg.UUID(as_uuid=True)),
        sa.Column("custom", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="vehicles_pkey"),
        schema="p_automotive",
    )
    add_fk(
        "vehicles_customer_fkey", "vehicles", ["tenant_id", "customer_id"], "customers", ["tenant_id", "id"], "CASCADE",
        schema="p_automotive",
    )  # fmt: skip
    add_fk(
        "vehicles_tenant_fkey", "vehicles", ["tenant_id"], "tenants", ["id"], "CASCADE", schema="p_automotive"
    )
    op.create_index(
        "vehicles_customer_idx", "vehicles", ["tenant_id", "customer_id", "id"], schema="p_automotive"
    )
    op.create_index("vehicles_plate_idx", "vehicles", ["tenant_id", "plate"], schema="p_automotive")
    op.create_index(
        "vehicles_vin_key", "vehicles", ["tenant_id", "vin"], unique=True, schema="p_automotive",
        postgresql_where=sa.text("deleted_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Drop it again."""
    begin_migration()
    op.drop_table("vehicles", schema="p_automotive")
