"""Activities as a record type."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.activities.models import Activity
from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register

KINDS = (
    Option(value="call", label=_l("Call"), tone="ok"),
    Option(value="mail", label=_l("Mail"), tone="info"),
    Option(value="visit", label=_l("Visit"), tone="hue-180"),
    Option(value="meeting", label=_l("Meeting"), tone="hue-262"),
    Option(value="task", label=_l("Task"), tone="neutral"),
    Option(value="note", label=_l("Note"), tone="warn"),
)

ICONS = {
    "call": "phone",
    "mail": "mail",
    "visit": "map-pin",
    "meeting": "calendar-event",
    "task": "square-check",
    "note": "note",
}
"""Kind -> its icon; the time line uses the same."""


def _service(session: Session) -> Any:
    from kehu.activities.services import ActivityService

    return ActivityService(session)


ACTIVITIES = register(
    RecordType(
        name="activities",
        singular="activity",
        label=_l("activity"),
        plural=_l("Activities"),
        icon="square-check",
        model=Activity,
        service=_service,
        title="subject",
        default_sort="due_at",
        customer="customer_id",
        sections={"main": _l("Details"), "links": _l("About")},
        own_fields=True,
        fields=(
            Field(
                key="subject",
                label=_l("Subject"),
                column=True,
                quick=True,
                example="Call back about the quote",
            ),
            Field(
                key="kind",
                label=_l("Kind"),
                kind="choice",
                options=KINDS,
                required=True,
                default="task",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="due_at",
                label=_l("Due"),
                kind="datetime",
                column=True,
                quick=True,
                sortable=True,
                filterable=True,
            ),
            Field(key="done_at", label=_l("Done"), kind="datetime", filterable=True),
            Field(key="outcome", label=_l("Outcome"), help=_l("What came of it, in a few words.")),
            Field(key="minutes", label=_l("Minutes"), kind="number", minimum=0, maximum=100_000),
            Field(key="body", label=_l("Text"), kind="long_text", quick=True),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                section="links",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(key="contact_id", label=_l("Contact"), kind="ref", ref="contacts", section="links"),
            Field(key="deal_id", label=_l("Deal"), kind="ref", ref="deals", section="links", filterable=True),
            Field(
                key="ticket_id",
                label=_l("Ticket"),
                kind="ref",
                ref="tickets",
                section="links",
                filterable=True,
            ),
            Field(
                key="owned_item_id",
                label=_l("Owned item"),
                kind="ref",
                ref="owned_items",
                section="links",
                filterable=True,
            ),
            Field(key="owner_id", label=_l("Owner"), kind="member", column=True, quick=True, filterable=True),
            Field(key="created_at", label=_l("Created"), kind="datetime", readonly=True, filterable=True),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                filterable=True,
            ),
        ),
    )
)
