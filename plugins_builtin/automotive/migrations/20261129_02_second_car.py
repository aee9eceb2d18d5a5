"""What is known of households, how likely they want a second car, and what came of asking."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_02"
down_revision = "20261129_01"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
TABLE = "second_cars"
OUTCOMES = ("open", "called", "later", "interested", "refused", "has_one", "split")


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, pg.UUID(as_uuid=True), nullable=nullable)


def _one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(repr(one) for one in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{TABLE}_{column}_check")


def upgrade() -> None:
    """Create the tables of households and of weights."""
    begin_migration()
    tenant_table(
        TABLE,
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("customer_id", False),
        _uuid("owner_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("drivers", sa.BigInteger()),
        sa.Column("workers", sa.BigInteger()),
        sa.Column("people", sa.BigInteger()),
        sa.Column("income", sa.Text()),
        sa.Column("child", sa.Text()),
        sa.Column("home_owner", sa.Text()),
        sa.Column("rural", sa.Text()),
        sa.Column("known_cars", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("chance", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("doubled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("outcome", sa.Text(), server_default="open", nullable=False),
        sa.Column("asked_on", sa.Date()),
        sa.Column("again_on", sa.Date()),
        _uuid("deal_id"),
        *record_columns(),
        _one_of("outcome", *OUTCOMES),
        _one_of("income", "low", "middle", "high"),
        *(_one_of(key, "yes", "no") for key in ("child", "home_owner", "rural")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"{TABLE}_pkey"),
        schema=SCHEMA,
    )
    tenant_table(
        "second_car_weights",
        _uuid("tenant_id", False),
        _uuid("id", False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("weights", pg.JSONB(), nullable=False),
        sa.Column("outcomes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="second_car_weights_pkey"),
        schema=SCHEMA,
    )
    for table in (TABLE, "second_car_weights"):
        add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE", schema=SCHEMA)
    add_fk(
        f"{TABLE}_customer_fkey", TABLE, ["tenant_id", "customer_id"], "customers", ["tenant_id", "id"], "CASCADE",
        schema=SCHEMA,
    )  # fmt: skip
    _indexes()


def _indexes() -> None:
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        f"{TABLE}_customer_key", TABLE, ["tenant_id", "customer_id"], unique=True, schema=SCHEMA,
        postgresql_where=live,
    )  # fmt: skip
    op.create_index(f"{TABLE}_of_customer_idx", TABLE, ["tenant_id", "customer_id", "id"], schema=SCHEMA)
    for part, columns in (
        ("list", ["known_cars", "chance", "id"]),
        ("chance", ["chance", "id"]),
        ("name", ["name_norm", "id"]),
        ("outcome", ["outcome", "asked_on", "id"]),
        ("owner", ["owner_id", "chance", "id"]),
        ("updated", ["updated_at", "id"]),
    ):
        op.create_index(
            f"{TABLE}_{part}_idx", TABLE, ["tenant_id", *columns], schema=SCHEMA, postgresql_where=live
        )
    op.create_index(
        "second_car_weights_made_idx", "second_car_weights", ["tenant_id", "made_at"], schema=SCHEMA
    )


def downgrade() -> None:
    """Drop them again."""
    begin_migration()
    op.drop_table("second_car_weights", schema=SCHEMA)
    op.drop_table(TABLE, schema=SCHEMA)
