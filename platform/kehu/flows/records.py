"""Workflows as a record type: versioned, audited and undoable like all others."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType, register, registered
from kehu.flows import steps
from kehu.flows.models import Flow

TRIGGERS = (
    Option(value="created", label=_l("a record is created")),
    Option(value="changed", label=_l("a record is changed")),
    Option(value="date", label=_l("a date comes near or is past")),
    Option(value="quiet", label=_l("nothing happens for some days")),
)
SIDES = (
    Option(value="before", label=_l("days before")),
    Option(value="after", label=_l("days after")),
)
MOST_DAYS = 3650

KINDS["steps"] = steps.KIND


def _service(session: Session) -> Any:
    from kehu.flows.services import FlowService

    return FlowService(session)


def objects() -> list[Option]:
    """Return the types of records that workflows can be about, as choices."""
    return [Option(value=name, label=one.plural) for name, one in registered().items() if one.own_fields]


FLOWS = register(
    RecordType(
        name="flows",
        singular="flow",
        label=_l("workflow"),
        plural=_l("Workflows"),
        icon="bolt",
        model=Flow,
        service=_service,
        owner="",
        path="/settings/workflows/{id}",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name", label=_l("Name"), required=True, max_length=100, example="Call back after a visit"
            ),
            Field(
                key="object", label=_l("For"), kind="choice", options=objects, required=True, example="deals"
            ),
            Field(
                key="trigger",
                label=_l("Starts when"),
                kind="choice",
                options=TRIGGERS,
                required=True,
                example="created",
            ),
            Field(
                key="field",
                label=_l("Field"),
                max_length=80,
                help=_l("Which field must change, or which date counts."),
                example="stage_id",
            ),
            Field(key="days", label=_l("Days"), kind="number", minimum=0, maximum=MOST_DAYS, default=0),
            Field(key="side", label=_l("Before or after"), kind="choice", options=SIDES, default="before"),
            Field(
                key="condition",
                label=_l("Only where"),
                max_length=3000,
                help=_l(
                    "Set the filters in the list and paste its address here, or write a filter such as "
                    "status:open,amount.gte:1000. Empty means all."
                ),
                example="where=amount.gte:1000",
            ),
            Field(
                key="steps",
                label=_l("Actions"),
                kind="steps",
                example=[{"do": "task", "text": "Call back", "days": 2}],
            ),
            Field(key="active", label=_l("Switched on"), kind="bool", default=False, example=False),
        ),
    )
)
