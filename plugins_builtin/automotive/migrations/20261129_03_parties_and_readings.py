"""Models of cars, who has a car and what its clock showed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, tenant_table

revision = "20261129_03"
down_revision = "20261129_02"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
LIVE = sa.text("deleted_at IS NULL")
UUID = pg.UUID(as_uuid=True)
C = sa.Text(collation="C")

ADDED = (
    ("odometer_on", sa.Date()),
    ("vin_reason", sa.Text()),
    ("chassis", sa.Text()),
    ("name", sa.Text()),
    ("name_norm", C),
    ("model_id", UUID),
    ("owned_item_id", UUID),
    ("owner_id", UUID),
    ("first_registration_on", sa.Date()),
    ("in_service_on", sa.Date()),
    ("in_service_kind", sa.Text()),
    ("sold_by", sa.Text()),
    ("colour", sa.Text()),
    ("external_id", C),
    ("description", sa.Text()),
)
CHECKS = (
    ("in_service_kind", "in_service_kind IN ('sale', 'demo', 'loaner', 'company', 'rental', 'invoice')"),
    ("sold_by", "sold_by IN ('us', 'elsewhere')"),
    ("status", "status IN ('in_use', 'stock', 'demo', 'sold', 'scrapped')"),
)
INDEXES: tuple[tuple[str, list[Any], bool], ...] = (
    ("name", ["name_norm", "id"], True),
    ("model", ["model_id", "id"], False),
    ("owner", ["owner_id", "name_norm", "id"], True),
    ("status", ["status", "name_norm", "id"], True),
    ("service", ["in_service_on", "id"], True),
    ("item", ["owned_item_id"], False),
    ("external", ["external_id"], False),
    ("updated", ["updated_at", "id"], True),
)


def upgrade() -> None:
    """Create the tables, widen that of vehicles and take over who owns them and what they have run."""
    begin_migration()
    # Compares identifiers within the exclusion of two owners at a time.
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
    _models()
    _vehicles()
    _parties()
    _readings()
    _take_over()


def downgrade() -> None:
    """Drop it again; vehicles without an owner go, as the older table can't hold them."""
    begin_migration()
    op.drop_table("odometer_readings", schema=SCHEMA)
    op.drop_table("vehicle_parties", schema=SCHEMA)
    op.execute("DELETE FROM p_automotive.vehicles WHERE customer_id IS NULL")
    op.alter_column("vehicles", "customer_id", nullable=False, schema=SCHEMA)
    for column in ("status", *(name for name, _kind in ADDED)):
        op.drop_column("vehicles", column, schema=SCHEMA)
    op.drop_table("vehicle_models", schema=SCHEMA)


def _columns() -> list[sa.Column[Any]]:
    moment = sa.DateTime(timezone=True)
    return [
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", UUID),
        sa.Column("updated_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", UUID),
        sa.Column("deleted_at", moment),
        sa.Column("deleted_by", UUID),
        sa.Column("custom", pg.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
    ]


def _table(name: str, *parts: Any) -> None:
    tenant_table(
        name,
        sa.Column("tenant_id", UUID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        *parts,
        *_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"{name}_pkey"),
        schema=SCHEMA,
    )
    add_fk(f"{name}_tenant_fkey", name, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)


def _key(table: str, column: str, target: str, ondelete: str | None = None, *, own: bool = False) -> None:
    op.create_foreign_key(
        f"{table}_{column.removesuffix('_id')}_fkey", table, target, ["tenant_id", column], ["tenant_id", "id"],
        ondelete=ondelete, source_schema=SCHEMA, referent_schema=SCHEMA if own else None,
    )  # fmt: skip


def _index(table: str, name: str, columns: list[Any], *, live: bool = False, unique: bool = False) -> None:
    op.create_index(
        f"{table}_{name}_{'key' if unique else 'idx'}", table, ["tenant_id", *columns], unique=unique,
        schema=SCHEMA, postgresql_where=LIVE if live else None,
    )  # fmt: skip


def _models() -> None:
    _table(
        "vehicle_models",
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", C, nullable=False),
        sa.Column("year_from", sa.BigInteger()),
        sa.Column("year_to", sa.BigInteger()),
        sa.Column("segment", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("power", sa.Text()),
        sa.Column("external_id", C),
        sa.CheckConstraint("year_to >= year_from", name="years"),
    )
    _index("vehicle_models", "name", ["name_norm", "id"], live=True)
    _index("vehicle_models", "name", ["name_norm", sa.text("coalesce(year_from, 0)")], live=True, unique=True)
    _index("vehicle_models", "updated", ["updated_at", "id"], live=True)


def _vehicles() -> None:
    for name, kind in ADDED:
        op.add_column("vehicles", sa.Column(name, kind), schema=SCHEMA)
    status = sa.Column("status", sa.Text(), server_default="in_use", nullable=False)
    op.add_column("vehicles", status, schema=SCHEMA)
    op.execute(
        "UPDATE p_automotive.vehicles SET name = make || ' ' || model, name_norm = lower(make || ' ' || model), "
        "odometer_on = CASE WHEN odometer IS NULL THEN NULL ELSE (created_at AT TIME ZONE 'UTC')::date END"
    )
    for name in ("name", "name_norm"):
        # The release before this one writes no names.
        op.alter_column("vehicles", name, nullable=False, server_default="", schema=SCHEMA)
    op.alter_column("vehicles", "customer_id", nullable=True, schema=SCHEMA)
    for name, condition in CHECKS:
        op.create_check_constraint(name, "vehicles", condition, schema=SCHEMA)
    _key("vehicles", "model_id", "vehicle_models", own=True)
    for name, columns, live in INDEXES:
        _index("vehicles", name, columns, live=live)


def _parties() -> None:
    _table(
        "vehicle_parties",
        sa.Column("vehicle_id", UUID, nullable=False),
        sa.Column("customer_id", UUID, nullable=False),
        sa.Column("contact_id", UUID),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date()),
        sa.Column("to_on", sa.Date()),
        sa.CheckConstraint("role IN ('owner', 'driver', 'payer')", name="role"),
        sa.CheckConstraint("to_on >= from_on", name="dates"),
    )
    _key("vehicle_parties", "vehicle_id", "vehicles", "CASCADE", own=True)
    _key("vehicle_parties", "customer_id", "customers", "CASCADE")
    _index("vehicle_parties", "vehicle", ["vehicle_id", "role", "from_on"])
    _index("vehicle_parties", "customer", ["customer_id", "vehicle_id"])
    _index("vehicle_parties", "contact", ["contact_id"])
    _index("vehicle_parties", "from", ["from_on", "id"], live=True)
    _index("vehicle_parties", "updated", ["updated_at", "id"], live=True)
    op.execute(
        f"ALTER TABLE {SCHEMA}.vehicle_parties ADD CONSTRAINT vehicle_parties_one_owner EXCLUDE USING gist "
        "(tenant_id WITH =, vehicle_id WITH =, daterange(from_on, to_on) WITH &&) "
        "WHERE (role = 'owner' AND deleted_at IS NULL)"
    )


def _readings() -> None:
    _table(
        "odometer_readings",
        sa.Column("vehicle_id", UUID, nullable=False),
        sa.Column("read_on", sa.Date(), nullable=False),
        sa.Column("km", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), server_default="km", nullable=False),
        sa.Column("source", sa.Text(), server_default="said", nullable=False),
        sa.Column("status", sa.Text(), server_default="valid", nullable=False),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint("status IN ('valid', 'suspect', 'replaced', 'corrected')", name="status"),
        sa.CheckConstraint("unit IN ('km', 'mi')", name="unit"),
        sa.CheckConstraint("km >= 0 AND shown >= 0", name="positive"),
    )
    _key("odometer_readings", "vehicle_id", "vehicles", "CASCADE", own=True)
    _index("odometer_readings", "vehicle", ["vehicle_id", "read_on", "km", "id"])
    _index("odometer_readings", "read", ["read_on", "id"], live=True)
    _index("odometer_readings", "updated", ["updated_at", "id"], live=True)


def _take_over() -> None:
    op.execute(
        "INSERT INTO p_automotive.vehicle_parties"
        " (tenant_id, id, vehicle_id, customer_id, role, created_by, updated_by)"
        " SELECT tenant_id, gen_random_uuid(), id, customer_id, 'owner', created_by, updated_by"
        " FROM p_automotive.vehicles"
    )
    op.execute(
        "INSERT INTO p_automotive.odometer_readings"
        " (tenant_id, id, vehicle_id, read_on, km, shown, created_by, updated_by)"
        " SELECT tenant_id, gen_random_uuid(), id, odometer_on, odometer, odometer, created_by, updated_by"
        " FROM p_automotive.vehicles WHERE odometer IS NOT NULL"
    )
