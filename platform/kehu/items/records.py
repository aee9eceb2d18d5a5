"""Owned items and their terms as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.items.models import OwnedItem, OwnedItemTerm

STATUSES = (
    Option(value="in_use", label=_l("In use"), tone="ok"),
    Option(value="sold", label=_l("Sold"), tone="neutral"),
    Option(value="scrapped", label=_l("Scrapped"), tone="neutral"),
)

SOLD_BY = (
    Option(value="us", label=_l("Us"), tone="info"),
    Option(value="elsewhere", label=_l("Somebody else"), tone="neutral"),
)

TERM_KINDS = (
    Option(value="warranty", label=_l("Warranty"), tone="ok"),
    Option(value="extended_warranty", label=_l("Extended warranty"), tone="hue-180"),
    Option(value="contract", label=_l("Service contract"), tone="info"),
    Option(value="insurance", label=_l("Insurance"), tone="hue-262"),
    Option(value="finance", label=_l("Loan or lease"), tone="hue-310"),
    Option(value="inspection", label=_l("Inspection"), tone="warn"),
    Option(value="other", label=_l("Other term"), tone="neutral"),
)

TERM_STATES = (
    Option(value="active", label=_l("Running"), tone="ok"),
    Option(value="renewed", label=_l("Renewed"), tone="info"),
    Option(value="cancelled", label=_l("Cancelled"), tone="neutral"),
    Option(value="ended", label=_l("Ended"), tone="neutral"),
)

MOST_MONTHS = 1200
_MOST_USAGE = 10**12


def _items(session: Session) -> Any:
    from kehu.items.services import ItemService

    return ItemService(session)


def _terms(session: Session) -> Any:
    from kehu.items.services import TermService

    return TermService(session)


def _stamps() -> tuple[Field, ...]:
    return (
        Field(
            key="created_at",
            label=_l("Created"),
            kind="datetime",
            readonly=True,
            sortable=True,
            filterable=True,
        ),
        Field(
            key="updated_at",
            label=_l("Changed"),
            kind="datetime",
            readonly=True,
            sortable=True,
            filterable=True,
        ),
    )


ITEMS = register(
    RecordType(
        name="owned_items",
        singular="owned_item",
        label=_l("owned item"),
        plural=_l("Owned items"),
        icon="box",
        model=OwnedItem,
        service=_items,
        customer="customer_id",
        follows="customer_id",
        sections={"main": _l("Details"), "dates": _l("Dates"), "people": _l("Who has it")},
        own_fields=True,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Heat pump WP 12",
            ),
            Field(
                key="serial",
                label=_l("Serial number"),
                column=True,
                quick=True,
                filterable=True,
                unique=True,
                max_length=100,
                help=_l("Found by its last characters, too."),
                example="HP12-2024-004711",
            ),
            Field(
                key="product_id",
                label=_l("Product"),
                kind="ref",
                ref="products",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                section="people",
                required=True,
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="contact_id",
                label=_l("Contact"),
                kind="ref",
                ref="contacts",
                section="people",
                filterable=True,
            ),
            Field(
                key="status",
                label=_l("Status"),
                kind="choice",
                options=STATUSES,
                required=True,
                default="in_use",
                column=True,
                filterable=True,
            ),
            Field(
                key="acquired_on",
                label=_l("Acquired on"),
                kind="date",
                section="dates",
                quick=True,
                sortable=True,
                filterable=True,
                example="2024-03-01",
            ),
            Field(
                key="in_service_on",
                label=_l("In use since"),
                kind="date",
                section="dates",
                column=True,
                sortable=True,
                filterable=True,
                help=_l("The day of its first use, from which most warranties count."),
                example="2024-03-15",
            ),
            Field(
                key="sold_by",
                label=_l("Sold by"),
                kind="choice",
                options=SOLD_BY,
                required=True,
                default="us",
                filterable=True,
            ),
            Field(
                key="owner_id",
                label=_l("Looked after by"),
                kind="member",
                section="people",
                filterable=True,
            ),
            Field(key="tags", label=_l("Tags"), kind="tags", filterable=True),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            Field(
                key="external_id",
                label=_l("Number elsewhere"),
                max_length=100,
                unique=True,
                example="A-10442",
            ),
            *_stamps(),
        ),
    )
)

TERMS = register(
    RecordType(
        name="owned_item_terms",
        singular="owned_item_term",
        label=_l("term"),
        plural=_l("Terms"),
        icon="shield-check",
        model=OwnedItemTerm,
        service=_terms,
        default_sort="effective_end",
        customer="customer_id",
        follows="item_id",
        sections={"main": _l("Details"), "usage": _l("Ends by use"), "deal": _l("With whom")},
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                column=True,
                help=_l("Empty: the kind and who gives it."),
                sortable=True,
                example="Factory warranty",
            ),
            Field(
                key="item_id",
                label=_l("Owned item"),
                kind="ref",
                ref="owned_items",
                required=True,
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                readonly=True,
                column=True,
                filterable=True,
            ),
            Field(
                key="kind",
                label=_l("Kind"),
                kind="choice",
                options=TERM_KINDS,
                required=True,
                default="warranty",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(
                key="starts_on",
                label=_l("Starts on"),
                kind="date",
                required=True,
                quick=True,
                sortable=True,
                filterable=True,
                example="2024-03-15",
            ),
            Field(
                key="months",
                label=_l("Months"),
                kind="number",
                minimum=1,
                maximum=MOST_MONTHS,
                quick=True,
                example=24,
            ),
            Field(
                key="ends_on",
                label=_l("Ends on"),
                kind="date",
                quick=True,
                filterable=True,
                help=_l("The first day that is no longer covered. Empty: reckoned from start and months."),
                example="2026-03-15",
            ),
            Field(
                key="effective_end",
                label=_l("Ends"),
                kind="date",
                readonly=True,
                column=True,
                sortable=True,
                filterable=True,
                help=_l("By the calendar or by use, whichever is expected first."),
            ),
            Field(
                key="state",
                label=_l("State"),
                kind="choice",
                options=TERM_STATES,
                required=True,
                default="active",
                column=True,
                filterable=True,
            ),
            Field(
                key="item_in_use",
                label=_l("Item in use"),
                kind="bool",
                readonly=True,
                filterable=True,
            ),
            Field(
                key="usage_limit",
                label=_l("At most used"),
                kind="number",
                minimum=1,
                maximum=_MOST_USAGE,
                section="usage",
                help=_l("Counted from the use at the start."),
                example=2000,
            ),
            Field(
                key="usage_unit",
                label=_l("Unit of use"),
                max_length=20,
                section="usage",
                example="hours",
            ),
            Field(
                key="start_usage",
                label=_l("Use at the start"),
                kind="number",
                minimum=0,
                maximum=_MOST_USAGE,
                section="usage",
                example=0,
            ),
            Field(
                key="expected_ends_on",
                label=_l("Expected end by use"),
                kind="date",
                readonly=True,
                section="usage",
            ),
            Field(key="expectation", label=_l("How it was reckoned"), readonly=True, section="usage"),
            Field(
                key="provider",
                label=_l("With whom"),
                section="deal",
                column=True,
                filterable=True,
                example="Nordheat",
            ),
            Field(
                key="contract_number",
                label=_l("Contract number"),
                section="deal",
                filterable=True,
                example="V-2204",
            ),
            Field(key="price", label=_l("Price"), kind="money", minimum=0, section="deal"),
            Field(
                key="external_id", label=_l("Number elsewhere"), max_length=100, unique=True, section="deal"
            ),
            Field(
                key="renewed_by_id",
                label=_l("Renewed by"),
                kind="ref",
                ref="owned_item_terms",
                readonly=True,
            ),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            Field(key="owner_id", label=_l("Looked after by"), kind="member", readonly=True, filterable=True),
            *_stamps(),
        ),
    )
)

RUNNING = "state=active&item_in_use=1"
"""The filter of terms that end some day."""
