"""Tenants, users, members and the trail.

The first release's schema; see DATABASE.md for the rules that its shape follows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261122_01"
down_revision = "20261122_00"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.reference_table(
        "tenants",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("address", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), server_default="", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("trade", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("plugins", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "settings", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="tenants_pkey"),
        sa.CheckConstraint("state IN ('active', 'suspended', 'closed')", name=op.f("tenants_state_check")),
    )
    migration.reference_table(
        "users",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("locale", sa.Text(), server_default="", nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("fs_uniquifier", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tf_primary_method", sa.Text(), nullable=True),
        sa.Column("tf_totp_secret", sa.Text(), nullable=True),
        sa.Column("tf_phone_number", sa.Text(), nullable=True),
        sa.Column("mf_recovery_codes", sa.Text(), nullable=True),
        sa.Column("operator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "prefs", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="users_pkey"),
    )
    migration.local_table(
        "login_sessions",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="login_sessions_pkey"),
    )
    migration.local_table(
        "cross_tenant_uses",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cross_tenant_uses_pkey"),
    )
    migration.tenant_table(
        "teams",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="teams_pkey"),
    )
    migration.tenant_table(
        "roles",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "permissions",
            pg.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("builtin", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="roles_pkey"),
    )
    migration.tenant_table(
        "members",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("user_id", sa.UUID(), nullable=True),
        sa.Column("role_id", sa.UUID(), nullable=False),
        sa.Column("team_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("email_norm", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column(
            "prefs", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="members_pkey"),
        sa.CheckConstraint(
            "state IN ('active', 'invited', 'placeholder', 'parked')", name=op.f("members_state_check")
        ),
    )
    migration.tenant_table(
        "invitations",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("invited_by", sa.UUID(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="invitations_pkey"),
    )
    migration.tenant_table(
        "api_tokens",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(collation="C"), nullable=False),
        sa.Column("scopes", pg.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="api_tokens_pkey"),
    )
    migration.tenant_table(
        "counters",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="counters_pkey"),
    )
    migration.tenant_table(
        "audit_entries",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("batch_id", sa.UUID(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "changes", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="audit_entries_pkey"),
        append_only=True,
    )
    migration.tenant_table(
        "search_terms",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("term", sa.Text(collation="C"), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "term", "record_id", name="search_terms_pkey"),
    )
    migration.add_fk("teams_tenant_fkey", "teams", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("roles_tenant_fkey", "roles", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("members_role_fkey", "members", ["tenant_id", "role_id"], "roles", ["tenant_id", "id"])
    migration.add_fk("members_team_fkey", "members", ["tenant_id", "team_id"], "teams", ["tenant_id", "id"])
    migration.add_fk("members_tenant_fkey", "members", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("members_user_fkey", "members", ["user_id"], "users", ["id"])
    migration.add_fk(
        "invitations_member_fkey",
        "invitations",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk("invitations_tenant_fkey", "invitations", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "api_tokens_member_fkey",
        "api_tokens",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk("api_tokens_tenant_fkey", "api_tokens", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk("counters_tenant_fkey", "counters", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "audit_entries_tenant_fkey", "audit_entries", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk("search_terms_tenant_fkey", "search_terms", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index("tenants_address_key", "tenants", ["address"], unique=True)
    op.create_index("users_email_key", "users", ["email_norm"], unique=True)
    op.create_index("users_uniquifier_key", "users", ["fs_uniquifier"], unique=True)
    op.create_index("login_sessions_user_idx", "login_sessions", ["user_id"])
    op.create_index("teams_name_key", "teams", ["tenant_id", "name"], unique=True)
    op.create_index("roles_code_key", "roles", ["tenant_id", "code"], unique=True)
    op.create_index("members_name_idx", "members", ["tenant_id", "name_norm", "id"])
    op.create_index("members_team_idx", "members", ["tenant_id", "team_id"])
    op.create_index("members_user_key", "members", ["tenant_id", "user_id"], unique=True)
    op.create_index("invitations_member_idx", "invitations", ["tenant_id", "member_id"])
    op.create_index("api_tokens_member_idx", "api_tokens", ["tenant_id", "member_id"])
    op.create_index("audit_entries_batch_idx", "audit_entries", ["tenant_id", "batch_id", "id"])
    op.create_index("audit_entries_customer_idx", "audit_entries", ["tenant_id", "customer_id", "at", "id"])
    op.create_index("audit_entries_member_idx", "audit_entries", ["tenant_id", "member_id", "id"])
    op.create_index("audit_entries_record_idx", "audit_entries", ["tenant_id", "object", "record_id", "id"])
    op.create_index("search_terms_record_idx", "search_terms", ["tenant_id", "kind", "record_id"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("search_terms")
    op.drop_table("audit_entries")
    op.drop_table("counters")
    op.drop_table("api_tokens")
    op.drop_table("invitations")
    op.drop_table("members")
    op.drop_table("roles")
    op.drop_table("teams")
    op.drop_table("cross_tenant_uses")
    op.drop_table("login_sessions")
    op.drop_table("users")
    op.drop_table("tenants")
