"""Keep the things that customers have, with their warranties and contracts, and what tickets are about."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261128_06"
down_revision = "20261128_05"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
RUNNING = sa.text("state = 'active' AND item_in_use AND deleted_at IS NULL")
KINDS = "'warranty', 'extended_warranty', 'contract', 'insurance', 'finance', 'inspection', 'other'"

ITEM_INDEXES: tuple[tuple[str, list[str], Any], ...] = (
    ("name", ["name_norm", "id"], LIVE),
    ("customer", ["customer_id", "name_norm", "id"], None),
    ("contact", ["contact_id"], None),
    ("product", ["product_id", "id"], LIVE),
    ("owner", ["owner_id", "name_norm", "id"], LIVE),
    ("status", ["status", "name_norm", "id"], LIVE),
    ("acquired", ["acquired_on", "id"], LIVE),
    ("service", ["in_service_on", "id"], LIVE),
    ("serial", ["serial_norm"], None),
    ("external", ["external_id"], None),
    ("created", ["created_at", "id"], LIVE),
    ("updated", ["updated_at", "id"], LIVE),
)
TERM_INDEXES: tuple[tuple[str, list[str], Any], ...] = (
    ("item", ["item_id", "effective_end", "id"], None),
    ("customer", ["customer_id", "effective_end", "id"], None),
    ("end", ["effective_end", "id"], LIVE),
    ("running", ["effective_end", "id"], RUNNING),
    ("owner", ["owner_id", "effective_end", "id"], LIVE),
    ("starts", ["starts_on", "id"], LIVE),
    ("renewed", ["renewed_by_id"], None),
    ("name", ["name_norm", "id"], LIVE),
    ("external", ["external_id"], None),
    ("updated", ["updated_at", "id"], LIVE),
)
GRANTS = {
    "viewer": {"read": "all"},
    "member": {"read": "all", "write": "all", "delete": "own"},
    "manager": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
}
"""What roles of firms that are there already may do with the new records."""


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, pg.UUID(as_uuid=True), nullable=nullable)


def _record() -> list[sa.Column[Any]]:
    now = sa.text("now()")
    return [
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        _uuid("created_by"),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        _uuid("updated_by"),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        _uuid("deleted_by"),
        sa.Column("custom", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    ]


def upgrade() -> None:
    migration.begin()
    _items()
    _terms()
    for table in ("owned_items", "owned_item_terms"):
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
    _point("owned_items", "customer_id", "customers", "CASCADE")
    _point("owned_items", "contact_id", "contacts")
    _point("owned_items", "product_id", "products")
    _point("owned_items", "owner_id", "members")
    _point("owned_item_terms", "item_id", "owned_items", "CASCADE")
    _point("owned_item_terms", "customer_id", "customers", "CASCADE")
    _point("owned_item_terms", "owner_id", "members")
    _point("owned_item_terms", "renewed_by_id", "owned_item_terms")
    for table, indexes in (("owned_items", ITEM_INDEXES), ("owned_item_terms", TERM_INDEXES)):
        for name, columns, where in indexes:
            op.create_index(f"{table}_{name}_idx", table, ["tenant_id", *columns], postgresql_where=where)
    for table in ("tickets", "activities"):
        op.add_column(table, _uuid("owned_item_id"))
        _point(table, "owned_item_id", "owned_items")
    op.create_index("tickets_item_idx", "tickets", ["tenant_id", "owned_item_id", "id"])
    op.create_index("activities_item_idx", "activities", ["tenant_id", "owned_item_id", "done_at", "id"])
    _grant()


def _point(table: str, column: str, target: str, ondelete: str | None = None) -> None:
    name = f"{table}_{column.removesuffix('_id')}_fkey"
    migration.add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], ondelete)


def _items() -> None:
    migration.tenant_table(
        "owned_items",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("customer_id", False),
        _uuid("contact_id"),
        _uuid("product_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.Column("serial_norm", sa.Text(collation="C"), nullable=True),
        sa.Column("acquired_on", sa.Date(), nullable=True),
        sa.Column("in_service_on", sa.Date(), nullable=True),
        sa.Column("sold_by", sa.Text(), server_default="us", nullable=False),
        sa.Column("status", sa.Text(), server_default="in_use", nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=True),
        sa.Column("tags", pg.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        _uuid("owner_id"),
        *_record(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="owned_items_pkey"),
        sa.CheckConstraint("sold_by IN ('us', 'elsewhere')", name=op.f("owned_items_sold_by_check")),
        sa.CheckConstraint("status IN ('in_use', 'sold', 'scrapped')", name=op.f("owned_items_status_check")),
    )


def _terms() -> None:
    migration.tenant_table(
        "owned_item_terms",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("item_id", False),
        _uuid("customer_id", False),
        _uuid("owner_id"),
        sa.Column("item_in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("usage_limit", sa.BigInteger(), nullable=True),
        sa.Column("usage_unit", sa.Text(), nullable=True),
        sa.Column("start_usage", sa.BigInteger(), nullable=True),
        sa.Column("expected_ends_on", sa.Date(), nullable=True),
        sa.Column("expectation", sa.Text(), nullable=True),
        sa.Column("effective_end", sa.Date(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("contract_number", sa.Text(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=True),
        _uuid("renewed_by_id"),
        sa.Column("description", sa.Text(), nullable=True),
        *_record(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="owned_item_terms_pkey"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("owned_item_terms_kind_check")),
        sa.CheckConstraint(
            "state IN ('active', 'renewed', 'cancelled', 'ended')",
            name=op.f("owned_item_terms_state_check"),
        ),
        sa.CheckConstraint(
            "effective_end IS NOT DISTINCT FROM LEAST(ends_on, expected_ends_on)",
            name=op.f("owned_item_terms_effective_end_check"),
        ),
    )


def _grant() -> None:
    """Let the roles of firms that are there already do with the new records what new firms' roles may."""
    for code, rights in GRANTS.items():
        pairs = ", ".join(
            f"'{table}:{action}', '{scope}'"
            for table in ("owned_items", "owned_item_terms")
            for action, scope in rights.items()
        )
        # Names of our own rights alone go into the text.
        op.execute(
            f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
        )


def downgrade() -> None:
    migration.begin()
    for table in ("tickets", "activities"):
        op.drop_column(table, "owned_item_id")
    op.drop_table("owned_item_terms")
    op.drop_table("owned_items")
    rights = ", ".join(
        f"'{table}:{action}'" for table in ("owned_items", "owned_item_terms") for action in GRANTS["admin"]
    )
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
