"""Keep merges of records so that they can be taken back, and pairs that are no doubles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261129_04"
down_revision = "20261129_03"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _uuid(name: str, nullable: bool = False) -> sa.Column[sa.UUID]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _json(name: str, empty: str) -> sa.Column[pg.JSONB]:
    return sa.Column(name, pg.JSONB(), server_default=sa.text(f"'{empty}'::jsonb"), nullable=False)


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "merges",
        _uuid("tenant_id"),
        _uuid("id"),
        sa.Column("object", sa.Text(), nullable=False),
        _uuid("keep_id"),
        _uuid("drop_id"),
        _uuid("now_id"),
        sa.Column("state", sa.Text(), server_default="done", nullable=False),
        _json("moved", "[]"),
        _json("changed", "[]"),
        _json("fields", "{}"),
        _json("notes", "{}"),
        sa.Column("at", MOMENT, nullable=False),
        _uuid("by", nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        _uuid("undone_by", nullable=True),
        sa.CheckConstraint("state IN ('done', 'undone')", name="merges_state_check"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="merges_pkey"),
    )
    migration.tenant_table(
        "no_doubles",
        _uuid("tenant_id"),
        _uuid("id"),
        sa.Column("object", sa.Text(), nullable=False),
        _uuid("low_id"),
        _uuid("high_id"),
        sa.Column("said_at", MOMENT, nullable=False),
        _uuid("said_by", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="no_doubles_pkey"),
    )
    for table in ("merges", "no_doubles"):
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
    done = sa.text("state = 'done'")
    op.create_index(
        "merges_drop_key", "merges", ["tenant_id", "object", "drop_id"], unique=True, postgresql_where=done
    )
    op.create_index("merges_now_idx", "merges", ["tenant_id", "object", "now_id", "id"])
    op.create_index(
        "no_doubles_pair_key", "no_doubles", ["tenant_id", "object", "low_id", "high_id"], unique=True
    )
    op.add_column(
        "customers",
        sa.Column(
            "former_numbers", pg.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"), nullable=False
        ),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_column("customers", "former_numbers")
    op.drop_table("no_doubles")
    op.drop_table("merges")
