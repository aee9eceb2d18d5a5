"""Leads, the messages that they came in, and the addresses for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_04"
down_revision = "20261129_03"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create the tables."""
    begin_migration()
    _addresses()
    _messages()
    _leads()


def _addresses() -> None:
    tenant_table(
        "lead_addresses",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(collation="C"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="lead_addresses_pkey"),
        schema=SCHEMA,
    )
    _of_tenant("lead_addresses")
    op.create_index(
        "lead_addresses_secret_key",
        "lead_addresses",
        ["tenant_id", "secret_hash"],
        unique=True,
        schema=SCHEMA,
    )


def _messages() -> None:
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "lead_messages",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(collation="C"), nullable=False),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("message_id", "sender", "charset", "source")
        ),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("last_at", moment, nullable=False),
        sa.Column("times", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("read_at", moment),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="lead_messages_pkey"),
        sa.CheckConstraint("channel IN ('https', 'mail', 'hand')", name="lead_messages_channel_check"),
        schema=SCHEMA,
    )
    _of_tenant("lead_messages")
    op.create_index(
        "lead_messages_hash_key", "lead_messages", ["tenant_id", "content_hash"], unique=True, schema=SCHEMA
    )
    op.create_index(
        "lead_messages_waiting_idx", "lead_messages", ["tenant_id", "received_at"], schema=SCHEMA,
        postgresql_where=sa.text("read_at IS NULL"),
    )  # fmt: skip


def _leads() -> None:
    moment, texts = sa.DateTime(timezone=True), ("reason", "wanted_name", "source")
    keys = ("provider_key", "provider_lead_id", "car_key")
    lists = ("wanted", "trade_ins", "repairs", "doubts")
    tenant_table(
        "leads",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("message_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in texts),
        *(sa.Column(name, sa.Text(collation="C"), server_default="", nullable=False) for name in keys),
        *(
            sa.Column(name, sa.Text(), server_default="", nullable=False)
            for name in ("preferred", "timeframe", "comments")
        ),
        sa.Column("person", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("facts", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        *(
            sa.Column(name, pg.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)
            for name in lists
        ),
        sa.Column("requested_at", moment),
        sa.Column("received_at", moment, nullable=False),
        *(
            sa.Column(name, sa.UUID())
            for name in ("customer_id", "contact_id", "deal_id", "first_id", "owner_id")
        ),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="leads_pkey"),
        sa.CheckConstraint(
            "state IN ('quarantine', 'open', 'contacted', 'attached', 'discarded')", name="leads_state_check"
        ),
        schema=SCHEMA,
    )
    _of_tenant("leads")
    for column, target in (("customer_id", "customers"), ("contact_id", "contacts"), ("deal_id", "deals")):
        stem = f"leads_{column.removesuffix('_id')}_fkey"
        add_fk(stem, "leads", ["tenant_id", column], target, ["tenant_id", "id"], "CASCADE", schema=SCHEMA)
    for name, *columns in (
        ("received", "received_at", "id"),
        ("state", "state", "received_at", "id"),
        ("owner", "owner_id", "received_at"),
        ("name", "name", "id"),
        ("source", "source"),
    ):
        op.create_index(
            f"leads_{name}_idx", "leads", ["tenant_id", *columns], schema=SCHEMA, postgresql_where=LIVE
        )
    for name, *columns in (
        ("provider", "provider_key", "provider_lead_id"),
        ("customer", "customer_id", "received_at"),
        ("contact", "contact_id"),
        ("deal", "deal_id", "received_at"),
    ):
        op.create_index(f"leads_{name}_idx", "leads", ["tenant_id", *columns], schema=SCHEMA)
    op.create_index(
        "leads_place_key", "leads", ["tenant_id", "message_id", "position"], unique=True, schema=SCHEMA
    )


def _of_tenant(table: str) -> None:
    add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)


def downgrade() -> None:
    """Drop them again."""
    begin_migration()
    for table in ("leads", "lead_messages", "lead_addresses"):
        op.drop_table(table, schema=SCHEMA)
