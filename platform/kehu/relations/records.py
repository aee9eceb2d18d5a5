"""Households, their members and relations as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.relations.models import Household, HouseholdMember, Relation
from kehu.relations.wording import KINDS

HOUSEHOLD_KINDS = (
    Option(value="household", label=_l("Household"), tone="ok"),
    Option(value="group", label=_l("Group"), tone="info"),
)

ROLES = (
    Option(value="adult", label=_l("Adult")),
    Option(value="head", label=_l("Head of the household"), tone="info"),
    Option(value="spouse", label=_l("Spouse"), tone="info"),
    Option(value="child", label=_l("Child"), tone="hue-180"),
    Option(value="parent", label=_l("Parent"), tone="hue-310"),
    Option(value="other", label=_l("Other member")),
)

RELATION_KINDS = tuple(Option(value=one.key, label=one.label) for one in KINDS.values())


def _households(session: Session) -> Any:
    from kehu.relations.services import HouseholdService

    return HouseholdService(session)


def _members(session: Session) -> Any:
    from kehu.relations.services import HouseholdMemberService

    return HouseholdMemberService(session)


def _relations(session: Session) -> Any:
    from kehu.relations.services import RelationService

    return RelationService(session)


def _customer(key: str, label: Any, **options: Any) -> Field:
    return Field(
        key=key,
        label=label,
        kind="ref",
        ref="customers",
        required=True,
        column=True,
        quick=True,
        filterable=True,
        **options,
    )


def _dates() -> tuple[Field, ...]:
    return (
        Field(key="from_on", label=_l("From"), kind="date", quick=True, example="2024-03-01"),
        Field(
            key="to_on",
            label=_l("Until"),
            kind="date",
            column=True,
            help=_l("Empty: it still holds."),
        ),
    )


def _tail() -> tuple[Field, ...]:
    return (
        Field(key="owner_id", label=_l("Looked after by"), kind="member", filterable=True, readonly=True),
        Field(key="updated_at", label=_l("Changed"), kind="datetime", readonly=True, sortable=True),
    )


HOUSEHOLDS = register(
    RecordType(
        name="households",
        singular="household",
        label=_l("household"),
        plural=_l("Households"),
        icon="home",
        model=Household,
        service=_households,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Lindqvist family",
            ),
            Field(
                key="kind",
                label=_l("Kind"),
                kind="choice",
                options=HOUSEHOLD_KINDS,
                required=True,
                default="household",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(key="address", label=_l("Address"), column=True, quick=True, max_length=300),
            Field(
                key="owner_id",
                label=_l("Looked after by"),
                kind="member",
                column=True,
                filterable=True,
            ),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            Field(key="external_id", label=_l("Number elsewhere"), max_length=100, unique=True),
            Field(
                key="updated_at",
                label=_l("Changed"),
                kind="datetime",
                readonly=True,
                sortable=True,
                column=True,
            ),
        ),
    )
)

HOUSEHOLD_MEMBERS = register(
    RecordType(
        name="household_members",
        singular="household_member",
        named_by="customer_id",
        label=_l("member of a household"),
        plural=_l("Members of households"),
        icon="users",
        model=HouseholdMember,
        service=_members,
        customer="customer_id",
        follows="household_id",
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                sortable=True,
                column=True,
                help=_l("Empty: the customer's name."),
                example="Anna Lindqvist",
            ),
            Field(
                key="household_id",
                label=_l("Household"),
                kind="ref",
                ref="households",
                required=True,
                column=True,
                quick=True,
                filterable=True,
            ),
            _customer("customer_id", _l("Customer")),
            Field(
                key="role",
                label=_l("Role in the household"),
                kind="choice",
                options=ROLES,
                required=True,
                default="adult",
                column=True,
                quick=True,
            ),
            *_dates(),
            *_tail(),
        ),
    )
)

RELATIONS = register(
    RecordType(
        name="relations",
        singular="relation",
        label=_l("relation"),
        plural=_l("Relations"),
        icon="link",
        model=Relation,
        service=_relations,
        customer="customer_id",
        follows="customer_id",
        fields=(
            _customer("customer_id", _l("Customer")),
            Field(key="contact_id", label=_l("Contact there"), kind="ref", ref="contacts", filterable=True),
            Field(
                key="kind",
                label=_l("Is to the other"),
                kind="choice",
                options=RELATION_KINDS,
                required=True,
                default="partner",
                column=True,
                quick=True,
                filterable=True,
            ),
            _customer("other_id", _l("The other customer")),
            Field(
                key="other_contact_id",
                label=_l("Contact at the other"),
                kind="ref",
                ref="contacts",
                filterable=True,
            ),
            Field(
                key="name",
                label=_l("Wording of your own"),
                sortable=True,
                column=True,
                help=_l("Empty: the kind's name. It shows at both ends."),
            ),
            *_dates(),
            Field(key="description", label=_l("Notes"), kind="long_text"),
            *_tail(),
        ),
    )
)
