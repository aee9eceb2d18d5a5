"""The recalls of patients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from kehu.api import add_fk, begin_migration, tenant_table
from sqlalchemy.dialects import postgresql as pg

revision = "20261128_01"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "p_dentist"


def upgrade() -> None:
    """Create the table of recalls."""
    begin_migration()
    tenant_table(
        "recalls",
        sa.Column("tenant_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", pg.UUID(as_uuid=True), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="recalls_pkey"),
        schema=SCHEMA,
    )
    keys = ["tenant_id", "customer_id"]
    add_fk(
        "recalls_customer_fkey", "recalls", keys, "customers", ["tenant_id", "id"], "CASCADE", schema=SCHEMA
    )
    add_fk("recalls_tenant_fkey", "recalls", ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    op.create_index("recalls_customer_key", "recalls", keys, unique=True, schema=SCHEMA)
    op.create_index("recalls_due_idx", "recalls", ["tenant_id", "state", "due_on", "id"], schema=SCHEMA)


def downgrade() -> None:
    """Drop it again."""
    begin_migration()
    op.drop_table("recalls", schema=SCHEMA)
