"""Households that may want a second car as records: listed, filtered, edited, imported, undone like the platform's."""

from __future__ import annotations

from typing import Any

from kehu.api import Field, RecordType, Session, _l
from plugins_builtin.automotive.fields import changed_at, customer, deal, looked_after_by
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.second_car.permissions import NAME
from plugins_builtin.automotive.second_car.words import INCOMES, OUTCOMES, YES_NO


def _service(session: Session) -> Any:
    from plugins_builtin.automotive.second_car.keeping import SecondCarService

    return SecondCarService(session)


def _number(key: str, label: Any, most: int) -> Field:
    return Field(
        key=key,
        label=label,
        kind="number",
        minimum=0,
        maximum=most,
        filterable=True,
        quick=True,
        section="facts",
    )


def _yes_no(key: str, label: Any) -> Field:
    return Field(
        key=key, label=label, kind="choice", options=YES_NO, filterable=True, quick=True, section="facts"
    )


ASKED = (
    _number("drivers", _l("Drivers"), 20),
    _number("workers", _l("Go to work"), 20),
    _number("people", _l("People"), 30),
    Field(
        key="income",
        label=_l("Yearly income"),
        kind="choice",
        options=INCOMES,
        filterable=True,
        quick=True,
        section="facts",
    ),
    _yes_no("child", _l("Children")),
    _yes_no("home_owner", _l("Owns the home")),
    _yes_no("rural", _l("Lives in the country")),
)
"""What people say of their household."""
FACTS = tuple(one.key for one in ASKED)

SECOND_CARS = RecordType(
    name=NAME,
    singular="automotive.second_car",
    label=_l("household with its cars"),
    plural=_l("Households with their cars"),
    icon="car",
    model=SecondCar,
    service=_service,
    default_sort="-chance",
    customer="customer_id",
    follows="customer_id",
    named_by="customer_id",
    searchable=False,
    sections={
        "main": _l("Details"),
        "facts": _l("What we know of the household"),
        "asked": _l("What came of asking"),
    },
    fields=(
        Field(key="name", label=_l("Name"), readonly=True, sortable=True, column=True),
        customer(required=True, quick=True, unique=True, column=False),
        Field(
            key="chance",
            label=_l("Chance in percent"),
            kind="number",
            readonly=True,
            sortable=True,
            filterable=True,
            column=True,
        ),
        Field(
            key="known_cars",
            label=_l("Known cars"),
            kind="number",
            readonly=True,
            filterable=True,
            column=True,
        ),
        looked_after_by(label=_l("Owner"), column=True),
        *ASKED,
        Field(
            key="outcome",
            label=_l("Outcome"),
            kind="choice",
            options=OUTCOMES,
            required=True,
            default="open",
            filterable=True,
            column=True,
            section="asked",
        ),
        Field(
            key="asked_on",
            label=_l("Asked on"),
            kind="date",
            readonly=True,
            filterable=True,
            column=True,
            section="asked",
        ),
        Field(key="again_on", label=_l("Ask again on"), kind="date", filterable=True, section="asked"),
        deal(readonly=True, section="asked"),
        changed_at(filterable=False),
    ),
)
