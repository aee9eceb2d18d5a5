"""Appraisals and their lines as kinds of records."""

from __future__ import annotations

from kehu.api import Field, Option, RecordType, _l
from plugins_builtin.automotive.appraisal.models import Appraisal, AppraisalLine
from plugins_builtin.automotive.appraisal.services import LINES, NAME, AppraisalService, LineService
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.fields import changed_at, customer, its_deal, looked_after_by, money, notes

STATES = (
    Option(value="draft", label=_l("Being reckoned"), tone="warn"),
    Option(value="offered", label=_l("Offered"), tone="info"),
    Option(value="accepted", label=_l("Accepted"), tone="ok"),
    Option(value="declined", label=_l("Declined"), tone="neutral"),
)
BOOKS = (
    Option(value="full", label=_l("Complete"), tone="ok"),
    Option(value="part", label=_l("With gaps"), tone="warn"),
    Option(value="none", label=_l("None"), tone="bad"),
)
ACCIDENTS = (
    Option(value="none", label=_l("None known"), tone="ok"),
    Option(value="repaired", label=_l("Repaired"), tone="warn"),
    Option(value="open", label=_l("Not repaired"), tone="bad"),
    Option(value="unknown", label=_l("Not asked"), tone="neutral"),
)
FATES = (
    Option(value="retail", label=_l("Sold to a customer")),
    Option(value="wholesale", label=_l("Sold to the trade")),
)
KINDS = (
    Option(value="repair", label=_l("Repair")),
    Option(value="comparable", label=_l("Price of a car like it")),
)


def _money(key: str, label: object, **more: object) -> Field:
    return money(key, label, **{"section": "sums", **more})


APPRAISALS = RecordType(
    name=NAME,
    singular=f"{SLUG}.appraisal",
    label=_l("appraisal"),
    plural=_l("Appraisals"),
    icon="receipt",
    model=Appraisal,
    service=AppraisalService,
    customer="customer_id",
    default_sort="-updated_at",
    importable=False,
    sections={
        "main": _l("Car"),
        "sums": _l("Figures"),
        "offer": _l("Offer"),
        "after": _l("What became of it"),
    },
    fields=(
        Field(key="name", label=_l("Car"), column=True, quick=True, example="VW Golf 1.5, 2019"),
        its_deal(),
        customer(readonly=True),
        Field(key="vehicle_id", label=_l("Vehicle in the register"), kind="ref", ref=f"{SLUG}.vehicles"),
        Field(key="vin", label=_l("VIN"), quick=True, max_length=40, example="WVWZZZ1KZ6W612305"),
        Field(key="plate", label=_l("Plate"), quick=True, max_length=20, example="AB12CDE"),
        Field(
            key="odometer",
            label=_l("Mileage (km)"),
            kind="number",
            quick=True,
            minimum=0,
            maximum=3_000_000,
            example=48200,
        ),
        Field(
            key="odometer_reason",
            label=_l("Why the mileage is lower"),
            help=_l("Needed when the register knows more."),
        ),
        Field(
            key="owner_reason",
            label=_l("Why it is his"),
            help=_l("Needed when the register names another owner."),
        ),
        Field(key="papers_owner", label=_l("Owner by the papers"), max_length=100),
        Field(key="keys", label=_l("Keys"), kind="number", minimum=0, maximum=9),
        Field(key="service_book", label=_l("Service book"), kind="choice", options=BOOKS),
        Field(key="accidents", label=_l("Accidents"), kind="choice", options=ACCIDENTS),
        _money(
            "market",
            _l("Price at retail"),
            quick=True,
            help=_l("Empty: the mean of the comparable prices that you add."),
        ),
        _money("repairs", _l("Repairs"), readonly=True),
        _money("transport", _l("Transport and fees")),
        _money("margin", _l("Wanted margin")),
        _money("acv", _l("Worth to us"), readonly=True, minimum=None, column=True),
        _money("allowance", _l("What we give"), column=True),
        _money("over", _l("Given beyond its worth"), readonly=True, minimum=None),
        _money("payoff", _l("To be paid off"), help=_l("What a lender still gets.")),
        Field(key="payoff_on", label=_l("Lender asked on"), kind="date", section="sums"),
        Field(key="lender", label=_l("Lender"), section="sums", max_length=100),
        _money("equity", _l("Left for the customer"), readonly=True, minimum=None, column=True),
        Field(key="currency", label=_l("Currency"), section="sums", max_length=3, example="EUR"),
        Field(
            key="state",
            label=_l("State"),
            kind="choice",
            options=STATES,
            default="draft",
            section="offer",
            column=True,
            filterable=True,
        ),
        Field(key="valid_until", label=_l("Holds until"), kind="date", readonly=True, section="offer"),
        Field(
            key="handed_over_km",
            label=_l("Mileage when accepted"),
            kind="number",
            minimum=0,
            maximum=3_000_000,
            section="offer",
        ),
        Field(key="offered_by", label=_l("Offered by"), kind="member", readonly=True, section="offer"),
        Field(key="approved_by", label=_l("Approved by"), kind="member", readonly=True, section="offer"),
        looked_after_by(label=_l("Appraiser"), section="offer"),
        Field(key="fate", label=_l("Resold"), kind="choice", options=FATES, section="after", filterable=True),
        _money("sold_for", _l("Resold for"), section="after"),
        notes(),
        changed_at(),
    ),
)

APPRAISAL_LINES = RecordType(
    name=LINES,
    singular=f"{SLUG}.appraisal_line",
    label=_l("line of an appraisal"),
    plural=_l("Lines of appraisals"),
    icon="list",
    model=AppraisalLine,
    service=LineService,
    default_sort="-updated_at",
    searchable=False,
    importable=False,
    fields=(
        Field(key="name", label=_l("What"), required=True, quick=True, column=True, example="Four tyres"),
        Field(
            key="kind",
            label=_l("Kind"),
            kind="choice",
            options=KINDS,
            default="repair",
            quick=True,
            column=True,
        ),
        Field(
            key="amount", label=_l("Amount"), kind="money", minimum=0, required=True, quick=True, column=True
        ),
        Field(
            key="appraisal_id",
            label=_l("Appraisal"),
            kind="ref",
            ref=NAME,
            required=True,
            quick=True,
            filterable=True,
        ),
        changed_at(),
    ),
)
