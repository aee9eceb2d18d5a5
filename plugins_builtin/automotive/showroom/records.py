"""Visits as a kind of records."""

from __future__ import annotations

from kehu.api import Field, Option, RecordPages, RecordType, Tab, _l, clock
from plugins_builtin.automotive.fields import changed_at, customer, deal, looked_after_by, notes
from plugins_builtin.automotive.showroom.models import Visit
from plugins_builtin.automotive.showroom.services import NAME, VisitService

KINDS = (
    Option(value="first", label=_l("First visit"), tone="info"),
    Option(value="return", label=_l("Came back"), tone="ok"),
)
SOURCES = (
    Option(value="passing", label=_l("Passing by")),
    Option(value="web", label=_l("Internet")),
    Option(value="advert", label=_l("Advertisement")),
    Option(value="referral", label=_l("Recommended")),
    Option(value="owner", label=_l("Customer of ours")),
    Option(value="event", label=_l("Event")),
    Option(value="other", label=_l("Something else")),
)
STEPS = (
    Option(value="greeted", label=_l("Greeted")),
    Option(value="interview", label=_l("Wishes asked"), tone="info"),
    Option(value="presentation", label=_l("Car shown"), tone="info"),
    Option(value="drive", label=_l("Test drive"), tone="hue-180"),
    Option(value="write_up", label=_l("Offer made"), tone="hue-262"),
    Option(value="sold", label=_l("Sold"), tone="ok"),
    Option(value="delivered", label=_l("Delivered"), tone="ok"),
)
"""The steps of a sale in their order; a visit keeps the farthest that was reached."""
LEVELS = (
    Option(value="H", label=_l("H: buys within 7 days"), tone="bad"),
    Option(value="A", label=_l("A: buys within 15 days"), tone="warn"),
    Option(value="B", label=_l("B: buys within 30 days"), tone="info"),
    Option(value="C", label=_l("C: buys within 90 days")),
)
RESULTS = (
    Option(value="open", label=_l("Open"), tone="warn"),
    Option(value="follow_up", label=_l("Follow up"), tone="info"),
    Option(value="deal", label=_l("Deal"), tone="ok"),
    Option(value="lost", label=_l("Lost"), tone="neutral"),
)

VISITS = RecordType(
    name=NAME,
    singular="automotive.visit",
    label=_l("visit"),
    plural=_l("Visits"),
    icon="map-pin",
    model=Visit,
    service=VisitService,
    title="name",
    default_sort="-arrived_at",
    customer="customer_id",
    sections={"main": _l("Visit"), "person": _l("Who came"), "outcome": _l("What came of it")},
    fields=(
        Field(
            key="name",
            label=_l("Name"),
            section="person",
            column=True,
            quick=True,
            help=_l("May stay empty: a visitor without a name counts, too."),
            max_length=100,
        ),
        Field(
            key="phone",
            label=_l("Phone"),
            section="person",
            column=True,
            quick=True,
            help=_l("A customer with this number is linked by himself."),
            example="+44 20 7946 4410",
        ),
        customer(section="person", quick=True),
        Field(key="people", label=_l("Persons"), kind="number", default=1, minimum=1, maximum=60),
        Field(
            key="arrived_at",
            label=_l("Arrived"),
            kind="datetime",
            required=True,
            default=clock.now,
            column=True,
            sortable=True,
            filterable=True,
        ),
        Field(key="left_at", label=_l("Left"), kind="datetime"),
        Field(
            key="kind",
            label=_l("First or again"),
            kind="choice",
            options=KINDS,
            default="first",
            filterable=True,
        ),
        Field(key="appointment", label=_l("With an appointment"), kind="bool", filterable=True),
        Field(
            key="source",
            label=_l("How they came to us"),
            kind="choice",
            options=SOURCES,
            filterable=True,
        ),
        Field(key="wanted", label=_l("Wanted car"), quick=True, example="Golf, petrol, up to 25,000"),
        looked_after_by(label=_l("Host"), column=True, quick=True),
        Field(
            key="step",
            label=_l("Farthest step"),
            kind="choice",
            options=STEPS,
            default="greeted",
            section="outcome",
            column=True,
            filterable=True,
        ),
        Field(
            key="level",
            label=_l("Level"),
            kind="choice",
            options=LEVELS,
            section="outcome",
            filterable=True,
            help=_l("Says how often to get in touch; the next call is planned by it."),
        ),
        Field(
            key="result",
            label=_l("Result"),
            kind="choice",
            options=RESULTS,
            default="open",
            section="outcome",
            column=True,
            filterable=True,
        ),
        Field(
            key="lost_reason",
            label=_l("Why lost, and to whom"),
            section="outcome",
            help=_l("Needed when the result is “Lost”."),
        ),
        deal(section="outcome"),
        notes(section="outcome"),
        changed_at(),
    ),
)

PAGES = RecordPages(
    NAME,
    note="phone",
    picture=False,
    phone=("arrived_at", "result"),
    chips=("owner_id", "result"),
    tabs=(
        Tab("today", _l("Today"), "arrived_at.gte=today&sort=-arrived_at"),
        Tab("mine", _l("Mine"), "owner_id=me&sort=-arrived_at"),
        Tab("open", _l("Open"), "result=open&sort=-arrived_at"),
    ),
    nav=False,
)
