"""What can be done with workflows: write them, switch them, try a run again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select

from kehu.core import clock, hooks, jobs
from kehu.core.errors import Conflict, InvalidInput, KehuError, NotFound
from kehu.core.i18n import _
from kehu.core.records import rights, scope
from kehu.core.records.fields import Field
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import RecordType, unrestricted
from kehu.core.records.types import get as get_type
from kehu.flows import conditions
from kehu.flows.models import Flow, FlowRun
from kehu.flows.steps import ACTS
from kehu.webhooks.models import Webhook

FACT = "flow_events"
"""Among the tenant's settings: the events that start any workflow, so that a write need not ask."""

MOST = 100
"""Workflows that a firm may have."""


def date_fields(record_type: RecordType) -> list[Field]:
    """Return the fields whose day a workflow can wait for."""
    return [one for one in record_type.fields if one.kind in ("date", "datetime") and one.filterable]


def changed_fields(record_type: RecordType) -> list[Field]:
    """Return the fields whose change can start a workflow."""
    return list(record_type.editable.values())


def complete(flow: Flow) -> bool:
    """Tell whether a workflow says all that it needs to run."""
    return (
        bool(flow.steps)
        and (flow.trigger != "date" or bool(flow.field))
        and (flow.trigger != "quiet" or flow.days > 0)
    )


class FlowService(RecordService[Flow]):
    """Write workflows."""

    type_name = "flows"

    def prepare_new(self, records: Sequence[Flow]) -> None:
        """Refuse more than a firm can keep in view."""
        known = self.session.execute(
            select(func.count()).select_from(Flow).where(Flow.deleted_at.is_(None))
        ).scalar_one()
        if known + len(records) > MOST:
            message = _("A firm may have %(num)s workflows. Remove one first.", num=MOST)
            raise InvalidInput(message, fields={"name": [message]})

    def prepare(self, record: Flow, changed: set[str]) -> None:
        """Write the condition in one way; who changed it last is who it acts for."""
        record.days, record.side = record.days or 0, record.side or "before"
        record.steps = record.steps or []
        record.condition = conditions.written(record.object, record.condition or "", self.actor)
        if "trigger" in changed and record.trigger in ("created", "quiet"):
            record.field = None
        record.field = record.field or None
        record.acting_id = self.actor.member_id
        if not record.active:
            record.active_since = None
        elif "active" in changed or record.active_since is None:
            record.active_since = clock.now()

    def check(self, record: Flow, changed: set[str]) -> None:
        """Refuse what can't run: fields that are not there, conditions that can't be asked, steps that lead nowhere."""
        kind = get_type(record.object)
        if not kind.own_fields:
            raise _wrong("object", _("Choose one from the list."))
        if record.field:
            known = date_fields(kind) if record.trigger == "date" else changed_fields(kind)
            if record.field not in {one.key for one in known}:
                raise _wrong("field", _("Choose one from the list."))
        try:
            conditions.asked(kind, record.condition, self.actor)
        except InvalidInput as error:
            raise _wrong("condition", str(error.message)) from error
        for at, step in enumerate(record.steps, start=1):
            message = self._problem(kind, step)
            if message:
                raise _wrong("steps", _("Action %(num)s: %(why)s", num=at, why=message))
        if record.active and not complete(record):
            raise _wrong("active", _("Say when it starts and add at least one action, then switch it on."))

    def _problem(self, kind: RecordType, step: Mapping[str, Any]) -> str:
        do = step["do"]
        if do == "set":
            return self._cannot_set(kind, step["field"], step.get("value", ""))
        if do == "assign":
            if not kind.owner:
                return _("%(things)s have no owner.", things=kind.plural)
            if kind.owner in rights.closed(unrestricted(kind.name)):
                return rights.refusal(unrestricted(kind.name), kind.owner)
        member = step.get("member")
        if member and not scope.member_exists(self.session, uuid.UUID(member)):
            return _("Choose a member from the list.")
        if do == "webhook":
            statement = select(Webhook.id).where(
                Webhook.id == uuid.UUID(step["webhook"]), Webhook.deleted_at.is_(None)
            )
            if self.session.execute(statement).first() is None:
                return _("Choose a webhook from the list.")
        return ""

    def _cannot_set(self, kind: RecordType, key: str, value: str) -> str:
        from kehu.flows.acts import settled

        spec = kind.editable.get(key)
        if spec is None:
            return _("There is no field “%(name)s” that can be set.", name=key)
        try:
            given = settled(spec, value, self.tenant)
            _loaded, errors = service_for(kind.name, self.session, self.actor).load({key: given}, new=False)
        except (KehuError, ValueError) as error:
            return str(error)
        return f"{spec.label}: {errors[key][0]}" if errors.get(key) else ""

    def saved(self, records: Sequence[Flow], action: str) -> None:
        """Keep which events start a workflow, where each request finds them."""
        key = int.from_bytes(self.tenant.id.bytes[:8], "big", signed=True)
        # Two at once wait for each other, so that both see what holds.
        self.session.execute(select(func.pg_advisory_xact_lock(key)))
        self.session.flush()
        statement = select(Flow.object, Flow.trigger).where(Flow.deleted_at.is_(None), Flow.active)
        wanted = sorted({f"{row.object} {row.trigger}" for row in self.session.execute(statement)})
        hooks.first("kehu_keep_fact", tenant_id=self.tenant.id, name=FACT, value=wanted)

    def search_texts(self, record: Flow) -> Iterable[tuple[str, str]]:
        """Nobody searches for workflows."""
        return ()

    def again(self, flow_id: object, run_id: uuid.UUID) -> FlowRun:
        """Try a failed run again from where it stopped.

        :raises NotFound: when it is not kept.
        :raises Conflict: when it did not fail, or the workflow is off.
        """
        flow = self.get(flow_id, action="write")
        statement = select(FlowRun).where(FlowRun.flow_id == flow.id, FlowRun.id == run_id).with_for_update()
        run = self.session.execute(statement).scalar_one_or_none()
        if run is None:
            raise NotFound(_("This run is not kept any more."))
        if run.state != "failed" or not flow.active:
            raise Conflict(_("Only a run that failed can be tried again, while its workflow is on."))
        run.state, run.attempts, run.next_at, run.finished_at = "waiting", 0, clock.now(), None
        jobs.enqueue(self.session, "flows.run", run_id=str(run.id))
        return run


def _wrong(key: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={key: [message]})


__all__ = ["ACTS", "FlowService", "changed_fields", "complete", "date_fields"]
