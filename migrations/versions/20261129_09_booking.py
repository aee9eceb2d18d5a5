"""Keep what can be booked and its bookings; the database refuses a second booking at the same time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_09"
down_revision = "20261129_08"
branch_labels = None
depends_on = None

LIVE = "deleted_at IS NULL"
HELD = "state IN ('booked', 'out') AND deleted_at IS NULL"
TABLES = ("resources", "bookings", "booking_lines")

INDEXES: dict[str, tuple[tuple[str, list[str], str | None], ...]] = {
    "resources": (
        ("name", ["name_norm", "id"], LIVE),
        ("lane", ["kind", "name_norm", "id"], LIVE),
        ("branch", ["branch"], LIVE),
        ("calendar", ["calendar_id"], None),
        ("external", ["external_id"], None),
        ("updated", ["updated_at", "id"], LIVE),
    ),
    "bookings": (
        ("from", ["from_at", "id"], LIVE),
        ("to", ["to_at", "from_at"], LIVE),
        ("resource", ["resource_id", "from_at", "id"], LIVE),
        ("second", ["second_id"], None),
        ("third", ["third_id"], None),
        ("customer", ["customer_id", "from_at", "id"], None),
        ("contact", ["contact_id"], None),
        ("deal", ["deal_id", "from_at", "id"], None),
        ("member", ["member_id", "busy_to"], HELD),
        ("owner", ["owner_id", "from_at", "id"], LIVE),
        ("name", ["name_norm", "id"], LIVE),
        ("state", ["state", "from_at", "id"], LIVE),
        ("updated", ["updated_at", "id"], LIVE),
    ),
    "booking_lines": (
        ("booking", ["booking_id"], None),
        ("resource", ["resource_id", "ends_at"], "living"),
    ),
}
POINTERS = (
    ("resources", "calendar_id", "calendars", None),
    ("bookings", "resource_id", "resources", None),
    ("bookings", "second_id", "resources", None),
    ("bookings", "third_id", "resources", None),
    ("bookings", "customer_id", "customers", "CASCADE"),
    ("bookings", "contact_id", "contacts", None),
    ("bookings", "deal_id", "deals", None),
    ("bookings", "member_id", "members", None),
    ("bookings", "owner_id", "members", None),
    ("booking_lines", "booking_id", "bookings", "CASCADE"),
    ("booking_lines", "resource_id", "resources", None),
)
GRANTS = {
    "viewer": {"resources:read": "all", "bookings:read": "all"},
    "member": {
        "resources:read": "all",
        "bookings:read": "all",
        "bookings:write": "all",
        "bookings:delete": "own",
    },
    "manager": {
        f"{table}:{action}": "all"
        for table in ("resources", "bookings")
        for action in ("read", "write", "delete", "export", "import")
    },
}
GRANTS["admin"] = GRANTS["owner"] = GRANTS["manager"]
"""What roles of firms that are there already may do with the new records."""


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, nullable: bool = True, c: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C" if c else None), nullable=nullable, **options)


def _at(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _minutes(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)


def _flag(name: str, default: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def upgrade() -> None:
    migration.begin()
    # Ranges and plain columns in one exclusion constraint; a trusted extension, so the owner may make it.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    _resources()
    _bookings()
    _lines()
    for table, indexes in INDEXES.items():
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
        for name, columns, where in indexes:
            op.create_index(
                f"{table}_{name}_idx",
                table,
                ["tenant_id", *columns],
                postgresql_where=sa.text(where) if where else None,
            )
    for table, column, target, ondelete in POINTERS:
        name = f"{table}_{column.removesuffix('_id')}_fkey"
        migration.add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], ondelete)
    op.execute(
        "ALTER TABLE booking_lines ADD CONSTRAINT booking_lines_resource_excl EXCLUDE USING gist "
        "(tenant_id WITH =, resource_id WITH =, tstzrange(begins_at, ends_at) WITH &&) WHERE (living)"
    )
    op.execute(
        "ALTER TABLE bookings ADD CONSTRAINT bookings_member_excl EXCLUDE USING gist "
        f"(tenant_id WITH =, member_id WITH =, tstzrange(busy_from, busy_to) WITH &&) WHERE ({HELD})"
    )
    _grant()


def _resources() -> None:
    migration.tenant_table(
        "resources",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _text("kind", False),
        _text("colour", False, server_default="1"),
        _text("branch"),
        _uuid("calendar_id"),
        _minutes("before_minutes"),
        _minutes("after_minutes"),
        _flag("active", "true"),
        _text("description"),
        _text("external_id", c=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="resources_pkey"),
        sa.CheckConstraint(
            "before_minutes BETWEEN 0 AND 1440 AND after_minutes BETWEEN 0 AND 1440",
            name=op.f("resources_margins_check"),
        ),
    )


def _bookings() -> None:
    migration.tenant_table(
        "bookings",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _uuid("resource_id", False),
        _uuid("second_id"),
        _uuid("third_id"),
        _at("from_at"),
        _at("to_at"),
        _at("busy_from"),
        _at("busy_to"),
        _text("state", False, server_default="booked"),
        _flag("closure", "false"),
        _at("out_at", True),
        _at("back_at", True),
        *(_uuid(name) for name in ("customer_id", "contact_id", "deal_id", "member_id", "owner_id")),
        _text("plugin", c=True),
        _text("page"),
        _text("description"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="bookings_pkey"),
        sa.CheckConstraint("to_at >= from_at", name=op.f("bookings_times_check")),
        sa.CheckConstraint(
            "state IN ('booked', 'out', 'back', 'no_show', 'cancelled')", name=op.f("bookings_state_check")
        ),
    )


def _lines() -> None:
    migration.tenant_table(
        "booking_lines",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("booking_id", False),
        _uuid("resource_id", False),
        _at("begins_at"),
        _at("ends_at"),
        _flag("living", "true"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="booking_lines_pkey"),
        sa.CheckConstraint("ends_at >= begins_at", name=op.f("booking_lines_times_check")),
    )


def _grant() -> None:
    """Let the roles of firms that are there already do with the new records what new firms' roles may."""
    for code, rights in GRANTS.items():
        pairs = ", ".join(f"'{right}', '{scope}'" for right, scope in rights.items())
        # Names of our own rights alone go into the text.
        op.execute(
            f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
        )


def downgrade() -> None:
    migration.begin()
    for table in reversed(TABLES):
        op.drop_table(table)
    rights = ", ".join(f"'{right}'" for right in GRANTS["admin"])
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
