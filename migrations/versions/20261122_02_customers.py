"""Customers and contacts.

The first release's schema; see DATABASE.md for the rules that its shape follows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261122_02"
down_revision = "20261122_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "customers",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="company", nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("type_class", sa.Text(), server_default="prospect", nullable=False),
        sa.Column("value_class", sa.Text(), nullable=True),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("website", sa.Text(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("founded", sa.BigInteger(), nullable=True),
        sa.Column("revenue", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column(
            "emails", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("email_norm", sa.Text(collation="C"), nullable=True),
        sa.Column(
            "phones", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("phone_norm", sa.Text(collation="C"), nullable=True),
        sa.Column(
            "addresses",
            pg.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("tags", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("parent_id", sa.UUID(), nullable=True),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="customers_pkey"),
        sa.CheckConstraint("kind IN ('company', 'person')", name=op.f("customers_kind_check")),
    )
    migration.tenant_table(
        "contacts",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("job_title", sa.Text(), nullable=True),
        sa.Column(
            "emails", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("email_norm", sa.Text(collation="C"), nullable=True),
        sa.Column(
            "phones", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("phone_norm", sa.Text(collation="C"), nullable=True),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="contacts_pkey"),
    )
    migration.add_fk(
        "customers_owner_fkey", "customers", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"]
    )
    migration.add_fk(
        "customers_parent_fkey", "customers", ["tenant_id", "parent_id"], "customers", ["tenant_id", "id"]
    )
    migration.add_fk("customers_tenant_fkey", "customers", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "contacts_customer_fkey",
        "contacts",
        ["tenant_id", "customer_id"],
        "customers",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk(
        "contacts_owner_fkey", "contacts", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"]
    )
    migration.add_fk("contacts_tenant_fkey", "contacts", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index(
        "customers_class_idx",
        "customers",
        ["tenant_id", "value_class", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_country_idx",
        "customers",
        ["tenant_id", "country"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_created_idx",
        "customers",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_deleted_idx",
        "customers",
        ["tenant_id", "deleted_at", "id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("customers_email_idx", "customers", ["tenant_id", "email_norm"])
    op.create_index(
        "customers_industry_idx",
        "customers",
        ["tenant_id", "industry"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_name_idx",
        "customers",
        ["tenant_id", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("customers_number_key", "customers", ["tenant_id", "number"], unique=True)
    op.create_index(
        "customers_owner_idx",
        "customers",
        ["tenant_id", "owner_id", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("customers_parent_idx", "customers", ["tenant_id", "parent_id"])
    op.create_index("customers_phone_idx", "customers", ["tenant_id", "phone_norm"])
    op.create_index(
        "customers_type_idx",
        "customers",
        ["tenant_id", "type_class", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_updated_idx",
        "customers",
        ["tenant_id", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("contacts_customer_idx", "contacts", ["tenant_id", "customer_id", "name_norm", "id"])
    op.create_index("contacts_email_idx", "contacts", ["tenant_id", "email_norm"])
    op.create_index(
        "contacts_name_idx",
        "contacts",
        ["tenant_id", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "contacts_owner_idx",
        "contacts",
        ["tenant_id", "owner_id", "name_norm", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("contacts_phone_idx", "contacts", ["tenant_id", "phone_norm"])
    op.create_index(
        "contacts_updated_idx",
        "contacts",
        ["tenant_id", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("contacts")
    op.drop_table("customers")
