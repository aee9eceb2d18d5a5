"""What can be done with webhooks."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select, update

from kehu.addons.settings import conceal, reveal
from kehu.core import audit, clock, gate, hooks, jobs
from kehu.core.errors import Conflict, InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.records.service import RecordService
from kehu.core.records.types import registered
from kehu.webhooks import calling, signing
from kehu.webhooks.models import Webhook, WebhookDelivery

BOTH_VALID = dt.timedelta(hours=24)
"""How long the secret before signs beside the new one."""

ALL = "*"
SILENT = frozenset({"webhooks", "calendars", "calendar_days", "members"})
"""Record types that are told to nobody: they are settings."""

FACT = "webhook_events"
"""Among the tenant's settings: the events that any webhook wants, so that a write need not ask."""

MOST = 20
"""Webhooks that a firm may have."""


def event_groups() -> dict[str, Any]:
    """Return what events may be about: singular of a record type -> its name."""
    return {one.singular: one.plural for one in registered().values() if one.name not in SILENT}


def wants(events: Sequence[str], name: str) -> bool:
    """Tell whether a list of chosen events (`*`, `deal.*`, `deal.won`) holds an event."""
    return any(chosen in (ALL, name, f"{name.partition('.')[0]}.*") for chosen in events)


class WebhookService(RecordService[Webhook]):
    """Set up webhooks, exchange their secrets and send deliveries again."""

    type_name = "webhooks"

    def prepare(self, record: Webhook, changed: set[str]) -> None:
        """Write events in one way; who changes the address or switches on starts without old failures."""
        if "events" in changed:
            record.events = sorted({event.strip().lower() for event in record.events or () if event.strip()})
        if changed & {"url", "active"}:
            record.failing_since = None

    def prepare_new(self, records: Sequence[Webhook]) -> None:
        """Give each a secret.

        :raises PaymentNeeded: when the firm's plan has no webhooks.
        """
        gate.require_feature("webhooks", _("Webhooks to other programs"))
        self._wait()
        statement = select(func.count()).select_from(Webhook).where(Webhook.deleted_at.is_(None))
        known = self.session.execute(statement).scalar_one()
        if known + len(records) > MOST:
            message = _("A firm may have %(num)s webhooks. Put one into the trash first.", num=MOST)
            raise InvalidInput(message, fields={"name": [message]})
        for record in records:
            record.secret = conceal(signing.make_secret())

    def saved(self, records: Sequence[Webhook], action: str) -> None:
        """Keep which events are wanted, where each request finds them."""
        self._wait()
        self.session.flush()
        statement = select(Webhook.events).where(Webhook.deleted_at.is_(None), Webhook.active)
        wanted = sorted({event for events in self.session.execute(statement).scalars() for event in events})
        hooks.first("kehu_keep_fact", tenant_id=self.tenant.id, name=FACT, value=wanted)

    def _wait(self) -> None:
        """Let two at once wait for each other, so that both see what holds."""
        key = int.from_bytes(self.tenant.id.bytes[-8:], "big", signed=True)
        self.session.execute(select(func.pg_advisory_xact_lock(key)))

    def check(self, record: Webhook, changed: set[str]) -> None:
        """Refuse addresses that are not https and events that are never told."""
        errors: dict[str, list[str]] = {}
        if "url" in changed:
            try:
                calling.parts_of(record.url, private=calling.private_allowed())
            except calling.Refused:
                errors["url"] = [
                    _("Write a whole address that begins with https://, without a user name in it.")
                ]
        if "events" in changed:
            groups = event_groups()
            for event in record.events:
                group, dot, action = event.partition(".")
                if event != ALL and not (group in groups and dot and action):
                    errors["events"] = [
                        _(
                            "There is no event “%(name)s”. Write it as deal.* or deal.created.",
                            name=event[:60],
                        )
                    ]
            if not record.events:
                errors["events"] = [_("Choose at least one event.")]
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)

    def secret_of(self, record: Webhook) -> str:
        """Return the secret in plain, for the one time that it is shown."""
        self.actor.require("webhooks:write")
        return reveal(record.secret) or ""

    def rotate(self, webhook_id: object) -> str:
        """Exchange the secret and return the new one; the one before signs beside it for a day."""
        record = self.get(webhook_id, action="write", lock=True)
        fresh = signing.make_secret()
        moment = clock.now()
        record.secret_before, record.secret_before_until = record.secret, moment + BOTH_VALID
        record.secret = conceal(fresh)
        self._stamp(record)
        self._flush()
        self._trail(record, "secret_rotated", {})
        return fresh

    def replay(self, webhook_id: object, delivery_id: uuid.UUID) -> WebhookDelivery:
        """Send a delivery again, under the same message id.

        :raises NotFound: when there is none.
        :raises Conflict: while it waits, or the webhook is off.
        """
        record = self.get(webhook_id, action="write", lock=True)
        statement = (
            select(WebhookDelivery)
            .where(WebhookDelivery.webhook_id == record.id, WebhookDelivery.id == delivery_id)
            .with_for_update()
        )
        delivery = self.session.execute(statement).scalar_one_or_none()
        if delivery is None:
            raise NotFound(_("This delivery is not kept any more."))
        if not record.active:
            raise Conflict(_("This webhook is off. Switch it on, then send again."))
        if delivery.state == "waiting":
            raise Conflict(_("This delivery waits for its next try already."))
        delivery.state, delivery.attempts, delivery.next_at = "waiting", 0, clock.now()
        audit.write(
            self.session,
            object="webhooks",
            record_id=record.id,
            action="replayed",
            title=record.name,
            changes={"event": [None, delivery.event]},
        )
        jobs.enqueue(self.session, "webhooks.send", delivery_id=str(delivery.id))
        return delivery

    def deliveries(self, webhook_id: object, limit: int = 50) -> Sequence[WebhookDelivery]:
        """Return the latest deliveries of a webhook."""
        record = self.get(webhook_id)
        statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == record.id)
        statement = statement.order_by(WebhookDelivery.entry_id.desc()).limit(limit)
        return self.session.execute(statement).scalars().all()

    def note_failure(self, webhook_id: uuid.UUID, since: dt.datetime | None) -> None:
        """Remember since when a webhook fails, or that it works (None)."""
        # A statement, so that the version that people see does not move.
        self.session.execute(
            update(Webhook)
            .where(Webhook.id == webhook_id)
            .values(failing_since=since)
            .execution_options(synchronize_session=False)
        )
