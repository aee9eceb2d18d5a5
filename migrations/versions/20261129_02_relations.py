"""Keep households with their members and how customers and contacts are related."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_02"
down_revision = "20261129_01"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
CURRENT = sa.text("to_on IS NULL AND deleted_at IS NULL")

INDEXES: dict[str, tuple[tuple[str, list[str], Any], ...]] = {
    "households": (
        ("name", ["name_norm", "id"], LIVE),
        ("kind", ["kind", "name_norm", "id"], LIVE),
        ("owner", ["owner_id", "name_norm", "id"], LIVE),
        ("external", ["external_id"], None),
        ("updated", ["updated_at", "id"], LIVE),
    ),
    "household_members": (
        ("household", ["household_id", "id"], None),
        ("customer", ["customer_id", "household_id"], None),
        ("owner", ["owner_id", "id"], LIVE),
        ("name", ["name_norm", "id"], LIVE),
        ("updated", ["updated_at", "id"], LIVE),
    ),
    "relations": (
        ("customer", ["customer_id", "id"], None),
        ("contact", ["contact_id"], None),
        ("other", ["other_id", "id"], None),
        ("other_contact", ["other_contact_id"], None),
        ("owner", ["owner_id", "id"], LIVE),
        ("name", ["name_norm", "id"], LIVE),
        ("kind", ["kind", "name_norm", "id"], LIVE),
        ("updated", ["updated_at", "id"], LIVE),
    ),
    "no_households": (("high", ["high_id"], None),),
}
POINTERS = (
    ("households", "owner_id", "members", None),
    ("household_members", "household_id", "households", "CASCADE"),
    ("household_members", "customer_id", "customers", "CASCADE"),
    ("household_members", "owner_id", "members", None),
    ("relations", "customer_id", "customers", "CASCADE"),
    ("relations", "contact_id", "contacts", "CASCADE"),
    ("relations", "other_id", "customers", "CASCADE"),
    ("relations", "other_contact_id", "contacts", "CASCADE"),
    ("relations", "owner_id", "members", None),
    ("no_households", "low_id", "customers", "CASCADE"),
    ("no_households", "high_id", "customers", "CASCADE"),
)
RECORDS = ("households", "household_members", "relations")
GRANTS = {
    "viewer": {"read": "all"},
    "member": {"read": "all", "write": "all", "delete": "own"},
    "manager": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
}
"""What roles of firms that are there already may do with the new records."""


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, nullable: bool = True, **options: Any) -> sa.Column[Any]:
    return sa.Column(
        name, sa.Text(collation="C" if options.pop("c", False) else None), nullable=nullable, **options
    )


def _date(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=True)


def upgrade() -> None:
    migration.begin()
    _tables()
    for table, indexes in INDEXES.items():
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
        for name, columns, where in indexes:
            op.create_index(f"{table}_{name}_idx", table, ["tenant_id", *columns], postgresql_where=where)
    for table, column, target, ondelete in POINTERS:
        name = f"{table}_{column.removesuffix('_id')}_fkey"
        migration.add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], ondelete)
    op.create_index(
        "household_members_once_key",
        "household_members",
        ["tenant_id", "household_id", "customer_id"],
        unique=True,
        postgresql_where=CURRENT,
    )
    op.create_index(
        "relations_pair_key", "relations", ["tenant_id", "pair"], unique=True, postgresql_where=CURRENT
    )
    op.create_index(
        "no_households_pair_key", "no_households", ["tenant_id", "low_id", "high_id"], unique=True
    )
    _grant()


def _tables() -> None:
    migration.tenant_table(
        "households",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _text("kind", False, server_default="household"),
        _text("address"),
        _text("external_id", c=True),
        _text("description"),
        _uuid("owner_id"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="households_pkey"),
        sa.CheckConstraint("kind IN ('household', 'group')", name=op.f("households_kind_check")),
    )
    migration.tenant_table(
        "household_members",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("household_id", False),
        _uuid("customer_id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _text("role", False, server_default="adult"),
        _date("from_on"),
        _date("to_on"),
        _uuid("owner_id"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="household_members_pkey"),
        sa.CheckConstraint(
            "role IN ('adult', 'head', 'spouse', 'child', 'parent', 'other')",
            name=op.f("household_members_role_check"),
        ),
        sa.CheckConstraint("to_on >= from_on", name=op.f("household_members_dates_check")),
    )
    migration.tenant_table(
        "relations",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("customer_id", False),
        _uuid("contact_id"),
        _text("kind", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _uuid("other_id", False),
        _uuid("other_contact_id"),
        _text("pair", False, c=True),
        _date("from_on"),
        _date("to_on"),
        _text("description"),
        _uuid("owner_id"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="relations_pkey"),
        sa.CheckConstraint("to_on >= from_on", name=op.f("relations_dates_check")),
    )
    migration.tenant_table(
        "no_households",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("low_id", False),
        _uuid("high_id", False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        _uuid("said_by"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="no_households_pkey"),
    )


def _grant() -> None:
    """Let the roles of firms that are there already do with the new records what new firms' roles may."""
    for code, rights in GRANTS.items():
        pairs = ", ".join(
            f"'{table}:{action}', '{scope}'" for table in RECORDS for action, scope in rights.items()
        )
        # Names of our own rights alone go into the text.
        op.execute(
            f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
        )


def downgrade() -> None:
    migration.begin()
    for table in ("no_households", "relations", "household_members", "households"):
        op.drop_table(table)
    rights = ", ".join(f"'{table}:{action}'" for table in RECORDS for action in GRANTS["admin"])
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
