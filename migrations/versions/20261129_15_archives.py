"""Keep archives of firms, and the proof of those that were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261129_15"
down_revision = "20261129_14"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.local_table(
        "tenant_erasures",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=text("now()"), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="tenant_erasures_pkey"),
    )
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "archives",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("asked_by", sa.UUID(), nullable=True),
        sa.Column("done_at", moment, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("files", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="archives_pkey"),
    )
    migration.add_fk("archives_tenant_fkey", "archives", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index("archives_asked_idx", "archives", ["tenant_id", "asked_at"])
    op.create_index(
        "archives_open_key",
        "archives",
        ["tenant_id"],
        unique=True,
        postgresql_where=text("state IN ('waiting', 'running')"),
    )
    migration.grant("tenant:export", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("archives")
    op.drop_table("tenant_erasures")
