"""Leads as a kind of records: list, filters, REST and history come from the platform."""

from __future__ import annotations

from typing import Any

from kehu.api import Field, Option, RecordType, Session, _l
from plugins_builtin.automotive.fields import contact, customer, deal, looked_after_by
from plugins_builtin.automotive.leads.models import Lead

STATES = (
    Option(value="open", label=_l("To be contacted"), tone="warn"),
    Option(value="contacted", label=_l("Contacted"), tone="ok"),
    Option(value="attached", label=_l("Asked again"), tone="info"),
    Option(value="quarantine", label=_l("Can't be taken in yet"), tone="bad"),
    Option(value="discarded", label=_l("Discarded"), tone="neutral"),
)


def _leads(session: Session) -> Any:
    from plugins_builtin.automotive.leads.services import LeadService

    return LeadService(session)


LEADS = RecordType(
    name="automotive.leads",
    singular="automotive.lead",
    label=_l("lead"),
    plural=_l("Leads"),
    icon="inbox",
    model=Lead,
    service=_leads,
    default_sort="-received_at",
    customer="customer_id",
    importable=False,
    fields=(
        Field(key="name", label=_l("Name"), readonly=True, sortable=True),
        Field(
            key="state",
            label=_l("State"),
            kind="choice",
            options=STATES,
            readonly=True,
            filterable=True,
            column=True,
        ),
        Field(key="wanted_name", label=_l("Wanted car"), readonly=True, column=True),
        Field(key="source", label=_l("Source"), readonly=True, filterable=True, column=True),
        looked_after_by(label=_l("Owner"), column=True),
        Field(
            key="received_at",
            label=_l("Came in"),
            kind="datetime",
            readonly=True,
            sortable=True,
            filterable=True,
            column=True,
        ),
        Field(
            key="due_at",
            label=_l("First answer"),
            kind="datetime",
            readonly=True,
            sortable=True,
            filterable=True,
            column=True,
        ),
        Field(key="contacted_at", label=_l("Answered"), kind="datetime", readonly=True),
        Field(key="requested_at", label=_l("Asked on"), kind="datetime", readonly=True),
        Field(key="timeframe", label=_l("Wants to buy"), readonly=True),
        customer(readonly=True, column=False),
        contact(readonly=True),
        deal(readonly=True),
        Field(key="provider_lead_id", label=_l("Number at the sender"), readonly=True),
        Field(key="reason", label=_l("Reason"), readonly=True, max_length=500),
        Field(key="comments", label=_l("Message"), kind="long_text", readonly=True),
    ),
)
