"""The people of vehicles and the readings of their clocks as record types."""

from __future__ import annotations

from kehu.api import Field, RecordPages, RecordType, _l
from plugins_builtin.automotive.fields import changed_at, contact, customer, its_vehicle, looked_after_by
from plugins_builtin.automotive.vehicles.fields import (
    PARTIES,
    READING_STATES,
    READINGS,
    ROLES,
    SOURCES,
    UNITS,
)
from plugins_builtin.automotive.vehicles.models import OdometerReading, VehicleParty
from plugins_builtin.automotive.vehicles.odometer import MOST_KM
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.readings import ReadingService, usual_unit

PARTY_TYPE = RecordType(
    name=PARTIES,
    singular="automotive.vehicle_party",
    label=_l("person of a vehicle"),
    plural=_l("People of vehicles"),
    icon="users",
    model=VehicleParty,
    service=PartyService,
    title="role",
    default_sort="-from_on",
    customer="customer_id",
    follows="vehicle_id",
    named_by="vehicle_id",
    searchable=False,
    fields=(
        Field(
            key="role",
            label=_l("Role"),
            kind="choice",
            options=ROLES,
            required=True,
            default="owner",
            column=True,
            quick=True,
            filterable=True,
        ),
        its_vehicle(),
        customer(required=True, quick=True),
        contact(filterable=True),
        Field(
            key="from_on",
            label=_l("From"),
            kind="date",
            column=True,
            quick=True,
            sortable=True,
            filterable=True,
            help=_l("Empty: nobody knows."),
            example="2021-04-12",
        ),
        Field(
            key="to_on",
            label=_l("Until"),
            kind="date",
            column=True,
            filterable=True,
            help=_l("The first day on which it is no longer so. Empty: it lasts."),
        ),
        looked_after_by(readonly=True),
        changed_at(),
    ),
)

READING_TYPE = RecordType(
    name=READINGS,
    singular="automotive.odometer_reading",
    label=_l("odometer reading"),
    plural=_l("Odometer readings"),
    icon="clock",
    model=OdometerReading,
    service=ReadingService,
    title="read_on",
    default_sort="-read_on",
    follows="vehicle_id",
    searchable=False,
    fields=(
        Field(
            key="read_on",
            label=_l("Read on"),
            kind="date",
            quick=True,
            sortable=True,
            filterable=True,
            column=True,
            help=_l("Empty: today."),
            example="2026-03-01",
        ),
        its_vehicle(),
        Field(
            key="shown",
            label=_l("The clock shows"),
            kind="number",
            required=True,
            column=True,
            quick=True,
            minimum=0,
            maximum=MOST_KM,
            example=48200,
        ),
        Field(
            key="unit",
            label=_l("Unit"),
            kind="choice",
            options=UNITS,
            required=True,
            default=usual_unit,
            column=True,
            quick=True,
            filterable=True,
        ),
        Field(
            key="km",
            label=_l("Driven in all (km)"),
            kind="number",
            readonly=True,
            column=True,
            help=_l("More than the clock shows, if an earlier clock was replaced."),
        ),
        Field(
            key="status",
            label=_l("State"),
            kind="choice",
            options=READING_STATES,
            required=True,
            default="valid",
            column=True,
            filterable=True,
            help=_l(
                "A reading that can't be right beside the others is kept as doubtful, or as that of a new clock."
            ),
        ),
        Field(
            key="source",
            label=_l("From whom"),
            kind="choice",
            options=SOURCES,
            required=True,
            default="said",
            quick=True,
            filterable=True,
        ),
        Field(key="note", label=_l("Note"), max_length=500),
        looked_after_by(readonly=True),
        changed_at(),
    ),
)

PARTY_PAGES = RecordPages(
    PARTIES, picture=False, phone=("vehicle_id", "customer_id"), chips=("role",), nav=False,
    list_template="automotive/vehicles/more.html",
)  # fmt: skip

READING_PAGES = RecordPages(
    READINGS, picture=False, phone=("vehicle_id", "km"), chips=("status",), nav=False,
    list_template="automotive/vehicles/more.html",
)  # fmt: skip
