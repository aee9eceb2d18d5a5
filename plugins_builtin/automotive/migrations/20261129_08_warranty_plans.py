"""Plans of warranties, from which coverages of vehicles are made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.api import add_fk, begin_migration, record_columns, tenant_table

revision = "20261129_08"
down_revision = "20261129_07"
branch_labels = None
depends_on = None

SCHEMA = "p_automotive"
UUID = pg.UUID(as_uuid=True)
C = sa.Text(collation="C")
LIVE = sa.text("deleted_at IS NULL")
ACTIONS = ("write", "delete", "export", "import")


def upgrade() -> None:
    """Create the table, and let those who may see and change vehicles see and change plans."""
    begin_migration()
    tenant_table(
        "warranty_plans",
        sa.Column("tenant_id", UUID, nullable=False),
        sa.Column("id", UUID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", C, nullable=False),
        sa.Column("make", sa.Text(), nullable=False),
        sa.Column("make_norm", C, nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("months", sa.BigInteger(), nullable=False),
        sa.Column("distance", sa.BigInteger()),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date()),
        sa.Column("until_on", sa.Date()),
        sa.Column("provider", sa.Text()),
        sa.Column("description", sa.Text()),
        *record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="warranty_plans_pkey"),
        sa.CheckConstraint(
            "kind IN ('warranty', 'extended_warranty')", name=op.f("warranty_plans_kind_check")
        ),
        sa.CheckConstraint("unit IN ('km', 'mi')", name=op.f("warranty_plans_unit_check")),
        sa.CheckConstraint("until_on >= from_on", name=op.f("warranty_plans_days_check")),
        schema=SCHEMA,
    )
    add_fk(
        "warranty_plans_tenant_fkey",
        "warranty_plans",
        ["tenant_id"],
        "tenants",
        ["id"],
        "CASCADE",
        schema=SCHEMA,
    )
    for name, columns in (
        ("name", ["name_norm", "id"]),
        ("make", ["make_norm", "id"]),
        ("updated", ["updated_at", "id"]),
    ):
        op.create_index(
            f"warranty_plans_{name}_idx", "warranty_plans", ["tenant_id", *columns], schema=SCHEMA,
            postgresql_where=LIVE,
        )  # fmt: skip
    for old, actions in (("read", ("read",)), ("write", ACTIONS)):
        new = {f"automotive.warranty_plans:{action}": "all" for action in actions}
        op.execute(
            sa.text(
                "UPDATE roles SET permissions = CAST(:new AS jsonb) || permissions WHERE permissions ? :old"
            ).bindparams(sa.bindparam("new", new, pg.JSONB()), old=f"automotive.vehicles:{old}")
        )


def downgrade() -> None:
    """Drop it again."""
    begin_migration()
    op.drop_table("warranty_plans", schema=SCHEMA)
