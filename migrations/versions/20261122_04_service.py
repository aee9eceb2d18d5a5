"""Tickets, activities and files.

The first release's schema; see DATABASE.md for the rules that its shape follows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261122_04"
down_revision = "20261122_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "queues",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="queues_pkey"),
    )
    migration.tenant_table(
        "tickets",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("queue_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("requester_email", sa.Text(), nullable=True),
        sa.Column("assignee_id", sa.UUID(), nullable=True),
        sa.Column("priority", sa.Text(), server_default="normal", nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("channel", sa.Text(), server_default="manual", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_reply_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_id", sa.Text(collation="C"), nullable=True),
        sa.Column("tags", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="tickets_pkey"),
        sa.CheckConstraint(
            "priority IN ('low', 'normal', 'high', 'urgent')", name=op.f("tickets_priority_check")
        ),
        sa.CheckConstraint(
            "status IN ('new', 'open', 'waiting', 'resolved', 'closed')", name=op.f("tickets_status_check")
        ),
    )
    migration.tenant_table(
        "ticket_messages",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("ticket_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author_id", sa.UUID(), nullable=True),
        sa.Column("author_name", sa.Text(), server_default="", nullable=False),
        sa.Column("author_email", sa.Text(), server_default="", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivery", sa.Text(), server_default="none", nullable=False),
        sa.Column("delivery_error", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(collation="C"), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="ticket_messages_pkey"),
        sa.CheckConstraint(
            "delivery IN ('none', 'queued', 'sent', 'failed')", name=op.f("ticket_messages_delivery_check")
        ),
        sa.CheckConstraint("kind IN ('incoming', 'reply', 'note')", name=op.f("ticket_messages_kind_check")),
    )
    migration.tenant_table(
        "activities",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("minutes", sa.BigInteger(), nullable=True),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("contact_id", sa.UUID(), nullable=True),
        sa.Column("deal_id", sa.UUID(), nullable=True),
        sa.Column("ticket_id", sa.UUID(), nullable=True),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="activities_pkey"),
        sa.CheckConstraint(
            "kind IN ('call', 'mail', 'visit', 'meeting', 'task', 'note')", name=op.f("activities_kind_check")
        ),
    )
    migration.tenant_table(
        "files",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.UUID(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
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
        sa.PrimaryKeyConstraint("tenant_id", "id", name="files_pkey"),
    )
    migration.add_fk("queues_tenant_fkey", "queues", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "tickets_assignee_fkey", "tickets", ["tenant_id", "assignee_id"], "members", ["tenant_id", "id"]
    )
    migration.add_fk(
        "tickets_contact_fkey", "tickets", ["tenant_id", "contact_id"], "contacts", ["tenant_id", "id"]
    )
    migration.add_fk(
        "tickets_customer_fkey", "tickets", ["tenant_id", "customer_id"], "customers", ["tenant_id", "id"]
    )
    migration.add_fk(
        "tickets_queue_fkey", "tickets", ["tenant_id", "queue_id"], "queues", ["tenant_id", "id"]
    )
    migration.add_fk("tickets_tenant_fkey", "tickets", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "ticket_messages_tenant_fkey", "ticket_messages", ["tenant_id"], "tenants", ["id"], "CASCADE"
    )
    migration.add_fk(
        "ticket_messages_ticket_fkey",
        "ticket_messages",
        ["tenant_id", "ticket_id"],
        "tickets",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk(
        "activities_contact_fkey", "activities", ["tenant_id", "contact_id"], "contacts", ["tenant_id", "id"]
    )
    migration.add_fk(
        "activities_customer_fkey",
        "activities",
        ["tenant_id", "customer_id"],
        "customers",
        ["tenant_id", "id"],
        "CASCADE",
    )
    migration.add_fk(
        "activities_deal_fkey", "activities", ["tenant_id", "deal_id"], "deals", ["tenant_id", "id"]
    )
    migration.add_fk(
        "activities_owner_fkey", "activities", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"]
    )
    migration.add_fk("activities_tenant_fkey", "activities", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "activities_ticket_fkey", "activities", ["tenant_id", "ticket_id"], "tickets", ["tenant_id", "id"]
    )
    migration.add_fk("files_tenant_fkey", "files", ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index("queues_position_idx", "queues", ["tenant_id", "position"])
    op.create_index(
        "tickets_assignee_idx",
        "tickets",
        ["tenant_id", "assignee_id", "status", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("tickets_customer_idx", "tickets", ["tenant_id", "customer_id", "id"])
    op.create_index(
        "tickets_due_idx",
        "tickets",
        ["tenant_id", "due_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("tickets_number_key", "tickets", ["tenant_id", "number"], unique=True)
    op.create_index(
        "tickets_queue_idx",
        "tickets",
        ["tenant_id", "queue_id", "status", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "tickets_status_idx",
        "tickets",
        ["tenant_id", "status", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "tickets_updated_idx",
        "tickets",
        ["tenant_id", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("ticket_messages_ticket_idx", "ticket_messages", ["tenant_id", "ticket_id", "id"])
    op.create_index("activities_contact_idx", "activities", ["tenant_id", "contact_id", "done_at", "id"])
    op.create_index("activities_customer_idx", "activities", ["tenant_id", "customer_id", "done_at", "id"])
    op.create_index("activities_deal_idx", "activities", ["tenant_id", "deal_id", "done_at", "id"])
    op.create_index(
        "activities_due_idx",
        "activities",
        ["tenant_id", "due_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("activities_ticket_idx", "activities", ["tenant_id", "ticket_id", "done_at", "id"])
    op.create_index(
        "activities_todo_idx",
        "activities",
        ["tenant_id", "owner_id", "due_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL AND done_at IS NULL"),
    )
    op.create_index(
        "activities_updated_idx",
        "activities",
        ["tenant_id", "updated_at", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("files_customer_idx", "files", ["tenant_id", "customer_id", "id"])
    op.create_index("files_record_idx", "files", ["tenant_id", "object", "record_id", "id"])


def downgrade() -> None:
    migration.begin()
    op.drop_table("files")
    op.drop_table("activities")
    op.drop_table("ticket_messages")
    op.drop_table("tickets")
    op.drop_table("queues")
