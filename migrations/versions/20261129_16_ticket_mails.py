"""Find a mail that came in already by its Message-ID."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

from kehu.core import migration

revision = "20261129_16"
down_revision = "20261129_15"
branch_labels = None
depends_on = None

NAME, TABLE = "ticket_messages_mail_idx", "ticket_messages"


def upgrade() -> None:
    migration.begin()
    op.create_index(NAME, TABLE, ["tenant_id", "message_id"], postgresql_where=text("kind = 'incoming'"))


def downgrade() -> None:
    migration.begin()
    op.drop_index(NAME, TABLE)
