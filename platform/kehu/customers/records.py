"""Customers and contacts as record types."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.consent.columns import SECTION, reach_fields
from kehu.core.i18n import _l
from kehu.core.records.codes import code_field
from kehu.core.records.fields import Field, Option
from kehu.core.records.types import RecordType, register
from kehu.customers.models import Contact, Customer

KINDS = (
    Option(
        value="company",
        label=_l("Company"),
        also=(
            *("company", "firm", "firma", "organisation", "organization", "business", "b2b"),
            *("компания", "фирма", "организация", "юрлицо", "юр. лицо", "юридическое лицо"),
            *("公司", "企业", "企業", "单位", "單位"),
        ),
    ),
    Option(
        value="person",
        label=_l("Person"),
        also=(
            *("person", "individual", "private", "private person", "privat", "privatperson", "b2c"),
            *("человек", "частное лицо", "физлицо", "физ. лицо", "физическое лицо"),
            *("个人", "個人", "自然人"),
        ),
    ),
)

TYPE_CLASSES = (
    Option(
        value="prospect",
        label=_l("Prospect"),
        tone="info",
        also=("prospect", "interessent", "потенциальный", "потенциальный клиент", "潜在客户", "潛在客戶"),
    ),
    Option(
        value="existing",
        label=_l("Existing customer"),
        tone="ok",
        also=(
            "customer",
            "client",
            "kunde",
            "клиент",
            "действующий клиент",
            "客户",
            "客戶",
            "现有客户",
            "現有客戶",
        ),
    ),
    Option(value="partner", label=_l("Partner"), tone="hue-310", also=("партнёр", "партнер", "合作伙伴")),
    Option(value="agent", label=_l("Agent"), tone="hue-180"),
    Option(
        value="supplier",
        label=_l("Supplier"),
        tone="hue-60",
        also=("vendor", "lieferant", "поставщик", "供应商", "供應商"),
    ),
    Option(value="competitor", label=_l("Competitor"), tone="bad"),
)
"""CUS-05."""

VALUE_CLASSES = (
    Option(value="A", label=_l("A"), tone="ok"),
    Option(value="B", label=_l("B"), tone="info"),
    Option(value="C", label=_l("C"), tone="neutral"),
)
"""CUS-07."""


def _customers(session: Session) -> Any:
    from kehu.customers.services import CustomerService

    return CustomerService(session)


def _contacts(session: Session) -> Any:
    from kehu.customers.services import ContactService

    return ContactService(session)


CUSTOMERS = register(
    RecordType(
        name="customers",
        singular="customer",
        label=_l("customer"),
        plural=_l("Customers"),
        icon="building",
        model=Customer,
        service=_customers,
        customer="id",
        coded="code",
        sections={
            "main": _l("Details"),
            "firm": _l("The firm"),
            "reach": _l("How to reach them"),
            **SECTION,
        },
        own_fields=True,
        fields=(
            Field(
                key="number",
                label=_l("Number"),
                kind="number",
                readonly=True,
                sortable=True,
                filterable=True,
                unique=True,
            ),
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                unique=True,
                example="Northwind Joinery",
            ),
            code_field(
                "customer code",
                "kundennummer",
                "customer no",
                "客户编码",
                "客户编号",
                "客戶編號",
                "код клиента",
            ),
            Field(
                key="kind",
                label=_l("Kind"),
                kind="choice",
                options=KINDS,
                default="company",
                quick=True,
                filterable=True,
            ),
            Field(
                key="type_class",
                label=_l("Type"),
                kind="choice",
                options=TYPE_CLASSES,
                default="prospect",
                column=True,
                filterable=True,
            ),
            Field(
                key="value_class",
                label=_l("Class"),
                kind="choice",
                options=VALUE_CLASSES,
                column=True,
                filterable=True,
                sortable=True,
            ),
            Field(
                key="born_on",
                label=_l("Date of birth"),
                kind="date",
            ),
            Field(key="owner_id", label=_l("Owner"), kind="member", column=True, filterable=True),
            Field(key="emails", label=_l("E-mail"), kind="emails", section="reach", quick=True),
            Field(key="phones", label=_l("Phone"), kind="phones", section="reach", quick=True),
            Field(key="addresses", label=_l("Address"), kind="addresses", section="reach"),
            Field(key="website", label=_l("Website"), kind="link", section="reach"),
            Field(
                key="industry",
                label=_l("Industry"),
                section="firm",
                column=True,
                filterable=True,
                sortable=True,
            ),
            Field(key="region", label=_l("Region"), section="firm"),
            Field(key="country", label=_l("Country"), section="firm", filterable=True, sortable=True),
            Field(key="employees", label=_l("Employees"), kind="number", minimum=0, section="firm"),
            Field(
                key="founded",
                label=_l("Founded in"),
                kind="number",
                minimum=1000,
                maximum=2200,
                section="firm",
            ),
            Field(key="revenue", label=_l("Yearly turnover"), kind="money", section="firm"),
            Field(
                key="parent_id",
                label=_l("Belongs to"),
                kind="ref",
                ref="customers",
                section="firm",
                filterable=True,
            ),
            Field(key="tags", label=_l("Tags"), kind="tags", column=True, filterable=True),
            Field(key="description", label=_l("Description"), kind="long_text"),
            Field(
                key="external_id",
                label=_l("Number elsewhere"),
                help=_l("What another program calls this record; imports recognise it by that."),
                unique=True,
                max_length=100,
                filterable=True,
            ),
            *reach_fields(),
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
                column=True,
            ),
        ),
    )
)

CONTACTS = register(
    RecordType(
        name="contacts",
        singular="contact",
        label=_l("contact"),
        plural=_l("Contacts"),
        icon="users",
        model=Contact,
        service=_contacts,
        customer="customer_id",
        follows="customer_id",
        sections={"main": _l("Details"), "reach": _l("How to reach them"), **SECTION},
        own_fields=True,
        fields=(
            Field(
                key="name",
                label=_l("Name"),
                required=True,
                sortable=True,
                column=True,
                quick=True,
                example="Anna Lindqvist",
            ),
            Field(
                key="customer_id",
                label=_l("Customer"),
                kind="ref",
                ref="customers",
                column=True,
                quick=True,
                filterable=True,
            ),
            Field(key="job_title", label=_l("Job title"), column=True),
            Field(key="department", label=_l("Department")),
            Field(
                key="born_on",
                label=_l("Date of birth"),
                kind="date",
            ),
            Field(key="emails", label=_l("E-mail"), kind="emails", section="reach", column=True, quick=True),
            Field(key="phones", label=_l("Phone"), kind="phones", section="reach", column=True, quick=True),
            Field(key="owner_id", label=_l("Owner"), kind="member", column=True, filterable=True),
            Field(key="tags", label=_l("Tags"), kind="tags", column=True, filterable=True),
            Field(key="description", label=_l("Description"), kind="long_text"),
            Field(
                key="external_id",
                label=_l("Number elsewhere"),
                help=_l("What another program calls this record; imports recognise it by that."),
                unique=True,
                max_length=100,
                filterable=True,
            ),
            *reach_fields(),
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
        ),
    )
)
