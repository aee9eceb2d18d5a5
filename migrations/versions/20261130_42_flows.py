"""Let firms set up workflows, and keep what these did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261130_42"
down_revision = "20261130_41"
branch_labels = None
depends_on = None

LIST = sa.text("'[]'::jsonb")


def upgrade() -> None:
    migration.begin()
    moment = sa.DateTime(timezone=True)
    migration.tenant_table(
        "flows",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("days", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("side", sa.Text(), server_default=sa.text("'before'"), nullable=False),
        sa.Column("condition", sa.Text(), nullable=True),
        sa.Column("steps", JSONB(), server_default=LIST, nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active_since", moment, nullable=True),
        sa.Column("acting_id", sa.UUID(), nullable=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="flows_pkey"),
        sa.CheckConstraint("trigger IN ('created', 'changed', 'date', 'quiet')", name="flows_trigger_check"),
        sa.CheckConstraint("side IN ('before', 'after')", name="flows_side_check"),
    )
    migration.tenant_table(
        "flow_runs",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("flow_id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("depth", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("chain", JSONB(), server_default=LIST, nullable=False),
        sa.Column("steps", JSONB(), server_default=LIST, nullable=False),
        sa.Column("step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("told", JSONB(), server_default=LIST, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.Column("finished_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="flow_runs_pkey"),
        sa.CheckConstraint(
            "state IN ('waiting', 'asking', 'done', 'failed', 'stopped')", name="flow_runs_state_check"
        ),
    )
    migration.add_fk("flows_tenant_fkey", "flows", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("flows_acting_fkey", "flows", ["tenant_id", "acting_id"], "members", ["tenant_id", "id"])
    migration.add_fk("flow_runs_tenant_fkey", "flow_runs", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "flow_runs_flow_fkey", "flow_runs", ["tenant_id", "flow_id"], "flows", ["tenant_id", "id"], "CASCADE"
    )
    op.create_index(
        "flows_object_idx",
        "flows",
        ["tenant_id", "object", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "flow_runs_event_key", "flow_runs", ["tenant_id", "flow_id", "record_id", "event"], unique=True
    )
    op.create_index("flow_runs_at_idx", "flow_runs", ["tenant_id", "flow_id", "created_at", "id"])
    op.create_index("flow_runs_record_idx", "flow_runs", ["tenant_id", "object", "record_id", "id"])
    for action in ("read", "write", "delete"):
        migration.grant(f"flows:{action}", "owner", "admin")


def downgrade() -> None:
    migration.begin()
    op.drop_table("flow_runs")
    op.drop_table("flows")
