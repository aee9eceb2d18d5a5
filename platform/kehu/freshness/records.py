"""The fields that are verified as a record type, and verifying as an act of the trail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import shape
from kehu.core.audit import AuditEntry
from kehu.core.i18n import _, _l
from kehu.core.records import undo
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.freshness.models import FreshnessRule
from kehu.timeline import entries

PAGE = "/settings/freshness"
PART = "freshness"

OBJECTS = (
    Option(value="customers", label=_l("Customers")),
    Option(value="contacts", label=_l("Contacts")),
)


def _service(session: Session) -> Any:
    from kehu.freshness.services import FreshnessRuleService

    return FreshnessRuleService(session)


FRESHNESS_RULES = register(
    RecordType(
        name="freshness_rules",
        singular="freshness_rule",
        label=_l("verified field"),
        plural=_l("Verified fields"),
        icon="circle-check",
        model=FreshnessRule,
        service=_service,
        owner="",
        title="field",
        default_sort="id",
        path=PAGE,
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="object",
                label=_l("Of what"),
                kind="choice",
                options=OBJECTS,
                required=True,
                quick=True,
                example="customers",
            ),
            Field(key="field", label=_l("Field"), required=True, max_length=80, quick=True, example="phones"),
            Field(
                key="days",
                label=_l("Holds for days"),
                kind="number",
                minimum=1,
                maximum=3650,
                default=365,
                quick=True,
                help=_l("After that the value is asked for again."),
            ),
        ),
    )
)


def rules(session: Session) -> list[FreshnessRule]:
    """Return the fields that are verified."""
    statement = select(FreshnessRule).where(FreshnessRule.deleted_at.is_(None))
    return list(session.execute(statement.order_by(FreshnessRule.id).limit(200)).scalars())


def _loaded(session: Session) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rules(session):
        found.setdefault(row.object, {})[row.field] = row.days
    return found


def verified_fields(object_name: str) -> Mapping[str, int]:
    """Return the keys of the fields of a type that are verified, with the days that it holds."""
    found: Mapping[str, int] = (shape.part(PART) or {}).get(object_name, {})
    return found


def _told(row: Any, what: Any) -> Markup:
    said = (row.more or {}).get("freshness", [None, {}])[1] or {}
    field = said.get("label", "")
    if row.sub == "doubted":
        return entries.say(
            _("%(who)s noted that a value of %(what)s is wrong: %(field)s"),
            who=row.who,
            what=what,
            field=field,
        )
    return entries.say(
        _("%(who)s verified a value of %(what)s: %(field)s"), who=row.who, what=what, field=field
    )


def _undo(session: Session, entry: AuditEntry) -> None:
    from kehu.freshness.services import FreshnessService

    FreshnessService(session).undo(entry)


shape.add(PART, _loaded)
for _action in ("verified", "doubted"):
    entries.register_action(_action, _told)
    undo.register_action(_action, _undo)
