"""Segments as a record type, and the filter “Segment” of lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.segments import criteria
from kehu.segments.models import Segment

OBJECTS = (
    Option(value="customers", label=_l("Customers"), tone="ok"),
    Option(value="contacts", label=_l("Contacts"), tone="info"),
)


def _segments(session: Session) -> Any:
    from kehu.segments.services import SegmentService

    return SegmentService(session)


SEGMENTS = register(
    RecordType(
        name="segments",
        singular="segment",
        label=_l("segment"),
        plural=_l("Segments"),
        icon="target",
        model=Segment,
        service=_segments,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                max_length=100,
                example="Good customers whom nobody called",
            ),
            Field(
                key="object",
                label=_l("Holds"),
                kind="choice",
                options=OBJECTS,
                required=True,
                default="customers",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="query",
                label=_l("Rule"),
                max_length=4000,
                help=_l("As in the address of the list, for example value_class=A&quiet_days.gte=90."),
                example="value_class=A",
            ),
            Field(key="owner_id", label=_l("Looked after by"), kind="member", column=True, filterable=True),
            Field(key="description", label=_l("Description"), kind="long_text"),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                column=True,
            ),
        ),
    )
)

criteria.join()
