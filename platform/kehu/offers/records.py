"""Offers, their rules and words as record types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import LOCALES, _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.offers import sources
from kehu.offers.models import Offer, OfferRule, OfferText

LONGEST = 10_000

STATES = (
    Option(value="open", label=_l("Open"), tone="info"),
    Option(value="contacted", label=_l("Contacted"), tone="warn"),
    Option(value="accepted", label=_l("Accepted"), tone="ok"),
    Option(value="declined", label=_l("Declined"), tone="neutral"),
    Option(value="stopped", label=_l("Stopped"), tone="neutral"),
)

REASONS = (
    Option(value="bought", label=_l("Bought already"), tone="ok"),
    Option(value="sold", label=_l("Has it no more"), tone="neutral"),
    Option(value="gone", label=_l("No longer there"), tone="neutral"),
    Option(value="opted_out", label=_l("Wants no messages"), tone="bad"),
    Option(value="passed", label=_l("The day has passed"), tone="neutral"),
    Option(value="member", label=_l("Stopped by a colleague"), tone="neutral"),
    Option(value="ticket", label=_l("Waits: a ticket is open"), tone="warn"),
    Option(value="week", label=_l("Waits: had a message this week"), tone="warn"),
    Option(value="no_consent", label=_l("Waits: no consent was given"), tone="warn"),
    Option(value="no_address", label=_l("Waits: there is no address"), tone="warn"),
    Option(value="channel", label=_l("Waits: prefers another channel"), tone="warn"),
    Option(value="refused", label=_l("Waits: the message was not let through"), tone="warn"),
    Option(value="not_sent", label=_l("Waits: the mail could not be delivered"), tone="warn"),
)

CHANNELS = (
    Option(value="task", label=_l("A task for who looks after it")),
    Option(value="mail", label=_l("A mail to the customer")),
)

PURPOSES = (
    Option(value="marketing", label=_l("Advertising")),
    Option(value="service", label=_l("Service news")),
)

HOLDS = (
    Option(value="any", label=_l("Any open ticket")),
    Option(value="high", label=_l("Open tickets that are urgent or high")),
    Option(value="none", label=_l("No ticket")),
)


def _source_options() -> Sequence[Option]:
    return [Option(value=one.key, label=one.label) for one in sources.available()]


def _locale_options() -> Sequence[Option]:
    return [Option(value=code, label=name) for code, name in LOCALES.items()]


def _rules(session: Session) -> Any:
    from kehu.offers.services import RuleService

    return RuleService(session)


def _texts(session: Session) -> Any:
    from kehu.offers.services import TextService

    return TextService(session)


def _offers(session: Session) -> Any:
    from kehu.offers.services import OfferService

    return OfferService(session)


_CHANGED = Field(key="updated_at", label=_l("Changed"), kind="datetime", readonly=True)

RULES = register(
    RecordType(
        name="offer_rules",
        singular="offer_rule",
        label=_l("rule for offers"),
        plural=_l("Rules for offers"),
        icon="target",
        model=OfferRule,
        service=_rules,
        importable=False,
        sections={
            "main": _l("Details"),
            "contact": _l("How people are contacted"),
            "deal": _l("What follows"),
        },
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                help=_l("Members read it as the reason of an offer."),
                example="Warranty ends",
            ),
            Field(key="active", label=_l("In use"), kind="bool", column=True, default=True, filterable=True),
            Field(
                key="source",
                label=_l("What has its day"),
                kind="choice",
                options=_source_options,
                required=True,
                column=True,
                quick=True,
            ),
            Field(
                key="months_after",
                label=_l("Months after first use"),
                kind="number",
                minimum=1,
                maximum=600,
                quick=True,
                help=_l("For what is due so long after its first use, as a part that wears."),
                example=24,
            ),
            Field(
                key="product_id",
                label=_l("Only of this product"),
                kind="ref",
                ref="products",
            ),
            Field(
                key="ladder",
                label=_l("Days before"),
                required=True,
                default="90, 60, 30",
                max_length=60,
                column=True,
                quick=True,
                section="contact",
                help=_l("So many days before the day the customer is contacted, each time once."),
                example="90, 60, 30",
            ),
            Field(
                key="channel",
                label=_l("How"),
                kind="choice",
                options=CHANNELS,
                required=True,
                default="task",
                column=True,
                quick=True,
                section="contact",
            ),
            Field(
                key="purpose",
                label=_l("Purpose"),
                kind="choice",
                options=PURPOSES,
                required=True,
                default="marketing",
                section="contact",
                help=_l("Decides which consent a mail needs."),
            ),
            Field(
                key="hold_tickets",
                label=_l("Held back by"),
                kind="choice",
                options=HOLDS,
                required=True,
                default="any",
                section="contact",
                help=_l("While the customer waits for help he gets no offer."),
            ),
            Field(
                key="holdout",
                label=_l("Never contacted, in percent"),
                kind="number",
                minimum=0,
                maximum=50,
                required=True,
                default=10,
                section="contact",
                help=_l("These customers are left alone, to see what contacting brings."),
            ),
            Field(key="pipeline_id", label=_l("Pipeline"), kind="ref", ref="pipelines", section="deal"),
            Field(
                key="owner_id",
                label=_l("If nobody looks after it"),
                kind="member",
                section="deal",
                help=_l("Gets the offers of customers without an owner."),
            ),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            _CHANGED,
        ),
    )
)

TEXTS = register(
    RecordType(
        name="offer_texts",
        singular="offer_text",
        label=_l("text of an offer"),
        plural=_l("Texts of offers"),
        icon="mail",
        model=OfferText,
        service=_texts,
        owner="",
        title="subject",
        default_sort="id",
        follows="rule_id",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="rule_id",
                label=_l("Rule"),
                kind="ref",
                ref="offer_rules",
                required=True,
                column=True,
                quick=True,
            ),
            Field(
                key="locale",
                label=_l("Language"),
                kind="choice",
                options=_locale_options,
                required=True,
                column=True,
                quick=True,
            ),
            Field(key="subject", label=_l("Subject"), required=True, max_length=200, column=True, quick=True),
            Field(
                key="body",
                label=_l("Text"),
                kind="long_text",
                required=True,
                quick=True,
                max_length=LONGEST,
                help=_l("Filled in: {name}, {thing}, {day}, {firm}, {sender}."),
            ),
            _CHANGED,
        ),
    )
)


def _told(key: str, label: Any, kind: str = "text", **more: Any) -> Field:
    return Field(key=key, label=label, kind=kind, readonly=True, **more)


OFFERS = register(
    RecordType(
        name="offers",
        singular="offer",
        label=_l("offer"),
        plural=_l("Offers"),
        icon="target",
        model=Offer,
        service=_offers,
        default_sort="due_on",
        customer="customer_id",
        follows="rule_id",
        importable=False,
        sections={"main": _l("Details"), "done": _l("What was done")},
        fields=(
            _told("name", _l("For what")),
            _told("customer_id", _l("Customer"), "ref", ref="customers", filterable=True),
            _told("contact_id", _l("Contact"), "ref", ref="contacts"),
            _told("due_on", _l("Day"), "date", sortable=True, filterable=True, column=True),
            _told("rule_id", _l("Rule"), "ref", ref="offer_rules", filterable=True),
            _told("basis", _l("Why"), column=True),
            _told("state", _l("State"), "choice", options=STATES, filterable=True, column=True),
            _told("reason", _l("Reason"), "choice", options=REASONS, filterable=True),
            _told("next_on", _l("Next step on"), "date", sortable=True, filterable=True),
            Field(key="owner_id", label=_l("Looked after by"), kind="member", filterable=True),
            Field(key="note", label=_l("What the customer said"), max_length=500, section="done"),
            _told("contacts", _l("Contacts made"), "number", section="done"),
            _told("contacted_on", _l("Last contact on"), "date", section="done"),
            _told("rung", _l("Last rung"), "number", section="done"),
            _told("held_out", _l("Hold-out group"), "bool", filterable=True, section="done"),
            _told("renewed_on", _l("Bought on"), "date", section="done"),
            _told("deal_id", _l("Deal"), "ref", ref="deals", section="done"),
            _told("item_id", _l("Owned item"), "ref", ref="owned_items", section="done"),
            _told("closed_on", _l("Closed on"), "date", section="done"),
            _CHANGED,
        ),
    )
)

WAITING = ("open", "contacted")
"""States of which something may still become."""
