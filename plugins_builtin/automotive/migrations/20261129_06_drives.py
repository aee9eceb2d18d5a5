"""Demo cars, test drives and the link by which people book them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_06"
down_revision = "20261129_05"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
LIVE = sa.text("deleted_at IS NULL")
INDEXES: dict[str, tuple[tuple[str, list[str], bool], ...]] = {
    "demo_cars": (
        ("name", ["name_norm", "id"], True),
        ("kind", ["kind", "name_norm", "id"], True),
        ("resource", ["resource_id"], False),
        ("vehicle", ["vehicle_id"], False),
        ("updated", ["updated_at", "id"], True),
    ),
    "test_drives": (
        ("from", ["from_at", "id"], True),
        ("state", ["state", "from_at", "id"], True),
        ("owner", ["owner_id", "from_at", "id"], True),
        ("car", ["demo_car_id", "from_at", "id"], True),
        ("name", ["name_norm", "id"], True),
        ("updated", ["updated_at", "id"], True),
        ("booking", ["booking_id"], False),
        ("customer", ["customer_id", "from_at"], False),
        ("deal", ["deal_id", "from_at"], False),
    ),
}
KEYS = (
    ("demo_cars", "resource_id", "resources"),
    ("test_drives", "customer_id", "customers"),
    ("test_drives", "booking_id", "bookings"),
)


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, nullable: bool = True, c: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C" if c else None), nullable=nullable, **options)


def _at(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _day(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Date())


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger())


def _flag(name: str, default: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(default), nullable=False)


def upgrade() -> None:
    """Create the tables."""
    begin_migration()
    _cars()
    _drives()
    tenant_table(
        "drive_links",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("secret", False, c=True),
        _at("made_at", False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="drive_links_pkey"),
        schema=SCHEMA,
    )
    for table in ("demo_cars", "test_drives", "drive_links"):
        add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    for table, column, target in KEYS:
        name = f"{table}_{column.removesuffix('_id')}_fkey"
        add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], "CASCADE", schema=SCHEMA)
    for table, indexes in INDEXES.items():
        for name, columns, live in indexes:
            op.create_index(
                f"{table}_{name}_idx",
                table,
                ["tenant_id", *columns],
                schema=SCHEMA,
                postgresql_where=LIVE if live else None,
            )
    op.create_index("drive_links_one_key", "drive_links", ["tenant_id"], unique=True, schema=SCHEMA)


def _cars() -> None:
    tenant_table(
        "demo_cars",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("kind", False, server_default="car"),
        _text("name", False),
        _text("name_norm", False, c=True),
        _text("model"),
        _uuid("vehicle_id"),
        _uuid("resource_id"),
        _text("branch"),
        *(_day(name) for name in ("used_from", "used_to", "insured_until", "inspected_until")),
        _flag("public", "true"),
        _text("description"),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="demo_cars_pkey"),
        sa.CheckConstraint("kind IN ('car', 'plates')", name=op.f("demo_cars_kind_check")),
        schema=SCHEMA,
    )


def _drives() -> None:
    tenant_table(
        "test_drives",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _uuid("booking_id", False),
        _uuid("demo_car_id", False),
        _uuid("plates_id"),
        _text("model", False),
        _at("from_at", False),
        _at("to_at", False),
        _text("state", False, server_default="booked"),
        _text("source", False, server_default="staff"),
        *(_uuid(name) for name in ("customer_id", "contact_id", "deal_id", "owner_id")),
        _text("driver", False),
        _text("phone"),
        _text("email"),
        _day("born_on"),
        _text("licence_class"),
        _day("licence_until"),
        _flag("trainee", "false"),
        _at("licence_seen_at"),
        _uuid("licence_seen_by"),
        _at("agreed_at"),
        _uuid("agreed_by"),
        _text("override_reason"),
        _uuid("override_by"),
        _at("out_at"),
        _number("out_km"),
        _text("damage_out"),
        _at("back_at"),
        _number("back_km"),
        _text("damage_back"),
        *(_number(f"rated_{name}") for name in ("drive", "comfort", "space", "equipment", "price")),
        _text("feedback"),
        _uuid("follow_up_id"),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="test_drives_pkey"),
        sa.CheckConstraint(
            "state IN ('booked', 'out', 'back', 'no_show', 'cancelled')",
            name=op.f("test_drives_state_check"),
        ),
        sa.CheckConstraint("back_km >= out_km", name=op.f("test_drives_km_check")),
        schema=SCHEMA,
    )


def downgrade() -> None:
    """Drop them again."""
    begin_migration()
    for table in ("drive_links", "test_drives", "demo_cars"):
        op.drop_table(table, schema=SCHEMA)
