"""Keep credit notes, refunds and disputes, and what of an invoice is still to be paid."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_23"
down_revision = "20261129_22"
branch_labels = None
depends_on = None

BEFORE = "kind IN ('subscribe', 'abandon', 'change', 'cancel', 'undo', 'pay', 'card')"
AFTER = (
    "kind IN ('subscribe', 'abandon', 'change', 'cancel', 'undo', 'pay', 'card', 'credit', 'refund', 'end')"
)


def _key() -> list[Any]:
    return [
        sa.Column("tenant_id", sa.UUID(), nullable=False),
        sa.Column("id", sa.UUID(), nullable=False),
    ]


def _text(name: str, empty: bool = False, exact: bool = False) -> Any:
    kind = sa.Text(collation="C") if exact else sa.Text()
    return sa.Column(name, kind, nullable=False, server_default="" if empty else None)


def _money(name: str) -> Any:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _moment(name: str, nullable: bool = False) -> Any:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _credit_notes() -> list[Any]:
    return [
        _text("provider_id", exact=True),
        _text("invoice_id", exact=True),
        _text("number", empty=True),
        _text("status"),
        _text("currency"),
        *(_money(name) for name in ("net", "tax", "total", "refunded")),
        _text("tax_note", empty=True),
        _text("reason", empty=True),
        _moment("made_at"),
        _moment("synced_at"),
    ]


def _refunds() -> list[Any]:
    return [
        _text("provider_id", exact=True),
        _text("credit_note_id", empty=True),
        _text("charge_id", empty=True),
        _text("status"),
        _text("currency"),
        _money("amount"),
        _moment("made_at"),
        _moment("synced_at"),
    ]


def _disputes() -> list[Any]:
    return [
        _text("provider_id", exact=True),
        _text("charge_id", empty=True),
        _text("status"),
        _text("reason", empty=True),
        _text("currency"),
        _money("amount"),
        _moment("made_at"),
        _moment("held_at", nullable=True),
        _moment("acted_at", nullable=True),
        _moment("synced_at"),
    ]


TABLES = {
    "billing_credit_notes": _credit_notes,
    "billing_refunds": _refunds,
    "billing_disputes": _disputes,
}


def upgrade() -> None:
    migration.begin()
    for name, columns in TABLES.items():
        key = sa.PrimaryKeyConstraint("tenant_id", "id", name=f"{name}_pkey")
        migration.tenant_table(name, *_key(), *columns(), key)
        migration.add_fk(f"{name}_tenant_fkey", name, ["tenant_id"], "tenants", ["id"], "CASCADE")
        op.create_index(f"{name}_provider_key", name, ["tenant_id", "provider_id"], unique=True)
    op.create_index("billing_credit_notes_invoice_idx", "billing_credit_notes", ["tenant_id", "invoice_id"])
    op.add_column(
        "billing_invoices",
        sa.Column("due", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.execute("UPDATE billing_invoices SET due = total - paid WHERE status = 'open'")
    _kinds(AFTER)


def downgrade() -> None:
    migration.begin()
    op.execute("DELETE FROM billing_operations WHERE kind IN ('credit', 'refund', 'end')")
    _kinds(BEFORE)
    op.drop_column("billing_invoices", "due")
    for name in reversed(TABLES):
        op.drop_table(name)


def _kinds(rule: str) -> None:
    op.drop_constraint(op.f("billing_operations_kind_check"), "billing_operations", type_="check")
    op.create_check_constraint(op.f("billing_operations_kind_check"), "billing_operations", rule)
