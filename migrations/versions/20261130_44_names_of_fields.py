"""Let a firm's own fields have names by language, beside the one that counts where there is none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261130_44"
down_revision = "20261130_43"
branch_labels = None
depends_on = None

NAMES = ("label_en", "label_zh_hans", "label_zh_hant", "label_ru")


def upgrade() -> None:
    migration.begin()
    for name in NAMES:
        column = sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False)
        op.add_column("custom_fields", column)


def downgrade() -> None:
    migration.begin()
    for name in NAMES:
        op.drop_column("custom_fields", name)
