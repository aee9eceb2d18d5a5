"""Keep rules of offers that follow from dates, their words and the offers themselves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_05"
down_revision = "20261129_04"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
WAITING = sa.text("state IN ('open', 'contacted') AND deleted_at IS NULL")

INDEXES: dict[str, tuple[tuple[str, list[str], Any], ...]] = {
    "offer_rules": (
        ("name", ["name_norm", "id"], LIVE),
        ("product", ["product_id"], None),
        ("pipeline", ["pipeline_id"], None),
        ("owner", ["owner_id"], None),
    ),
    "offer_texts": (),
    "offers": (
        ("due", ["due_on", "id"], LIVE),
        ("waiting", ["rule_id", "next_on", "id"], WAITING),
        ("work", ["next_on", "id"], LIVE),
        ("rule", ["rule_id", "due_on", "id"], None),
        ("customer", ["customer_id", "due_on", "id"], None),
        ("owner", ["owner_id", "due_on", "id"], LIVE),
        ("item", ["item_id"], None),
        ("term", ["term_id"], None),
        ("contact", ["contact_id"], None),
        ("deal", ["deal_id"], None),
        ("message", ["message_id"], None),
        ("activity", ["activity_id"], None),
    ),
}
POINTERS = (
    ("offer_rules", "product_id", "products", None),
    ("offer_rules", "pipeline_id", "pipelines", None),
    ("offer_rules", "owner_id", "members", None),
    ("offer_texts", "rule_id", "offer_rules", "CASCADE"),
    ("offers", "rule_id", "offer_rules", "CASCADE"),
    ("offers", "customer_id", "customers", "CASCADE"),
    ("offers", "contact_id", "contacts", None),
    ("offers", "item_id", "owned_items", "CASCADE"),
    ("offers", "term_id", "owned_item_terms", "CASCADE"),
    ("offers", "deal_id", "deals", None),
    ("offers", "message_id", "messages", None),
    ("offers", "activity_id", "activities", None),
    ("offers", "owner_id", "members", None),
)
GRANTS = {
    "offers": {
        "viewer": {"read": "all"},
        "member": {"read": "all", "write": "all", "delete": "own"},
        "manager": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
        "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    },
    "offer_rules": {
        "viewer": {"read": "all"},
        "member": {"read": "all"},
        "manager": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
        "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    },
}
GRANTS["offer_texts"] = GRANTS["offer_rules"]
"""What roles of firms that are there already may do with the new records."""


def _uuid(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, nullable: bool = True, **options: Any) -> sa.Column[Any]:
    return sa.Column(
        name, sa.Text(collation="C" if options.pop("c", False) else None), nullable=nullable, **options
    )


def _number(name: str, nullable: bool = True, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, **options)


def _date(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _flag(name: str, value: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text(value), nullable=False)


def upgrade() -> None:
    migration.begin()
    _rules()
    _offers()
    for table, indexes in INDEXES.items():
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
        for name, columns, where in indexes:
            op.create_index(f"{table}_{name}_idx", table, ["tenant_id", *columns], postgresql_where=where)
    for table, column, target, ondelete in POINTERS:
        name = f"{table}_{column.removesuffix('_id')}_fkey"
        migration.add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], ondelete)
    op.create_index(
        "offer_texts_one_key",
        "offer_texts",
        ["tenant_id", "rule_id", "locale"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index(
        "offers_thing_key", "offers", ["tenant_id", "rule_id", "thing", "customer_id"], unique=True
    )
    _grant()


def _rules() -> None:
    migration.tenant_table(
        "offer_rules",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _text("name", False),
        _text("name_norm", False, c=True),
        _flag("active", "true"),
        _text("source", False, c=True),
        _number("months_after"),
        _uuid("product_id"),
        _text("ladder", False),
        _text("channel", False),
        _text("purpose", False),
        _number("holdout", False),
        _text("hold_tickets", False),
        _uuid("pipeline_id"),
        _uuid("owner_id"),
        _text("description"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="offer_rules_pkey"),
        sa.CheckConstraint("channel IN ('task', 'mail')", name=op.f("offer_rules_channel_check")),
        sa.CheckConstraint("purpose IN ('marketing', 'service')", name=op.f("offer_rules_purpose_check")),
        sa.CheckConstraint(
            "hold_tickets IN ('any', 'high', 'none')", name=op.f("offer_rules_hold_tickets_check")
        ),
        sa.CheckConstraint("holdout BETWEEN 0 AND 50", name=op.f("offer_rules_holdout_check")),
    )
    migration.tenant_table(
        "offer_texts",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("rule_id", False),
        _text("locale", False, c=True),
        _text("subject", False),
        _text("body", False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="offer_texts_pkey"),
    )


def _offers() -> None:
    migration.tenant_table(
        "offers",
        _uuid("tenant_id", False),
        _uuid("id", False),
        _uuid("rule_id", False),
        _text("thing", False, c=True),
        _uuid("customer_id", False),
        _uuid("contact_id"),
        _uuid("item_id"),
        _uuid("term_id"),
        _text("name", False),
        _date("due_on", False),
        _text("basis"),
        _text("state", False, server_default="open"),
        _text("reason"),
        _text("note"),
        _number("rung"),
        _date("next_on", False),
        _number("contacts", False, server_default=sa.text("0")),
        _date("contacted_on"),
        _flag("held_out", "false"),
        _date("renewed_on"),
        _date("closed_on"),
        _uuid("deal_id"),
        _uuid("message_id"),
        _uuid("activity_id"),
        _uuid("owner_id"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="offers_pkey"),
        sa.CheckConstraint(
            "state IN ('open', 'contacted', 'accepted', 'declined', 'stopped')",
            name=op.f("offers_state_check"),
        ),
        sa.CheckConstraint("NOT (held_out AND contacts > 0)", name=op.f("offers_held_out_check")),
    )


def _grant() -> None:
    """Let the roles of firms that are there already do with the new records what new firms' roles may."""
    for table, grants in GRANTS.items():
        for code, rights in grants.items():
            pairs = ", ".join(f"'{table}:{action}', '{scope}'" for action, scope in rights.items())
            # Names of our own rights alone go into the text.
            op.execute(
                f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
            )


def downgrade() -> None:
    migration.begin()
    for table in ("offers", "offer_texts", "offer_rules"):
        op.drop_table(table)
    rights = ", ".join(f"'{table}:{action}'" for table in GRANTS for action in GRANTS["offers"]["admin"])
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
