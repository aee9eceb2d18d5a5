"""Keep what was made for a firm because it switched a plugin on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_06"
down_revision = "20261129_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "plugin_starters",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=True),
        sa.Column("batch_id", sa.UUID(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "slug", "key", name="plugin_starters_pkey"),
    )
    migration.add_fk(
        "plugin_starters_tenant_fkey", "plugin_starters", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("plugin_starters")
