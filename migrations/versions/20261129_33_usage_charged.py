"""Say of what plugins counted whether it is charged, so that a firm sees what its next bill is made from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_33"
down_revision = "20261129_32"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column(
        "addon_usage", sa.Column("charged", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    migration.begin()
    op.drop_column("addon_usage", "charged")
