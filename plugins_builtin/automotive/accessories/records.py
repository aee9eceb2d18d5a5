"""Accessories as a kind of records."""

from __future__ import annotations

from kehu.api import Field, Option, RecordType, _l
from plugins_builtin.automotive.accessories.models import Accessory
from plugins_builtin.automotive.accessories.services import NAME, AccessoryService
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.fields import changed_at, customer, its_deal, looked_after_by, money

STATES = (
    Option(value="offered", label=_l("Offered"), tone="info"),
    Option(value="ordered", label=_l("Ordered"), tone="warn"),
    Option(value="fitted", label=_l("Fitted"), tone="ok"),
    Option(value="declined", label=_l("Declined"), tone="neutral"),
)

ACCESSORIES = RecordType(
    name=NAME,
    singular=f"{SLUG}.accessory",
    label=_l("accessory"),
    plural=_l("Accessories"),
    icon="settings",
    model=Accessory,
    service=AccessoryService,
    customer="customer_id",
    default_sort="-updated_at",
    importable=False,
    fields=(
        Field(key="name", label=_l("What"), quick=True, column=True, example="Tow bar"),
        Field(
            key="product_id",
            label=_l("Product"),
            kind="ref",
            ref="products",
            quick=True,
            filterable=True,
            help=_l("Name and price come from it, where they are empty."),
        ),
        its_deal(),
        customer(readonly=True),
        Field(
            key="quantity", label=_l("Quantity"), kind="number", quick=True, minimum=1, maximum=999, default=1
        ),
        money("price", _l("Price for one"), quick=True, column=True),
        money("fitting", _l("Fitting"), quick=True),
        Field(
            key="state",
            label=_l("State"),
            kind="choice",
            options=STATES,
            default="offered",
            column=True,
            filterable=True,
        ),
        Field(key="fit_on", label=_l("To be fitted on"), kind="date", column=True, filterable=True),
        Field(key="counted", label=_l("In the deal's amount"), kind="bool", readonly=True, filterable=True),
        looked_after_by(),
        changed_at(),
    ),
)
