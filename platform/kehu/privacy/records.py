"""The rules for how long something is kept as a record type: audited, undoable and guarded like all others."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.privacy.models import RetentionRule

PAGE = "/settings/retention"

OBJECTS = (
    Option(value="customers", label=_l("Customers without activity")),
    Option(value="contacts", label=_l("Contacts without activity")),
    Option(value="tickets", label=_l("Tickets that are closed")),
    Option(value="trash", label=_l("What lies in the trash")),
)
UNITS = (Option(value="months", label=_l("Months")), Option(value="days", label=_l("Days")))
ACTS = (
    Option(value="trash", label=_l("Into the trash, from where it can be restored")),
    Option(value="erase", label=_l("Erase for good")),
)


def _service(session: Session) -> Any:
    from kehu.privacy.retention import RetentionRuleService

    return RetentionRuleService(session)


RETENTION_RULES = register(
    RecordType(
        name="retention_rules",
        singular="retention_rule",
        label=_l("rule for keeping"),
        plural=_l("Rules for keeping"),
        icon="clock",
        model=RetentionRule,
        service=_service,
        owner="",
        path=PAGE,
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                max_length=100,
                quick=True,
                example="Silent for three years",
            ),
            Field(
                key="object",
                label=_l("What"),
                kind="choice",
                options=OBJECTS,
                required=True,
                quick=True,
                example="contacts",
            ),
            Field(
                key="after",
                label=_l("After"),
                kind="number",
                minimum=1,
                maximum=1200,
                required=True,
                default=36,
                quick=True,
                help=_l("Counted from the last activity, from closing, or from the day in the trash."),
            ),
            Field(
                key="unit",
                label=_l("Unit"),
                kind="choice",
                options=UNITS,
                required=True,
                default="months",
                quick=True,
            ),
            Field(
                key="act",
                label=_l("What happens"),
                kind="choice",
                options=ACTS,
                required=True,
                default="trash",
                quick=True,
            ),
            Field(
                key="only_for",
                label=_l("Only where"),
                max_length=2000,
                quick=True,
                help=_l("Filter as in the address of the list, for example kind=person. Empty means all."),
                example="customer_id.empty=no",
            ),
            Field(
                key="years",
                label=_l("Keep buyers for years"),
                kind="number",
                minimum=0,
                maximum=50,
                default=10,
                quick=True,
                help=_l(
                    "Whoever bought something within so many years stays, since the law wants the papers kept."
                ),
            ),
            Field(key="active", label=_l("Switched on"), kind="bool", default=False, example=False),
        ),
    )
)
