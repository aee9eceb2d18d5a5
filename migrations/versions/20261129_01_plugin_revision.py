"""Which revision each plugin's tables have: the web may not read the plugins' own version tables.

The previous release neither reads nor writes the new column; it may be empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_01"
down_revision = "20261128_06"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column("plugin_installs", sa.Column("revision", sa.Text(), nullable=True))


def downgrade() -> None:
    migration.begin()
    op.drop_column("plugin_installs", "revision")
