"""Demo cars and test drives as kinds of records."""

from __future__ import annotations

from typing import Any

from kehu.api import Field, Option, RecordType, _l
from plugins_builtin.automotive.drives.cars import CARS, DemoCarService
from plugins_builtin.automotive.drives.models import DemoCar, TestDrive
from plugins_builtin.automotive.drives.services import NAME, RATINGS, DriveService
from plugins_builtin.automotive.fields import contact, customer, deal, looked_after_by, notes

KINDS = (
    Option(value="car", label=_l("Demo car"), tone="info"),
    Option(value="plates", label=_l("Dealer plates")),
)
STATES = (
    Option(value="booked", label=_l("Booked"), tone="info"),
    Option(value="out", label=_l("Handed out"), tone="warn"),
    Option(value="back", label=_l("Back"), tone="ok"),
    Option(value="no_show", label=_l("Did not come"), tone="bad"),
    Option(value="cancelled", label=_l("Cancelled"), tone="neutral"),
)
SOURCES = (
    Option(value="staff", label=_l("In the showroom")),
    Option(value="link", label=_l("On line")),
)
RATED: dict[str, Any] = {
    "rated_drive": _l("How it drives"),
    "rated_comfort": _l("Comfort"),
    "rated_space": _l("Space"),
    "rated_equipment": _l("Equipment"),
    "rated_price": _l("Worth its price"),
}
MOST_KM = 2_000_000


def _day(key: str, label: Any, **options: Any) -> Field:
    return Field(key=key, label=label, kind="date", **options)


def _moment(key: str, label: Any, **options: Any) -> Field:
    return Field(key=key, label=label, kind="datetime", section="keys", **options)


DEMO_CARS = RecordType(
    name=CARS,
    singular="automotive.demo_car",
    label=_l("demo car"),
    plural=_l("Demo cars"),
    icon="car",
    model=DemoCar,
    service=DemoCarService,
    owner="",
    sections={"main": _l("Details"), "use": _l("When it can be driven")},
    fields=(
        Field(
            key="name",
            label=_l("Name"),
            column=True,
            quick=True,
            sortable=True,
            max_length=100,
            help=_l("Empty: model and plate of the vehicle."),
            example="Golf, blue",
        ),
        Field(
            key="kind",
            label=_l("Kind"),
            kind="choice",
            options=KINDS,
            required=True,
            default="car",
            quick=True,
            column=True,
            filterable=True,
        ),
        Field(
            key="vehicle_id",
            label=_l("Vehicle"),
            kind="ref",
            ref="automotive.vehicles",
            quick=True,
            help=_l("Its mileage is kept at each return, and once it is sold nobody drives it."),
        ),
        Field(key="model", label=_l("Model"), column=True, quick=True, max_length=100, example="VW Golf"),
        Field(key="branch", label=_l("Branch"), column=True, quick=True, max_length=100, example="North"),
        _day("used_from", _l("Demo car from"), section="use"),
        _day("used_to", _l("Demo car until"), section="use"),
        _day("insured_until", _l("Insured until"), section="use", quick=True, column=True),
        _day("inspected_until", _l("Inspected until"), section="use"),
        Field(
            key="public",
            label=_l("People may book it on line"),
            kind="bool",
            default=True,
            section="use",
            example=True,
        ),
        notes(),
    ),
)

DRIVES = RecordType(
    name=NAME,
    singular="automotive.test_drive",
    label=_l("test drive"),
    plural=_l("Test drives"),
    icon="car",
    model=TestDrive,
    service=DriveService,
    default_sort="-from_at",
    customer="customer_id",
    importable=False,
    sections={"main": _l("Details"), "keys": _l("Out and back"), "opinion": _l("Feedback")},
    fields=(
        Field(key="name", label=_l("Name"), readonly=True, column=True),
        Field(key="driver", label=_l("Driver"), max_length=100),
        _moment("from_at", _l("From"), column=True, sortable=True, filterable=True),
        _moment("to_at", _l("To")),
        Field(
            key="state",
            label=_l("State"),
            kind="choice",
            options=STATES,
            default="booked",
            column=True,
            filterable=True,
        ),
        Field(key="model", label=_l("Model"), column=True),
        Field(key="demo_car_id", label=_l("Car"), kind="ref", ref=CARS, filterable=True),
        Field(key="plates_id", label=_l("Plates"), kind="ref", ref=CARS),
        customer(),
        contact(),
        deal(filterable=True),
        looked_after_by(label=_l("Host"), column=True),
        Field(key="phone", label=_l("Phone"), max_length=40),
        Field(key="email", label=_l("E-mail"), max_length=200),
        Field(key="source", label=_l("Booked"), kind="choice", options=SOURCES, default="staff"),
        Field(key="booking_id", label=_l("Booking"), kind="ref", ref="bookings"),
        _day("born_on", _l("Date of birth"), section="keys"),
        Field(key="licence_class", label=_l("Licence classes"), max_length=40, section="keys"),
        _day("licence_until", _l("Licence valid until"), section="keys"),
        Field(
            key="trainee",
            label=_l("In the first year of driving"),
            kind="bool",
            default=False,
            section="keys",
        ),
        _moment("licence_seen_at", _l("Licence seen at")),
        Field(key="licence_seen_by", label=_l("Licence seen by"), kind="member", section="keys"),
        _moment("agreed_at", _l("Agreement signed at")),
        Field(key="agreed_by", label=_l("Agreement taken by"), kind="member", section="keys"),
        Field(
            key="override_reason",
            label=_l("Why against the rules"),
            section="keys",
            max_length=500,
        ),
        Field(key="override_by", label=_l("Let through by"), kind="member", section="keys"),
        _moment("out_at", _l("Handed out at")),
        Field(
            key="out_km", label=_l("Mileage out"), kind="number", minimum=0, maximum=MOST_KM, section="keys"
        ),
        Field(key="damage_out", label=_l("Damage seen before"), kind="long_text", section="keys"),
        _moment("back_at", _l("Back at")),
        Field(
            key="back_km", label=_l("Mileage back"), kind="number", minimum=0, maximum=MOST_KM, section="keys"
        ),
        Field(key="damage_back", label=_l("Damage seen after"), kind="long_text", section="keys"),
        *(
            Field(key=key, label=RATED[key], kind="number", minimum=1, maximum=5, section="opinion")
            for key in RATINGS
        ),
        Field(key="feedback", label=_l("What the driver said"), kind="long_text", section="opinion"),
        Field(key="follow_up_id", label=_l("Next step"), kind="ref", ref="activities", section="opinion"),
    ),
)
