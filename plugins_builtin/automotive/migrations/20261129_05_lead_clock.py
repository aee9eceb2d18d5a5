"""The clock of the first answer on leads, whose turn it is, and rules for who gets them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_05"
down_revision = "20261129_04"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
MOMENTS = ("warn_at", "due_at", "manager_at", "reassign_at", "contacted_at")


def upgrade() -> None:
    """Add the columns and create the tables."""
    begin_migration()
    for name in MOMENTS:
        op.add_column("leads", sa.Column(name, sa.DateTime(timezone=True)), schema=SCHEMA)
    for name in ("task_id", "contacted_by"):
        op.add_column("leads", sa.Column(name, sa.UUID()), schema=SCHEMA)
    op.add_column(
        "leads",
        sa.Column("step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "leads_clock_idx", "leads", ["tenant_id", "warn_at"], schema=SCHEMA,
        postgresql_where=sa.text("state = 'open' AND deleted_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "leads_due_idx", "leads", ["tenant_id", "due_at", "id"], schema=SCHEMA,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "lead_messages_mail_idx", "lead_messages", ["tenant_id", "message_id"], schema=SCHEMA,
        postgresql_where=sa.text("message_id <> ''"),
    )  # fmt: skip
    _turns()
    _rules()


def _turns() -> None:
    tenant_table(
        "lead_turns",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("takes", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True)),
        sa.Column("away_until", sa.Date()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="lead_turns_pkey"),
        schema=SCHEMA,
    )
    _keys("lead_turns")
    op.create_index(
        "lead_turns_member_key", "lead_turns", ["tenant_id", "member_id"], unique=True, schema=SCHEMA
    )


def _rules() -> None:
    tenant_table(
        "lead_rules",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("make", sa.Text(), server_default="", nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="lead_rules_pkey"),
        schema=SCHEMA,
    )
    _keys("lead_rules")
    op.create_index("lead_rules_member_idx", "lead_rules", ["tenant_id", "member_id"], schema=SCHEMA)


def _keys(table: str) -> None:
    add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    add_fk(
        f"{table}_member_fkey", table, ["tenant_id", "member_id"], "members", ["tenant_id", "id"], "CASCADE",
        schema=SCHEMA,
    )  # fmt: skip


def downgrade() -> None:
    """Take them away again."""
    begin_migration()
    for table in ("lead_rules", "lead_turns"):
        op.drop_table(table, schema=SCHEMA)
    op.drop_index("lead_messages_mail_idx", "lead_messages", schema=SCHEMA)
    for index in ("leads_due_idx", "leads_clock_idx"):
        op.drop_index(index, "leads", schema=SCHEMA)
    for name in (*MOMENTS, "task_id", "contacted_by", "step"):
        op.drop_column("leads", name, schema=SCHEMA)
