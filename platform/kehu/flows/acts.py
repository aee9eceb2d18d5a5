"""What a workflow does to a record: each action through the record's own service, in its author's name."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.activities.services import ActivityService
from kehu.core import clock, context, jobs, mail, site
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import filters, rights, scope
from kehu.core.records.fields import Field
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import RecordType, unrestricted
from kehu.flows.models import Flow, FlowRun
from kehu.members.loading import actor_of_job, actor_of_member
from kehu.members.models import Member
from kehu.webhooks.models import Webhook, WebhookDelivery

LINKS = {
    "customers": "customer_id",
    "contacts": "contact_id",
    "deals": "deal_id",
    "tickets": "ticket_id",
    "owned_items": "owned_item_id",
}
"""Record type -> the field by which an activity is about one of its records."""
EVENT = "flow.run"
SUBJECT_LENGTH = 120


@dataclass(frozen=True, kw_only=True)
class Doing:
    """A record in the middle of a run."""

    session: Session
    flow: Flow
    run: FlowRun
    type: RecordType
    service: RecordService[Any]
    record: Any

    def filled(self, text: str) -> str:
        """Return a text in which {name} is what people call the record."""
        return text.replace("{name}", self.service.title_of(self.record))

    def whom(self, step: Mapping[str, Any]) -> context.Actor:
        """Return the member whom an action is for: the one it names, the record's owner, or who wrote the workflow.

        :raises Conflict: when he is not there any more, or may not see the record.
        """
        owner = getattr(self.record, self.type.owner) if self.type.owner else None
        wanted = step.get("member") or owner or self.flow.acting_id
        member_id = uuid.UUID(str(wanted)) if wanted else None
        found = actor_of_member(self.session, member_id) if member_id else None
        active = select(Member.id).where(Member.id == member_id, Member.state == "active")
        if found is None or self.session.execute(active).first() is None:
            raise Conflict(_("The member whom this is for is not in the firm any more."))
        if not scope.visible(self.session, self.type, self.record.id, found):
            raise Conflict(_("The member whom this is for may not see the record."))
        return found


def acting(session: Session, flow: Flow) -> context.Actor:
    """Return in whose name a workflow acts, with the rights that he has now: none once he was kept out."""
    found = actor_of_job(session, flow.acting_id) if flow.acting_id else None
    return found or context.Actor(kind="job", member_id=flow.acting_id)


def perform(
    session: Session, flow: Flow, run: FlowRun, record_type: RecordType, step: Mapping[str, Any]
) -> str:
    """Do one action and return in a few words what it did.

    :raises KehuError: when it is refused.
    """
    who = acting(session, flow)
    with context.use(actor=who):
        _refuse_closed(record_type, step)
    with context.use(actor=who), context.by_rule(flow.name):
        service = service_for(record_type.name, session, who)
        record = service.get(run.record_id)
        doing = Doing(session=session, flow=flow, run=run, type=record_type, service=service, record=record)
        return _DO[step["do"]](doing, step)


def _refuse_closed(record_type: RecordType, step: Mapping[str, Any]) -> None:
    """Refuse to set what the actor's role may not change now, whatever it might when the workflow was written."""
    key = {"set": step.get("field"), "assign": record_type.owner}.get(step["do"])
    whole = unrestricted(record_type.name)
    if key and key in rights.closed(whole):
        raise Conflict(rights.refusal(whole, key))


def settled(spec: Field, value: str, tenant: context.TenantInfo) -> Any:
    """Return the value that a step sets: days may be counted from today (today+7)."""
    if spec.kind in ("date", "datetime"):
        day = filters.relative_day(value, tenant)
        if day is not None:
            return day.isoformat() if spec.kind == "date" else f"{day.isoformat()}T09:00"
    return value


def _set(doing: Doing, step: Mapping[str, Any]) -> str:
    spec = doing.type.editable.get(step["field"])
    if spec is None:
        raise Conflict(_("There is no field “%(name)s” that can be set.", name=step["field"]))
    given = settled(spec, step.get("value", ""), context.tenant())
    doing.service.update(doing.record.id, {spec.key: given})
    return _("Set %(field)s", field=spec.label)


def _assign(doing: Doing, step: Mapping[str, Any]) -> str:
    member = doing.session.get(Member, (doing.flow.tenant_id, uuid.UUID(step["member"])))
    if member is None or member.state != "active":
        raise Conflict(_("The member whom this is for is not in the firm any more."))
    doing.service.update(doing.record.id, {doing.type.owner: step["member"]})
    return _("Handed over to %(name)s", name=member.name)


def _task(doing: Doing, step: Mapping[str, Any]) -> str:
    whom = doing.whom(step)
    tenant = context.tenant()
    day = clock.today(tenant.tz) + dt.timedelta(days=step.get("days", 0))
    values: dict[str, Any] = {
        "kind": "task",
        "subject": doing.filled(step["text"])[:SUBJECT_LENGTH],
        "due_at": f"{day.isoformat()}T09:00",
        "owner_id": str(whom.member_id),
        **_links(doing),
    }
    ActivityService(doing.session, context.actor()).create(values)
    return _("Added a task for %(name)s", name=whom.name)


def _links(doing: Doing) -> dict[str, str]:
    name, record = doing.type.name, doing.record
    if name == "activities":
        keys = ("customer_id", *LINKS.values())
        return {key: str(found) for key in keys if (found := getattr(record, key))}
    if name in LINKS:
        return {LINKS[name]: str(record.id)}
    customer = getattr(record, doing.type.customer) if doing.type.customer else None
    return {"customer_id": str(customer)} if customer else {}


def _mail(doing: Doing, step: Mapping[str, Any]) -> str:
    whom = doing.whom(step)
    if not whom.email:
        raise Conflict(_("The member whom this is for has no mail address."))
    mail.send(
        doing.session,
        whom.email,
        "flows/mail/told",
        locale=whom.locale,
        subject=doing.filled(step["subject"]),
        text=doing.filled(step["text"]),
        flow=doing.flow.name,
        url=f"{site.url_of(context.tenant())}{doing.type.url(doing.record.id)}",
    )
    return _("Sent a mail to %(name)s", name=whom.name)


def _webhook(doing: Doing, step: Mapping[str, Any]) -> str:
    hook = doing.session.get(Webhook, (doing.flow.tenant_id, uuid.UUID(step["webhook"])))
    if hook is None or hook.deleted_at is not None or not hook.active:
        raise Conflict(_("The webhook is off or was removed."))
    moment = clock.now()
    data = {
        "object": doing.type.name,
        "id": str(doing.record.id),
        "name": "",  # The receiver asks for the record with its own token, so that a delivery names nobody.
        "flow": {"id": str(doing.flow.id), "name": doing.flow.name},
        "run": str(doing.run.id),
    }
    delivery = WebhookDelivery(
        id=new_id(),
        webhook_id=hook.id,
        entry_id=new_id(),
        event=EVENT,
        payload={
            "type": EVENT,
            "version": 1,
            "timestamp": moment.isoformat().replace("+00:00", "Z"),
            "firm": context.tenant().address,
            "data": data,
        },
        created_at=moment,
        next_at=moment,
    )
    doing.session.add(delivery)
    jobs.enqueue(doing.session, "webhooks.send", delivery_id=str(delivery.id))
    return _("Called the webhook “%(name)s”", name=hook.name)


def _approve(doing: Doing, step: Mapping[str, Any]) -> str:
    whom = doing.whom(step)
    doing.run.state = "asking"
    if whom.email:
        mail.send(
            doing.session,
            whom.email,
            "flows/mail/asked",
            locale=whom.locale,
            text=doing.filled(step["text"]),
            flow=doing.flow.name,
            url=f"{site.url_of(context.tenant())}/approvals",
        )
    return _("Asked %(name)s for approval", name=whom.name)


_DO: dict[str, Callable[[Doing, Mapping[str, Any]], str]] = {
    "set": _set,
    "task": _task,
    "assign": _assign,
    "mail": _mail,
    "webhook": _webhook,
    "approve": _approve,
}
