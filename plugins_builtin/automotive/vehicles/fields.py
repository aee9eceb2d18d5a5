"""What all record types of vehicles have in common, and the choices of their fields."""

from __future__ import annotations

from kehu.api import Option, _l
from plugins_builtin.automotive.base import SLUG

VEHICLES = f"{SLUG}.vehicles"
MODELS = f"{SLUG}.vehicle_models"
PARTIES = f"{SLUG}.vehicle_parties"
READINGS = f"{SLUG}.odometer_readings"

STATUSES = (
    Option(value="in_use", label=_l("In use"), tone="ok"),
    Option(value="stock", label=_l("In stock"), tone="info"),
    Option(value="demo", label=_l("Demonstration car"), tone="hue-262"),
    Option(value="sold", label=_l("Sold"), tone="neutral"),
    Option(value="scrapped", label=_l("Scrapped"), tone="neutral"),
)

SERVICE_KINDS = (
    Option(value="sale", label=_l("Delivered to the first buyer")),
    Option(value="invoice", label=_l("Invoice to the first buyer")),
    Option(value="demo", label=_l("Demonstration car")),
    Option(value="loaner", label=_l("Loan car")),
    Option(value="company", label=_l("Company car of the dealer")),
    Option(value="rental", label=_l("Rental car")),
)

SOLD_BY = (
    Option(value="us", label=_l("Us"), tone="info"),
    Option(value="elsewhere", label=_l("Somebody else")),
)

ROLES = (
    Option(value="owner", label=_l("Vehicle owner"), tone="info"),
    Option(value="driver", label=_l("Driver"), tone="ok"),
    Option(value="payer", label=_l("Payer"), tone="hue-262"),
)

UNITS = (
    Option(value="km", label=_l("km")),
    Option(value="mi", label=_l("miles"), also=("mile", "miles")),
)

SOURCES = (
    Option(value="said", label=_l("The customer said so")),
    Option(value="workshop", label=_l("Workshop")),
    Option(value="sale", label=_l("Sale")),
    Option(value="appraisal", label=_l("Appraisal")),
    Option(value="drive", label=_l("Test drive")),
    Option(value="import", label=_l("A file")),
)

READING_STATES = (
    Option(value="valid", label=_l("Counts"), tone="ok"),
    Option(value="corrected", label=_l("Corrected"), tone="info"),
    Option(value="replaced", label=_l("New clock"), tone="hue-262"),
    Option(value="suspect", label=_l("Doubtful"), tone="warn"),
)
