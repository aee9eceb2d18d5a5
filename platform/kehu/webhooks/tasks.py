"""Deliver changes to webhooks: a batch fans out into deliveries, each with tries and growing waits."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import and_, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.addons.settings import reveal
from kehu.core import clock, context, db, events, jobs, mail, schedule, site
from kehu.core.audit import AuditEntry
from kehu.core.ids import new_id
from kehu.core.records import rights
from kehu.core.records.types import RecordType, registered
from kehu.members.models import Member, Role
from kehu.webhooks import calling, signing
from kehu.webhooks.models import Webhook, WebhookDelivery
from kehu.webhooks.services import FACT, SILENT, WebhookService, wants

VERSION = 1
"""Of the payload; it grows when a member is taken away or means something else."""

SLICE = 500
WAITS = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Before the second try, the third …: those that Standard Webhooks recommends, some three days in all."""

OFF_AFTER = dt.timedelta(days=5)
"""Of failure without one success."""

KEPT = dt.timedelta(days=30)


def _wanted(tenant: context.TenantInfo, name: str) -> bool:
    return wants(tenant.settings.get(FACT, ()), name)


def _enqueue(session: Session, _tenant_id: str, batch_id: str) -> None:
    jobs.enqueue(session, "webhooks.fan_out", batch_id=batch_id)


events.connect("webhooks", _wanted, _enqueue)


@jobs.tenant_task("webhooks.fan_out", queue="events")
def fan_out(_tenant_id: uuid.UUID, batch_id: str, after: str = "") -> None:
    """Make a delivery of each change of a batch for each webhook that wants it; twice makes none twice.

    :param after: the last entry that was looked at; a large batch goes in slices, a job for each.
    """
    session = db.session()
    hooks = (
        session.execute(select(Webhook).where(Webhook.deleted_at.is_(None), Webhook.active)).scalars().all()
    )
    statement = select(AuditEntry).where(AuditEntry.batch_id == uuid.UUID(batch_id))
    if after:
        statement = statement.where(AuditEntry.id > uuid.UUID(after))
    entries = session.execute(statement.order_by(AuditEntry.id).limit(SLICE)).scalars().all()
    if len(entries) == SLICE:
        jobs.enqueue(session, "webhooks.fan_out", batch_id=batch_id, after=str(entries[-1].id))
    types, roles = registered(), _roles(session, hooks)
    rows = [
        _delivery(hook, entry, name, roles)
        for entry in entries
        if entry.object in types and entry.object not in SILENT
        for name in (f"{types[entry.object].singular}.{entry.action}",)
        for hook in hooks
        if wants(hook.events, name)
    ]
    if not rows:
        return
    made = session.execute(
        insert(WebhookDelivery).values(rows).on_conflict_do_nothing().returning(WebhookDelivery.id)
    ).scalars()
    for delivery_id in made.all():
        jobs.enqueue(session, "webhooks.send", delivery_id=str(delivery_id))


def _roles(session: Session, hooks: Sequence[Webhook]) -> Mapping[uuid.UUID | None, str]:
    """Return the roles of who made webhooks: a webhook is told what he may see."""
    makers = {hook.created_by for hook in hooks}
    statement = (
        select(Member.id, Role.code)
        .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
        .where(Member.id.in_([one for one in makers if one is not None]), Member.state == "active")
    )
    return {row.id: row.code for row in session.execute(statement)}


def _delivery(
    hook: Webhook, entry: AuditEntry, name: str, roles: Mapping[uuid.UUID | None, str]
) -> dict[str, Any]:
    hidden = rights.hidden_from(entry.object, roles.get(hook.created_by, ""))
    return {
        "tenant_id": hook.tenant_id,
        "id": new_id(),
        "webhook_id": hook.id,
        "entry_id": entry.id,
        "event": name,
        "payload": payload(entry, name, registered()[entry.object], hidden),
        "tries": [],
        "created_at": clock.now(),
        "next_at": clock.now(),
    }


def payload(
    entry: AuditEntry, name: str, record_type: RecordType, hidden: Collection[str] = ()
) -> dict[str, Any]:
    """Return what a receiver reads: the event, its moment, and the record with its changes.

    :param hidden: fields that are left out.
    """
    return {
        "type": name,
        "version": VERSION,
        "timestamp": entry.at.isoformat().replace("+00:00", "Z"),
        "firm": context.tenant().address,
        "data": {
            "object": record_type.name,
            "id": str(entry.record_id),
            "name": entry.title,
            "version": entry.version,
            "changes": {key: pair for key, pair in entry.changes.items() if key not in hidden},
            "by": entry.actor_name,
            "customer_id": str(entry.customer_id) if entry.customer_id else None,
        },
    }


@jobs.tenant_task("webhooks.send", queue="webhooks", one_transaction=False)
def send(_tenant_id: uuid.UUID, delivery_id: str) -> None:
    """Try one delivery; no transaction is open while the other side takes its time."""
    with db.unit_of_work() as session:
        found = _open(session, uuid.UUID(delivery_id))
        if found is None:
            return
        delivery, hook = found
        if not hook.active or hook.deleted_at is not None:
            delivery.state, delivery.next_at = "failed", None
            return
        url, secrets = hook.url, _secrets(hook)
        body = json.dumps(delivery.payload, ensure_ascii=False, separators=(",", ":")).encode()
    moment = int(clock.now().timestamp())
    headers = signing.headers(secrets, f"msg_{uuid.UUID(delivery_id).hex}", moment, body)
    answer = calling.call(url, body, headers)
    with db.unit_of_work() as session:
        found = _open(session, uuid.UUID(delivery_id))
        if found is not None:
            _note(session, *found, answer)


def _open(session: Session, delivery_id: uuid.UUID) -> tuple[WebhookDelivery, Webhook] | None:
    """Return a delivery that waits, locked, and its webhook."""
    statement = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.state == "waiting"
    )
    delivery = session.execute(statement.with_for_update()).scalar_one_or_none()
    if delivery is None:
        return None
    hook = session.execute(select(Webhook).where(Webhook.id == delivery.webhook_id)).scalar_one()
    return delivery, hook


def _secrets(hook: Webhook) -> list[str]:
    kept = [hook.secret]
    if hook.secret_before and hook.secret_before_until and hook.secret_before_until > clock.now():
        kept.append(hook.secret_before)
    return [plain for plain in map(reveal, kept) if plain]


def _note(session: Session, delivery: WebhookDelivery, hook: Webhook, answer: calling.Answer) -> None:
    moment = clock.now()
    told = {"at": moment.isoformat(), "status": answer.status, "ms": answer.ms, "answer": answer.text}
    delivery.attempts += 1
    delivery.tries = [*delivery.tries, told][-20:]
    service = WebhookService(session, context.SYSTEM)
    if answer.good:
        delivery.state, delivery.next_at = "delivered", None
        if hook.failing_since is not None:
            service.note_failure(hook.id, None)
        return
    if hook.failing_since is None:
        service.note_failure(hook.id, moment)
    elif moment - hook.failing_since >= OFF_AFTER and hook.active:
        _switch_off(session, service, hook)
    if delivery.attempts > len(WAITS) or answer.status == 410 or not hook.active:
        delivery.state, delivery.next_at = "failed", None
        return
    wait = WAITS[delivery.attempts - 1]
    delivery.next_at = moment + wait
    jobs.enqueue(session, "webhooks.send", delivery_id=str(delivery.id), wait=wait)


def _switch_off(session: Session, service: WebhookService, hook: Webhook) -> None:
    service.update(hook.id, {"active": False})
    tenant = context.tenant()
    base = site.url_of(tenant)
    statement = (
        select(Member.email)
        .join(Role, (Role.tenant_id == Member.tenant_id) & (Role.id == Member.role_id))
        .where(Role.code.in_(("owner", "admin")), Member.state == "active", Member.email != "")
    )
    for email in session.execute(statement).scalars():
        mail.send(
            session,
            email,
            "webhooks/mail/switched_off",
            name=hook.name,
            address=hook.url,
            url=f"{base}/settings/webhooks/{hook.id}",
        )


@schedule.every_tenant("webhooks.forget", at="03:40")
def forget(_tenant_id: uuid.UUID) -> None:
    """Remove deliveries that are older than thirty days."""
    db.session().execute(
        delete(WebhookDelivery)
        .where(WebhookDelivery.created_at < clock.now() - KEPT)
        .execution_options(synchronize_session=False)
    )
