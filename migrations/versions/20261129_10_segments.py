"""Keep segments of customers and contacts as rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_10"
down_revision = "20261129_09"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
GRANTS = {
    "viewer": {"read": "all"},
    "member": {"read": "all", "write": "all", "delete": "own"},
    "manager": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    "owner": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
}
"""What roles of firms that are there already may do with segments."""


def upgrade() -> None:
    migration.begin()
    migration.tenant_table(
        "segments",
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_norm", sa.Text(collation="C"), nullable=False),
        sa.Column("object", sa.Text(), server_default="customers", nullable=False),
        sa.Column("query", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.UUID(), nullable=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="segments_pkey"),
        sa.CheckConstraint("object IN ('customers', 'contacts')", name=op.f("segments_object_check")),
    )
    migration.add_fk("segments_tenant_fkey", "segments", ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "segments_owner_fkey", "segments", ["tenant_id", "owner_id"], "members", ["tenant_id", "id"]
    )
    for name, columns in (
        ("name", ["name_norm", "id"]),
        ("object", ["object", "name_norm", "id"]),
        ("owner", ["owner_id", "name_norm", "id"]),
        ("updated", ["updated_at", "id"]),
    ):
        op.create_index(f"segments_{name}_idx", "segments", ["tenant_id", *columns], postgresql_where=LIVE)
    for code, rights in GRANTS.items():
        pairs = ", ".join(f"'segments:{action}', '{scope}'" for action, scope in rights.items())
        # Names of our own rights alone go into the text.
        op.execute(
            f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
        )


def downgrade() -> None:
    migration.begin()
    op.drop_table("segments")
    rights = ", ".join(f"'segments:{action}'" for action in GRANTS["admin"])
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
