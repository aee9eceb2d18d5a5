"""Keep appraisals of cars that are traded in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_09"
down_revision = "20261129_08"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
LIVE = sa.text("deleted_at IS NULL")


def _sum(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger())


def upgrade() -> None:
    """Create the tables."""
    begin_migration()
    moment, number = sa.DateTime(timezone=True), sa.UUID()
    tenant_table(
        "appraisals",
        sa.Column("tenant_id", number, nullable=False),
        sa.Column("id", number, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deal_id", number, nullable=False),
        sa.Column("customer_id", number),
        sa.Column("vehicle_id", number),
        sa.Column("vin", sa.Text(collation="C")),
        sa.Column("plate", sa.Text(collation="C")),
        _sum("odometer"),
        sa.Column("odometer_reason", sa.Text()),
        sa.Column("owner_reason", sa.Text()),
        sa.Column("papers_owner", sa.Text()),
        _sum("keys"),
        sa.Column("service_book", sa.Text()),
        sa.Column("accidents", sa.Text()),
        sa.Column("currency", sa.Text(), nullable=False),
        _sum("market"),
        sa.Column("market_written", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("repairs", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _sum("transport"),
        _sum("margin"),
        _sum("acv"),
        _sum("allowance"),
        _sum("payoff"),
        sa.Column("payoff_on", sa.Date()),
        sa.Column("lender", sa.Text()),
        _sum("equity"),
        _sum("over"),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("offered_by", number),
        sa.Column("valid_until", sa.Date()),
        _sum("handed_over_km"),
        sa.Column("approved_by", number),
        sa.Column("approved_at", moment),
        sa.Column("fate", sa.Text()),
        _sum("sold_for"),
        sa.Column("description", sa.Text()),
        sa.Column("owner_id", number),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="appraisals_pkey"),
        sa.CheckConstraint("state IN ('draft', 'offered', 'accepted', 'declined')", name="appraisals_state"),
        schema=SCHEMA,
    )
    tenant_table(
        "appraisal_lines",
        sa.Column("tenant_id", number, nullable=False),
        sa.Column("id", number, nullable=False),
        sa.Column("appraisal_id", number, nullable=False),
        sa.Column("kind", sa.Text(), server_default="repair", nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("owner_id", number),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="appraisal_lines_pkey"),
        sa.CheckConstraint("kind IN ('repair', 'comparable')", name="appraisal_lines_kind"),
        schema=SCHEMA,
    )
    for table, column, target in (
        ("appraisals", "deal_id", "deals"),
        ("appraisals", "customer_id", "customers"),
    ):
        add_fk(
            f"{table}_{column.removesuffix('_id')}_fkey", table, ["tenant_id", column], target, ["tenant_id", "id"],
            "CASCADE", schema=SCHEMA,
        )  # fmt: skip
    for table, column, target in (
        ("appraisals", "vehicle_id", "vehicles"),
        ("appraisal_lines", "appraisal_id", "appraisals"),
    ):
        op.create_foreign_key(
            f"{table}_{column.removesuffix('_id')}_fkey", table, target, ["tenant_id", column], ["tenant_id", "id"],
            ondelete="CASCADE", source_schema=SCHEMA, referent_schema=SCHEMA,
        )  # fmt: skip
    for table in ("appraisals", "appraisal_lines"):
        add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
        op.create_index(
            f"{table}_updated_idx",
            table,
            ["tenant_id", "updated_at", "id"],
            schema=SCHEMA,
            postgresql_where=LIVE,
        )
    op.create_index(
        "appraisals_state_idx", "appraisals", ["tenant_id", "state", "updated_at", "id"], schema=SCHEMA,
        postgresql_where=LIVE,
    )  # fmt: skip
    for table, name, *columns in (
        ("appraisals", "deal", "deal_id", "id"),
        ("appraisals", "customer", "customer_id", "id"),
        ("appraisals", "vehicle", "vehicle_id"),
        ("appraisal_lines", "appraisal", "appraisal_id", "id"),
    ):
        op.create_index(f"{table}_{name}_idx", table, ["tenant_id", *columns], schema=SCHEMA)


def downgrade() -> None:
    """Drop them."""
    begin_migration()
    op.drop_table("appraisal_lines", schema=SCHEMA)
    op.drop_table("appraisals", schema=SCHEMA)
