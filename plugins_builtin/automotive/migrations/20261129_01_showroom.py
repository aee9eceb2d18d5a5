"""Visits to the showroom, protection of customers and collisions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_01"
down_revision = "20261122_01"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create the tables."""
    begin_migration()
    moment = sa.DateTime(timezone=True)
    tenant_table(
        "visits",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("arrived_at", moment, nullable=False),
        sa.Column("left_at", moment),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text()),
        sa.Column("phone_norm", sa.Text(collation="C")),
        sa.Column("people", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("kind", sa.Text(), server_default="first", nullable=False),
        sa.Column("appointment", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("wanted", sa.Text()),
        sa.Column("step", sa.Text(), server_default="greeted", nullable=False),
        sa.Column("level", sa.Text()),
        sa.Column("result", sa.Text(), server_default="open", nullable=False),
        sa.Column("lost_reason", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("customer_id", sa.UUID()),
        sa.Column("deal_id", sa.UUID()),
        sa.Column("follow_up_id", sa.UUID()),
        sa.Column("owner_id", sa.UUID()),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="visits_pkey"),
        sa.CheckConstraint("left_at >= arrived_at", name="visits_left"),
        schema=SCHEMA,
    )
    _keys("visits")
    for name, *columns in (
        ("arrived", "arrived_at", "id"),
        ("owner", "owner_id", "arrived_at", "id"),
        ("result", "result", "arrived_at", "id"),
        ("updated", "updated_at", "id"),
    ):
        op.create_index(
            f"visits_{name}_idx", "visits", ["tenant_id", *columns], schema=SCHEMA, postgresql_where=LIVE
        )
    op.create_index("visits_phone_idx", "visits", ["tenant_id", "phone_norm"], schema=SCHEMA)
    op.create_index(
        "visits_customer_idx", "visits", ["tenant_id", "customer_id", "arrived_at"], schema=SCHEMA
    )

    tenant_table(
        "host_turns",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="host_turns_pkey"),
        schema=SCHEMA,
    )
    _keys("host_turns", customer=False)
    op.create_index(
        "host_turns_member_key", "host_turns", ["tenant_id", "member_id"], unique=True, schema=SCHEMA
    )

    tenant_table(
        "protections",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=False),
        sa.Column("holder_id", sa.UUID(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("contact_at", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", moment),
        sa.Column("ended_because", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="protections_pkey"),
        schema=SCHEMA,
    )
    _keys("protections")
    op.create_index(
        "protections_live_key", "protections", ["tenant_id", "customer_id", "holder_id"], unique=True,
        schema=SCHEMA, postgresql_where=sa.text("ended_at IS NULL"),
    )  # fmt: skip
    op.create_index(
        "protections_holder_idx", "protections", ["tenant_id", "holder_id", "until"], schema=SCHEMA
    )

    tenant_table(
        "collisions",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID()),
        sa.Column("phone_norm", sa.Text(collation="C")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("visit_id", sa.UUID()),
        sa.Column("brought_by", sa.UUID()),
        sa.Column("claims", pg.JSONB(), nullable=False),
        sa.Column("rules", pg.JSONB(), nullable=False),
        sa.Column("shares", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("appeal", sa.Text()),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("decided_at", moment),
        sa.Column("decided_by", sa.UUID()),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="collisions_pkey"),
        schema=SCHEMA,
    )
    _keys("collisions")
    op.create_index(
        "collisions_state_idx", "collisions", ["tenant_id", "state", "due_at", "id"], schema=SCHEMA
    )


def _keys(table: str, *, customer: bool = True) -> None:
    add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    if customer:
        add_fk(
            f"{table}_customer_fkey", table, ["tenant_id", "customer_id"], "customers", ["tenant_id", "id"],
            "CASCADE", schema=SCHEMA,
        )  # fmt: skip


def downgrade() -> None:
    """Drop them again."""
    begin_migration()
    for table in ("collisions", "protections", "host_turns", "visits"):
        op.drop_table(table, schema=SCHEMA)
