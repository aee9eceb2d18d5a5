"""${message}.

Revision: ${up_revision}, after ${down_revision | comma,n}.
Before this is committed: it works while the previous release runs; ADD COLUMN and ADD CONSTRAINT are separate;
large backfills run per tenant; indexes on large tables are made concurrently; it goes down again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    migration.begin()
    ${downgrades if downgrades else "pass"}
