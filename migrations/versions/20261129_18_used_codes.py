"""Up to which code of the authenticator app all are used up: a code that somebody saw lets nobody in again.

The previous release neither reads nor writes the new column; it may be empty.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_18"
down_revision = "20261129_17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    op.add_column("users", sa.Column("tf_counter", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    migration.begin()
    op.drop_column("users", "tf_counter")
