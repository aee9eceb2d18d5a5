"""Keep accounts, the mirror of the provider, seats with their ledger, and prices: the rent of the product."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from kehu.core import migration

revision = "20261129_13"
down_revision = "20261129_12"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def _key(with_id: bool = True) -> list[Any]:
    found = [sa.Column("tenant_id", sa.UUID(), nullable=False)]
    return [*found, sa.Column("id", sa.UUID(), nullable=False)] if with_id else found


def _text(name: str, nullable: bool = False, empty: bool = False, exact: bool = False) -> Any:
    kind = sa.Text(collation="C") if exact else sa.Text()
    return sa.Column(name, kind, nullable=nullable, server_default="" if empty else None)


def _count(name: str, default: int = 0) -> Any:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text(str(default)))


def _flag(name: str) -> Any:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.text("false"))


def _moment(name: str, nullable: bool = True) -> Any:
    return sa.Column(name, MOMENT, nullable=nullable)


def _json(name: str, empty: str = "{}") -> Any:
    return sa.Column(name, JSONB(), nullable=False, server_default=sa.text(f"'{empty}'::jsonb"))


def _accounts() -> list[Any]:
    return [
        *_key(with_id=False),
        _text("mode"),
        _flag("livemode"),
        _count("version", 1),
        _text("stripe_customer_id", nullable=True),
        _text("currency"),
        *(
            _text(name, empty=True)
            for name in ("country", "legal_name", "address", "invoice_email", "tax_id", "tax_id_state")
        ),
        _moment("trial_ends_at"),
        _moment("ended_at"),
        _moment("held_at"),
        _text("held_reason", empty=True),
        _text("phase"),
        *(
            _count(name)
            for name in ("clock_ahead", "seats_used", "seats_cap", "seats_billed", "seats_paid_floor")
        ),
        _moment("seats_paid_until"),
        _moment("over_seat_since"),
        sa.Column("created_at", MOMENT, nullable=False, server_default=sa.text("now()")),
        sa.CheckConstraint(
            "seats_used <= seats_cap OR over_seat_since IS NOT NULL",
            name=op.f("billing_accounts_seats_check"),
        ),
        sa.CheckConstraint("seats_used >= 0 AND seats_cap >= 0", name=op.f("billing_accounts_counts_check")),
    ]


def _subscriptions() -> list[Any]:
    return [
        *_key(),
        _text("provider_id", exact=True),
        _flag("live"),
        *(_text(name) for name in ("status", "plan", "interval", "currency")),
        _count("seats"),
        _flag("by_invoice"),
        _moment("started_at", nullable=False),
        *(_moment(name) for name in ("period_start", "period_end", "cancel_at", "stopped_at")),
        sa.Column("pending", JSONB(), nullable=True),
        _json("raw"),
        _moment("synced_at", nullable=False),
    ]


def _invoices() -> list[Any]:
    return [
        *_key(),
        _text("provider_id", exact=True),
        _text("number", empty=True),
        _text("status"),
        _text("currency"),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("net", "tax", "total", "paid")),
        _text("tax_note", empty=True),
        _moment("made_at", nullable=False),
        _moment("due_at"),
        _moment("paid_at"),
        _json("lines", "[]"),
        _json("raw"),
        _moment("synced_at", nullable=False),
    ]


def _seats() -> list[Any]:
    return [
        *_key(),
        sa.Column("member_id", sa.UUID(), nullable=False),
        _text("email_norm", exact=True),
        _text("kind"),
        _text("state"),
        _moment("reserved_until"),
        _moment("taken_at", nullable=False),
        sa.CheckConstraint("kind IN ('full', 'viewer')", name=op.f("billing_seats_kind_check")),
        sa.CheckConstraint(
            "state IN ('reserved', 'active', 'parked', 'released')", name=op.f("billing_seats_state_check")
        ),
    ]


def _ledger() -> list[Any]:
    return [
        *_key(),
        _moment("at", nullable=False),
        sa.Column("member_id", sa.UUID(), nullable=True),
        _text("name"),
        *(_count(name) for name in ("change", "used", "cap")),
        _text("reason"),
        sa.Column("by_id", sa.UUID(), nullable=True),
        _text("by_name"),
    ]


def _notices() -> list[Any]:
    return [
        *_key(),
        _text("kind", exact=True),
        _text("object", exact=True),
        _moment("sent_at", nullable=False),
    ]


def _overrides() -> list[Any]:
    return [
        *_key(),
        _text("feature", exact=True),
        _count("value"),
        _text("reason"),
        _moment("until"),
        _text("actor"),
        _moment("at", nullable=False),
    ]


TABLES = (
    ("billing_accounts", _accounts, False),
    ("billing_subscriptions", _subscriptions, False),
    ("billing_invoices", _invoices, False),
    ("billing_seats", _seats, False),
    ("billing_seat_ledger", _ledger, True),
    ("billing_notices", _notices, False),
    ("billing_overrides", _overrides, False),
    ("billing_demo_ledgers", lambda: [*_key(with_id=False), _json("state")], False),
)

INDEXES = (
    ("billing_subscriptions_provider_key", "billing_subscriptions", ["provider_id"], True, None),
    ("billing_subscriptions_live_key", "billing_subscriptions", [], True, "live"),
    ("billing_invoices_provider_key", "billing_invoices", ["provider_id"], True, None),
    ("billing_invoices_made_idx", "billing_invoices", ["made_at", "id"], False, None),
    ("billing_seats_member_key", "billing_seats", ["member_id"], True, None),
    (
        "billing_seats_email_key",
        "billing_seats",
        ["email_norm"],
        True,
        "state IN ('reserved', 'active') AND email_norm <> ''",
    ),
    ("billing_seat_ledger_at_idx", "billing_seat_ledger", ["at", "id"], False, None),
    ("billing_notices_once_key", "billing_notices", ["kind", "object"], True, None),
    ("billing_overrides_feature_key", "billing_overrides", ["feature"], True, None),
)


def upgrade() -> None:
    migration.begin()
    for name, columns, append_only in TABLES:
        parts = columns()
        key = [part.name for part in parts if isinstance(part, sa.Column)][:2]
        primary = ["tenant_id", "id"] if "id" in key else ["tenant_id"]
        migration.tenant_table(
            name,
            *parts,
            sa.PrimaryKeyConstraint(*primary, name=f"{name}_pkey"),
            append_only=append_only,
        )
        migration.add_fk(f"{name}_tenant_fkey", name, ["tenant_id"], "tenants", ["id"], "CASCADE")
    migration.add_fk(
        "billing_seats_member_fkey",
        "billing_seats",
        ["tenant_id", "member_id"],
        "members",
        ["tenant_id", "id"],
        "CASCADE",
    )
    for name, table, keys, unique, where in INDEXES:
        op.create_index(
            name,
            table,
            ["tenant_id", *keys],
            unique=unique,
            postgresql_where=sa.text(where) if where else None,
        )
    migration.local_table(
        "billing_prices",
        *(_text(name) for name in ("lookup_key", "plan", "interval", "currency")),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        _text("stripe_price_id", nullable=True),
        _moment("applied_at", nullable=False),
        sa.PrimaryKeyConstraint("lookup_key", name="billing_prices_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    op.drop_table("billing_prices")
    for name, _columns, _append_only in reversed(TABLES):
        op.drop_table(name)
