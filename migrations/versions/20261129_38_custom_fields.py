"""Keep the fields that firms make themselves, and index rows of their values."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261129_38"
down_revision = "20261129_37"
branch_labels = None
depends_on = None

C = sa.Text(collation="C")
FIELDS, VALUES = "custom_fields", "custom_values"


def upgrade() -> None:
    migration.begin()
    _definitions()
    _values()
    for right in ("read", "write", "delete"):
        migration.grant(f"custom_fields:{right}", "owner", "admin")


def _definitions() -> None:
    empty, no, nothing = sa.text("''"), sa.text("false"), sa.text("'[]'::jsonb")
    migration.tenant_table(
        FIELDS,
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        *(sa.Column(name, C, nullable=False) for name in ("object", "key", "slot")),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("kind", C, nullable=False),
        sa.Column("help", sa.Text(), server_default=empty, nullable=False),
        sa.Column("section", sa.Text(), server_default=empty, nullable=False),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        *(
            sa.Column(name, sa.Boolean(), server_default=no, nullable=False)
            for name in ("required", "only_one", "in_list", "at_create", "searchable")
        ),
        sa.Column("options", JSONB(), server_default=nothing, nullable=False),
        sa.Column("target", sa.Text(), server_default=empty, nullable=False),
        sa.Column("currency", sa.Text(), server_default=empty, nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=True),
        sa.Column("maximum", sa.BigInteger(), nullable=True),
        sa.Column("initial", sa.Text(), server_default=empty, nullable=False),
        sa.Column("formula", sa.Text(), server_default=empty, nullable=False),
        sa.Column("former", JSONB(), server_default=nothing, nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        *migration.record_columns(),
        sa.CheckConstraint("state IN ('active', 'retired')", name="custom_fields_state_check"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="custom_fields_pkey"),
    )
    migration.add_fk("custom_fields_tenant_fkey", FIELDS, ["tenant_id"], "tenants", ["id"], "CASCADE")
    op.create_index("custom_fields_key_key", FIELDS, ["tenant_id", "object", "key"], unique=True)


def _values() -> None:
    migration.tenant_table(
        VALUES,
        *(sa.Column(name, sa.UUID(), nullable=False) for name in ("tenant_id", "field_id", "record_id")),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("word", C, nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("sole", C, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "field_id", "record_id", "place", name="custom_values_pkey"),
    )
    migration.add_fk("custom_values_tenant_fkey", VALUES, ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "custom_values_field_fkey",
        VALUES,
        ["tenant_id", "field_id"],
        FIELDS,
        ["tenant_id", "id"],
        "CASCADE",
    )
    for name, columns, unique in (
        ("word", ["tenant_id", "field_id", "word", "record_id"], False),
        ("number", ["tenant_id", "field_id", "number", "record_id"], False),
        ("sole", ["tenant_id", "field_id", "sole"], True),
    ):
        op.create_index(
            f"custom_values_{name}_{'key' if unique else 'idx'}",
            VALUES,
            columns,
            unique=unique,
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )


def downgrade() -> None:
    migration.begin()
    op.drop_table(VALUES)
    op.drop_table(FIELDS)
