"""Keep what is fitted with a deal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_10"
down_revision = "20261129_09"
branch_labels = None
depends_on = None

SCHEMA, TABLE = "p_automotive", "accessories"
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
        sa.Column("deal_id", number, nullable=False),
        sa.Column("customer_id", number),
        sa.Column("product_id", number),
        sa.Column("quantity", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("price", sa.BigInteger()),
        sa.Column("fitting", sa.BigInteger()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="offered", nullable=False),
        sa.Column("fit_on", sa.Date()),
        sa.Column("counted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("owner_id", number),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="accessories_pkey"),
        sa.CheckConstraint("state IN ('offered', 'ordered', 'fitted', 'declined')", name="accessories_state"),
        sa.CheckConstraint("quantity > 0", name="accessories_quantity"),
        schema=SCHEMA,
    )
    add_fk("accessories_tenant_fkey", TABLE, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    for column, target in (("deal_id", "deals"), ("customer_id", "customers"), ("product_id", "products")):
        name = f"accessories_{column.removesuffix('_id')}_fkey"
        add_fk(name, TABLE, ["tenant_id", column], target, ["tenant_id", "id"], "CASCADE", schema=SCHEMA)
    for name, *columns in (
        ("deal", "deal_id", "id"),
        ("customer", "customer_id", "id"),
        ("product", "product_id"),
    ):
        op.create_index(f"accessories_{name}_idx", TABLE, ["tenant_id", *columns], schema=SCHEMA)
    for name, *columns in (("state", "state", "fit_on", "id"), ("updated", "updated_at", "id")):
        op.create_index(
            f"accessories_{name}_idx", TABLE, ["tenant_id", *columns], schema=SCHEMA, postgresql_where=LIVE
        )


def downgrade() -> None:
    """Drop it."""
    begin_migration()
    op.drop_table(TABLE, schema=SCHEMA)
