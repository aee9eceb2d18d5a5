"""Views, imports, REST answers and plugin states.

The first release's schema; see DATABASE.md for the rules that its shape follows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261122_05"
down_revision = "20261122_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("actor_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("status", sa.BigInteger(), nullable=False),
        sa.Column(
            "headers", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "actor_id", "key", name="idempotency_keys_pkey"),
    )
    migration.tenant_table(
        "import_mappings",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("header_hash", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "mapping", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "options", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="import_mappings_pkey"),
    )
    migration.tenant_table(
        "plugin_incidents",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(collation="C"), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="plugin_incidents_pkey"),
    )
    migration.tenant_table(
        "tenant_plugins",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data_version", sa.BigInteger(), nullable=False),
        sa.Column(
            "settings", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "slug", name="tenant_plugins_pkey"),
    )
    migration.tenant_table(
        "bulk_runs",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "plan", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.UUID(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="bulk_runs_pkey"),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed')", name=op.f("bulk_runs_state_check")
        ),
    )
    migration.tenant_table(
        "drafts",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "member_id", "key", name="drafts_pkey"),
    )
    migration.tenant_table(
        "imports",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="uploaded", nullable=False),
        sa.Column(
            "format", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "mapping", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column(
            "options", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("total_rows", sa.BigInteger(), nullable=True),
        sa.Column("done_rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unchanged_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "report", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="imports_pkey"),
        sa.CheckConstraint(
            "state IN ('uploaded', 'checking', 'checked', 'queued', 'running', 'done', 'failed', 'undoing', 'undone')",
            name=op.f("imports_state_check"),
        ),
    )
    migration.tenant_table(
        "saved_views",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), server_default="", nullable=False),
        sa.Column("columns", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("sharing", sa.Text(), server_default="personal", nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="saved_views_pkey"),
        sa.CheckConstraint("sharing IN ('personal', 'all')", name=op.f("saved_views_sharing_check")),
    )
    migration.tenant_table(
        "import_errors",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column(
            "cells", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "errors", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="import_errors_pkey"),
    )
    migration.add_fk(
        "idempotency_keys_tenant_fkey", "idempotency_keys", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "import_mappings_tenant_fkey", "import_mappings", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "plugin_incidents_tenant_fkey", "plugin_incidents", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "tenant_plugins_tenant_fkey", "tenant_plugins", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "bulk_runs_member_fkey",
        "bulk_runs",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk("bulk_runs_tenant_fkey", "bulk_runs", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "drafts_member_fkey", "drafts", ["tenant_id", "member_id"], "members", ["tenant_id", "id"], "CASCADE"
    )
    migration.add_fk("drafts_tenant_fkey", "drafts", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "imports_owner_fkey", "imports", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"]
    )
    migration.add_fk("imports_tenant_fkey", "imports", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "saved_views_member_fkey",
        "saved_views",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk("saved_views_tenant_fkey", "saved_views", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "import_errors_import_fkey",
        "import_errors",
        ["tenant_id", "import_id"],
        "imports",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk(
        "import_errors_tenant_fkey", "import_errors", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    op.create_index("idempotency_keys_at_idx", "idempotency_keys", ["tenant_id", "at"])
    op.create_index(
        "import_mappings_header_key", "import_mappings", ["tenant_id", "object", "header_hash"], unique=True
    )
    op.create_index(
        "plugin_incidents_print_key", "plugin_incidents", ["tenant_id", "slug", "fingerprint"], unique=True
    )
    op.create_index("imports_created_idx", "imports", ["tenant_id", "created_at", "id"])
    op.create_index("saved_views_object_idx", "saved_views", ["tenant_id", "object", "position"])
    op.create_index("import_errors_row_idx", "import_errors", ["tenant_id", "import_id", "row"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("import_errors")
    op.drop_table("saved_views")
    op.drop_table("imports")
    op.drop_table("drafts")
    op.drop_table("bulk_runs")
    op.drop_table("tenant_plugins")
    op.drop_table("plugin_incidents")
    op.drop_table("import_mappings")
    op.drop_table("idempotency_keys")
