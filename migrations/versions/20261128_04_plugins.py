"""States of plugins: what is held and until when, and what an installation knows of each plugin.

The previous release neither reads nor writes the new columns: all have a default or may be empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261128_04"
down_revision = "20261128_03"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def added() -> dict[str, list[sa.Column]]:
    return {
        "tenants": [
            sa.Column("held_plugins", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False)
        ],
        "tenant_plugins": [
            sa.Column("name", sa.Text(), server_default="", nullable=False),
            sa.Column("until", MOMENT, nullable=True),
        ],
        "plugin_incidents": [
            sa.Column("trips", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
            sa.Column("tripped_at", MOMENT, nullable=True),
        ],
    }


def upgrade() -> None:
    migration.begin()
    for table, columns in added().items():
        for column in columns:
            op.add_column(table, column)
    migration.local_table(
        "plugin_installs",
        sa.Column("slug", sa.Text(collation="C"), nullable=False),
        sa.Column("migration_error", sa.Text(), nullable=True),
        sa.Column("held_reason", sa.Text(), nullable=True),
        sa.Column("held_until", MOMENT, nullable=True),
        sa.Column("changed_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", name="plugin_installs_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("plugin_installs")
    for table, columns in added().items():
        for column in columns:
            op.drop_column(table, column.name)
