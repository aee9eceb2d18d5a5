"""Pipelines, stages, products and deals.

The first release's schema; see DATABASE.md for the rules that its shape follows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261122_03"
down_revision = "20261122_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "pipelines",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.UUID(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by", sa.UUID(), nullable=True),
        sa.Column(
            "custom", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pipelines_pkey"),
    )
    migration.tenant_table(
        "stages",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="open", nullable=False),
        sa.Column("usual_days", sa.BigInteger(), nullable=True),
        sa.Column("exit_criteria", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.UUID(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by", sa.UUID(), nullable=True),
        sa.Column(
            "custom", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="stages_pkey"),
        sa.CheckConstraint("outcome IN ('open', 'won', 'lost')", name=op.f("stages_outcome_check")),
        sa.CheckConstraint("probability BETWEEN 0 AND 100", name=op.f("stages_probability_check")),
    )
    migration.tenant_table(
        "products",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.UUID(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by", sa.UUID(), nullable=True),
        sa.Column(
            "custom", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="products_pkey"),
    )
    migration.tenant_table(
        "deals",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("pipeline_id", sa.UUID(), nullable=False),
        sa.Column("stage_id", sa.UUID(), nullable=False),
        sa.Column("stage_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("product_id", sa.UUID(), nullable=True),
        sa.Column("amount", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.Column("expected_close", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("lost_reason", sa.Text(), nullable=True),
        sa.Column("rank", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(collation="C"), nullable=True),
        sa.Column("tags", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.UUID(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.UUID(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_by", sa.UUID(), nullable=True),
        sa.Column(
            "custom", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="deals_pkey"),
        sa.CheckConstraint("status IN ('open', 'won', 'lost')", name=op.f("deals_status_check")),
    )
    migration.add_fk("pipelines_tenant_fkey", "pipelines", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "stages_pipeline_fkey",
        "stages",
        ["tenant_id", "pipeline_id"],
        "pipelines",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk("stages_tenant_fkey", "stages", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("products_tenant_fkey", "products", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "deals_contact_fkey", "deals", ["tenant_id", "contact_id"], "contacts", ["tenant_id", "id"]
    )
    migration.add_fk(
        "deals_customer_fkey", "deals", ["tenant_id", "customer_id"], "customers", ["tenant_id", "id"]
    )
    migration.add_fk("deals_owner_fkey", "deals", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"])
    migration.add_fk(
        "deals_pipeline_fkey", "deals", ["tenant_id", "pipeline_id"], "pipelines", ["tenant_id", "id"]
    )
    migration.add_fk(
        "deals_product_fkey", "deals", ["tenant_id", "product_id"], "products", ["tenant_id", "id"]
    )
    migration.add_fk("deals_stage_fkey", "deals", ["tenant_id", "stage_id"], "stages", ["tenant_id", "id"])
    migration.add_fk("deals_tenant_fkey", "deals", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index("pipelines_position_idx", "pipelines", ["tenant_id", "position"])
    op.create_index("stages_pipeline_idx", "stages", ["tenant_id", "pipeline_id", "position"])
    op.create_index("products_name_idx", "products", ["tenant_id", "name_norm", "id"])
    op.create_index(
        "deals_amount_idx",
        "deals",
        ["tenant_id", "amount", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "deals_board_idx",
        "deals",
        ["tenant_id", "stage_id", "rank", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("deals_customer_idx", "deals", ["tenant_id", "customer_id", "id"])
    op.create_index(
        "deals_expected_idx",
        "deals",
        ["tenant_id", "expected_close", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("deals_external_idx", "deals", ["tenant_id", "external_id"])
    op.create_index(
        "deals_name_idx",
        "deals",
        ["tenant_id", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("deals_number_key", "deals", ["tenant_id", "number"], unique=True)
    op.create_index(
        "deals_owner_idx",
        "deals",
        ["tenant_id", "owner_id", "status", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "deals_status_idx",
        "deals",
        ["tenant_id", "status", "closed_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "deals_updated_idx",
        "deals",
        ["tenant_id", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("deals")
    op.drop_table("products")
    op.drop_table("stages")
    op.drop_table("pipelines")
