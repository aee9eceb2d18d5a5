"""Consents with their history, the rules for what leaves the house, and messages to customers.

Customers and contacts get the columns by which lists, imports and programs know how they may be reached.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

from kehu.core import migration

revision = "20261128_05"
down_revision = "20261128_04"
branch_labels = None
depends_on = None

PEOPLE = ("customers", "contacts")
REACH = (
    "mail_consent",
    "do_not_contact",
    "preferred_channel",
    "best_hours",
    "contact_gap",
    "language",
)
ONE_PERSON = "(customer_id IS NULL) <> (contact_id IS NULL)"
LIVE = sa.text("deleted_at IS NULL")


def _text(*names: str, optional: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=optional) for name in names]


def _ids(*names: str, optional: bool = True) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.UUID(), nullable=optional) for name in names]


def _moment(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=optional)


def _keys(table: str) -> None:
    migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")


def _of_people(table: str) -> None:
    _keys(table)
    for target in PEOPLE:
        column = target.removesuffix("s")
        migration.add_fk(
            f"{table}_{column}_fkey",
            table,
            ["tenant_id", f"{column}_id"],
            target,
            ["tenant_id", "id"],
            "CASCADE",
        )


def upgrade() -> None:
    migration.begin()
    for table in PEOPLE:
        for name in REACH:
            op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
        op.create_index(
            f"{table}_consent_idx",
            table,
            ["tenant_id", "mail_consent", "name_norm", "id"],
            postgresql_where=LIVE,
        )
    _consents()
    _rules()
    _messages()
    _grants()


def _consents() -> None:
    migration.tenant_table(
        "consents",
        *_ids("tenant_id", "id", optional=False),
        *_ids("customer_id", "contact_id"),
        *_text("channel", "purpose", "state", "how"),
        _moment("said_at"),
        *_text("source_text", "proof", "address", optional=True),
        _moment("recorded_at"),
        *_ids("member_id"),
        *_text("actor_name"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="consents_pkey"),
        sa.CheckConstraint(ONE_PERSON, name=op.f("consents_one_person_check")),
        sa.CheckConstraint("state IN ('given', 'withdrawn', 'cleared')", name=op.f("consents_state_check")),
        append_only=True,
    )
    migration.tenant_table(
        "consent_states",
        *_ids("tenant_id", "person_id", optional=False),
        *_text("channel", "purpose"),
        *_ids("customer_id", "contact_id"),
        *_text("state"),
        _moment("said_at"),
        sa.PrimaryKeyConstraint("tenant_id", "person_id", "channel", "purpose", name="consent_states_pkey"),
        sa.CheckConstraint(ONE_PERSON, name=op.f("consent_states_one_person_check")),
    )
    for table in ("consents", "consent_states"):
        _of_people(table)
    for name in ("customer", "contact"):
        op.create_index(f"consents_{name}_idx", "consents", ["tenant_id", f"{name}_id", "id"])
        op.create_index(f"consent_states_{name}_idx", "consent_states", ["tenant_id", f"{name}_id"])
    op.create_index(
        "consent_states_state_idx",
        "consent_states",
        ["tenant_id", "channel", "purpose", "state", "person_id"],
    )


def _rules() -> None:
    migration.tenant_table(
        "send_rules",
        *_ids("tenant_id", "id", optional=False),
        sa.Column("only", sa.Text(), server_default="rules", nullable=False),
        *_text("hours"),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("cap", "cap_days", "household_cap", "household_days")
        ),
        sa.Column("unasked", sa.Text(), server_default=sa.text("'none'"), nullable=False),
        *_text("sender_name", "reply_to", "imprint", optional=True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="send_rules_pkey"),
    )
    _keys("send_rules")
    op.create_index(
        "send_rules_one_key", "send_rules", ["tenant_id", "only"], unique=True, postgresql_where=LIVE
    )
    migration.tenant_table(
        "message_texts",
        *_ids("tenant_id", "id", optional=False),
        *_text("template", "locale", "subject", "body"),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="message_texts_pkey"),
    )
    _keys("message_texts")
    op.create_index(
        "message_texts_one_key",
        "message_texts",
        ["tenant_id", "template", "locale"],
        unique=True,
        postgresql_where=LIVE,
    )


def _messages() -> None:
    migration.tenant_table(
        "messages",
        *_ids("tenant_id", "id", optional=False),
        *_ids("customer_id", "contact_id", "person_id"),
        *_text("template", "channel", "purpose", "address", "locale", "subject", "body"),
        sa.Column(
            "data", pg.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        *_text("reason_code", "reason", optional=True),
        _moment("at"),
        _moment("sent_at", optional=True),
        _moment("wait_until", optional=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("once", sa.Text(collation="C"), nullable=True),
        *_ids("run_id", "member_id"),
        *_text("sender"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="messages_pkey"),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'refused', 'failed')", name=op.f("messages_state_check")
        ),
    )
    _of_people("messages")
    for name in ("customer", "contact"):
        op.create_index(f"messages_{name}_idx", "messages", ["tenant_id", f"{name}_id", "at", "id"])
    op.create_index("messages_person_idx", "messages", ["tenant_id", "person_id", "sent_at"])
    op.create_index("messages_state_idx", "messages", ["tenant_id", "state", "id"])
    op.create_index("messages_run_idx", "messages", ["tenant_id", "run_id", "id"])
    op.create_index(
        "messages_once_key",
        "messages",
        ["tenant_id", "once"],
        unique=True,
        postgresql_where=sa.text("once IS NOT NULL"),
    )


def _grants() -> None:
    """Let the roles of firms that are there already do what new firms' roles may."""
    for resource in ("send_rules", "message_texts"):
        for action in ("read", "write", "delete"):
            migration.grant(f"{resource}:{action}", "admin")
    migration.grant("messages:send", "admin", "manager", "member")
    # Opening hours came without this.
    for resource in ("calendars", "calendar_days"):
        migration.grant(f"{resource}:read", "admin", "manager", "member", "viewer")
        for action in ("write", "delete"):
            migration.grant(f"{resource}:{action}", "admin")


def downgrade() -> None:
    migration.begin()
    for table in ("messages", "message_texts", "send_rules", "consent_states", "consents"):
        op.drop_table(table)
    for table in PEOPLE:
        op.drop_index(f"{table}_consent_idx", table_name=table)
        for name in REACH:
            op.drop_column(table, name)
