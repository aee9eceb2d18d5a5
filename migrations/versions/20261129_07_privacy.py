"""Let owners and admins hand out and erase what is known of a person."""

from __future__ import annotations

from alembic import op

from kehu.core import migration

revision = "20261129_07"
down_revision = "20261129_06"
branch_labels = None
depends_on = None

RIGHTS = ("privacy:export", "privacy:erase")


def upgrade() -> None:
    migration.begin()
    for right in RIGHTS:
        migration.grant(right, "owner", "admin")


def downgrade() -> None:
    migration.begin()
    names = ", ".join(f"'{right}'" for right in RIGHTS)
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{names}]")
