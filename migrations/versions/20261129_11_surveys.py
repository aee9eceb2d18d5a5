"""Keep surveys, their questions, invitations and answers."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from kehu.core import migration

revision = "20261129_11"
down_revision = "20261129_10"
branch_labels = None
depends_on = None

LIVE = sa.text("deleted_at IS NULL")
MOMENT = sa.DateTime(timezone=True)
GRANTS = {
    "viewer": {"read": "all"},
    "member": {"read": "all"},
    "manager": {"read": "all", "write": "all", "delete": "all", "export": "all"},
    "admin": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
    "owner": {"read": "all", "write": "all", "delete": "all", "export": "all", "import": "all"},
}
RECORDS = ("surveys", "survey_questions")
POINTERS = (
    ("surveys", "owner_id", "members", None),
    ("survey_questions", "survey_id", "surveys", "CASCADE"),
    ("survey_invitations", "survey_id", "surveys", "CASCADE"),
    ("survey_invitations", "customer_id", "customers", "CASCADE"),
    ("survey_invitations", "contact_id", "contacts", "CASCADE"),
    ("survey_answers", "survey_id", "surveys", "CASCADE"),
    ("survey_answers", "question_id", "survey_questions", "CASCADE"),
    ("survey_answers", "invitation_id", "survey_invitations", "CASCADE"),
)
INDEXES: tuple[tuple[str, str, list[str], Any], ...] = (
    ("surveys", "name", ["name_norm", "id"], LIVE),
    ("surveys", "owner", ["owner_id", "name_norm", "id"], LIVE),
    ("surveys", "updated", ["updated_at", "id"], LIVE),
    ("survey_questions", "survey", ["survey_id", "place", "id"], None),
    ("survey_questions", "updated", ["updated_at", "id"], LIVE),
    ("survey_invitations", "customer", ["customer_id", "at"], None),
    ("survey_invitations", "contact", ["contact_id", "at"], None),
    ("survey_invitations", "state", ["survey_id", "state", "at"], None),
    ("survey_answers", "question", ["question_id", "number"], None),
    ("survey_answers", "survey", ["survey_id", "id"], None),
)


def _uuid(name: str, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.UUID(), nullable=nullable)


def _text(name: str, nullable: bool = False, **options: Any) -> sa.Column[Any]:
    return sa.Column(
        name, sa.Text(collation="C" if options.pop("c", False) else None), nullable=nullable, **options
    )


def _number(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(
        name,
        sa.BigInteger(),
        nullable=default is None,
        server_default=sa.text(default) if default else None,
    )


def upgrade() -> None:
    migration.begin()
    _tables()
    for table in (*RECORDS, "survey_invitations", "survey_answers"):
        migration.add_fk(f"{table}_tenant_fkey", table, ["tenant_id"], "tenants", ["id"], "CASCADE")
    for table, column, target, ondelete in POINTERS:
        name = f"{table}_{column.removesuffix('_id')}_fkey"
        migration.add_fk(name, table, ["tenant_id", column], target, ["tenant_id", "id"], ondelete)
    for table, name, columns, where in INDEXES:
        op.create_index(f"{table}_{name}_idx", table, ["tenant_id", *columns], postgresql_where=where)
    for table, name, columns in (
        ("survey_invitations", "occasion", ["survey_id", "occasion"]),
        ("survey_answers", "once", ["invitation_id", "question_id"]),
    ):
        op.create_index(f"{table}_{name}_key", table, ["tenant_id", *columns], unique=True)
    for code, rights in GRANTS.items():
        pairs = ", ".join(
            f"'{table}:{action}', '{scope}'" for table in RECORDS for action, scope in rights.items()
        )
        # Names of our own rights alone go into the text.
        op.execute(
            f"UPDATE roles SET permissions = permissions || jsonb_build_object({pairs}) WHERE code = '{code}'"
        )


def _tables() -> None:
    migration.tenant_table(
        "surveys",
        _uuid("tenant_id"),
        _uuid("id"),
        _text("name"),
        _text("name_norm", c=True),
        _text("intro", True),
        _text("state", server_default="draft"),
        _text("occasion", server_default="none"),
        _number("wait_days", "3"),
        _number("remind_days"),
        _number("low_score"),
        sa.Column("opened_at", MOMENT, nullable=True),
        _uuid("owner_id", True),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="surveys_pkey"),
        sa.CheckConstraint("state IN ('draft', 'open', 'closed')", name=op.f("surveys_state_check")),
        sa.CheckConstraint(
            "occasion IN ('none', 'deal_won', 'ticket_resolved')", name=op.f("surveys_occasion_check")
        ),
    )
    migration.tenant_table(
        "survey_questions",
        _uuid("tenant_id"),
        _uuid("id"),
        _uuid("survey_id"),
        _number("place", "1"),
        _text("name"),
        _text("kind", server_default="scale"),
        _text("choices", True),
        sa.Column("needed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        *migration.record_columns(),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="survey_questions_pkey"),
        sa.CheckConstraint(
            "kind IN ('recommend', 'scale', 'choice', 'text')", name=op.f("survey_questions_kind_check")
        ),
    )
    migration.tenant_table(
        "survey_invitations",
        _uuid("tenant_id"),
        _uuid("id"),
        _uuid("survey_id"),
        _uuid("customer_id", True),
        _uuid("contact_id", True),
        _text("occasion", c=True),
        _uuid("member_id", True),
        _uuid("message_id", True),
        _text("state", server_default="invited"),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reminded_at", MOMENT, nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        _uuid("ticket_id", True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="survey_invitations_pkey"),
        sa.CheckConstraint(
            "state IN ('invited', 'refused', 'answered')", name=op.f("survey_invitations_state_check")
        ),
    )
    migration.tenant_table(
        "survey_answers",
        _uuid("tenant_id"),
        _uuid("id"),
        _uuid("survey_id"),
        _uuid("question_id"),
        _uuid("invitation_id"),
        _number("number"),
        _text("words", True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="survey_answers_pkey"),
    )


def downgrade() -> None:
    migration.begin()
    for table in ("survey_answers", "survey_invitations", "survey_questions", "surveys"):
        op.drop_table(table)
    rights = ", ".join(f"'{table}:{action}'" for table in RECORDS for action in GRANTS["admin"])
    op.execute(f"UPDATE roles SET permissions = permissions - ARRAY[{rights}]")
