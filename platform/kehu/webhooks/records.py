"""Webhooks as a record type."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from kehu.core.i18n import _l
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, register
from kehu.webhooks.models import Webhook


def _service(session: Session) -> Any:
    from kehu.webhooks.services import WebhookService

    return WebhookService(session)


WEBHOOKS = register(
    RecordType(
        name="webhooks",
        singular="webhook",
        label=_l("webhook"),
        plural=_l("Webhooks"),
        icon="api",
        model=Webhook,
        service=_service,
        owner="",
        path="/settings/webhooks/{id}",
        searchable=False,
        importable=False,
        fields=(
            Field(
                key="name", label=_l("Name"), required=True, column=True, quick=True, example="Book-keeping"
            ),
            Field(
                key="url",
                label=_l("Address"),
                required=True,
                quick=True,
                max_length=1000,
                example="https://example.com/hooks/kehu",
                help=_l("Where the calls go, beginning with https://"),
            ),
            Field(
                key="events",
                label=_l("Events"),
                kind="tags",
                required=True,
                quick=True,
                example=["deal.*", "ticket.created"],
                help=_l("Such as deal.*, ticket.created or * for all, separated by commas."),
            ),
            Field(key="active", label=_l("Active"), kind="bool", default=True, example=True),
        ),
    )
)
