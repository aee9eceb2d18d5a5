"""Keep webhooks and what they delivered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261129_03"
down_revision = "20261129_02"
branch_labels = None
depends_on = None

RIGHTS = ("webhooks:read", "webhooks:write", "webhooks:delete")


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "webhooks",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("secret_before", sa.Text(), nullable=True),
        sa.Column("secret_before_until", moment, nullable=True),
        sa.Column("failing_since", moment, nullable=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="webhooks_pkey"),
    )
    migration.tenant_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("webhook_id", sa.UUID(), nullable=False),
        sa.Column("entry_id", sa.UUID(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("payload", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries", pg.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="webhook_deliveries_pkey"),
    )
    for table in ("webhooks", "webhook_deliveries"):
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "webhook_deliveries_webhook_fkey",
        "webhook_deliveries",
        ["tenant_id", "webhook_id"],
        "webhooks",
        ["tenant_id", "id"],
        "CASCADE",
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index("webhooks_name_idx", "webhooks", ["tenant_id", "name", "id"], postgresql_where=live)
    op.create_index(
        "webhook_deliveries_entry_key",
        "webhook_deliveries",
        ["tenant_id", "webhook_id", "entry_id"],
        unique=True,
    )
    op.create_index("webhook_deliveries_at_idx", "webhook_deliveries", ["tenant_id", "created_at"])
    for right in RIGHTS:
        migration.grant(right, "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("webhook_deliveries")
    op.drop_table("webhooks")
    names = ", ".join(f"'{right}'" for right in RIGHTS)
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{names}]")
