"""Services and parts that wear, as a kind of records."""

from __future__ import annotations

from kehu.api import Field, Option, RecordType, _l
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.fields import changed_at, its_vehicle, looked_after_by, notes
from plugins_builtin.automotive.upkeep.models import ServiceItem
from plugins_builtin.automotive.upkeep.services import NAME, ItemService

KINDS = (
    Option(value="service", label=_l("Service"), tone="info"),
    Option(value="wear", label=_l("Part that wears"), tone="warn"),
    Option(value="inspection", label=_l("Inspection"), tone="hue-262"),
)
BY = (
    Option(value="time", label=_l("By time")),
    Option(value="distance", label=_l("By distance")),
)

SERVICE_ITEMS = RecordType(
    name=NAME,
    singular=f"{SLUG}.service_item",
    label=_l("service"),
    plural=_l("Services due"),
    icon="settings",
    model=ServiceItem,
    service=ItemService,
    follows="vehicle_id",
    default_sort="due_on",
    searchable=False,
    sections={"main": _l("What is done"), "last": _l("Last time"), "next": _l("Next time")},
    fields=(
        Field(key="name", label=_l("What"), required=True, quick=True, column=True, example="Oil and filter"),
        its_vehicle(),
        Field(key="kind", label=_l("Kind"), kind="choice", options=KINDS, default="service", filterable=True),
        Field(
            key="months",
            label=_l("Every so many months"),
            kind="number",
            quick=True,
            minimum=1,
            maximum=240,
            help=_l("With a distance too: whichever comes first."),
            example=12,
        ),
        Field(
            key="km",
            label=_l("Every so many km"),
            kind="number",
            quick=True,
            minimum=100,
            maximum=500_000,
            example=15000,
        ),
        Field(
            key="done_on",
            label=_l("Done last on"),
            kind="date",
            section="last",
            quick=True,
            help=_l("Empty: today."),
        ),
        Field(
            key="done_km",
            label=_l("Mileage then (km)"),
            kind="number",
            section="last",
            quick=True,
            minimum=0,
            maximum=3_000_000,
        ),
        Field(
            key="due_on",
            label=_l("Due on"),
            kind="date",
            readonly=True,
            section="next",
            sortable=True,
            filterable=True,
            column=True,
        ),
        Field(key="due_by", label=_l("Due"), kind="choice", options=BY, readonly=True, section="next"),
        Field(key="basis", label=_l("How that was reckoned"), readonly=True, section="next", column=True),
        Field(
            key="paused",
            label=_l("Paused"),
            kind="bool",
            section="next",
            filterable=True,
            help=_l("The customer has it done elsewhere."),
        ),
        notes(),
        looked_after_by(),
        changed_at(),
    ),
)
