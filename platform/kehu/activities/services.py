"""What can be done with activities."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import inspect, select

from kehu.activities.models import Activity
from kehu.activities.records import ACTIVITIES
from kehu.core import clock
from kehu.core.errors import Conflict
from kehu.core.i18n import _
from kehu.core.records.service import RecordService
from kehu.core.tables import metadata
from kehu.core.text import clean, fold

SUBJECT_LENGTH = 120
_PARENTS = (
    ("deal_id", "deals"),
    ("ticket_id", "tickets"),
    ("owned_item_id", "owned_items"),
    ("contact_id", "contacts"),
)
"""Links from which the customer follows, the nearest first."""


class ActivityService(RecordService[Activity]):
    """Plan, log and finish activities."""

    type_name = "activities"

    def prepare(self, record: Activity, changed: set[str]) -> None:
        """Name it, find its customer, and take a new note as done."""
        if record.kind == "note" and record.done_at is None and inspect(record).transient:
            record.done_at = clock.now()
        if not record.subject:
            kind = self.type.by_key["kind"].option(record.kind)
            record.subject = _first_line(record.body) or str(kind.label if kind else record.kind)
        record.subject_norm = fold(record.subject)
        if record.customer_id is None and "customer_id" not in changed:
            record.customer_id = self._customer_of(record)

    def search_texts(self, record: Activity) -> Iterable[tuple[str, str]]:
        """Find an activity by its subject and the beginning of its text."""
        yield "name", record.subject
        if record.body:
            yield "text", record.body[:300]

    def done(
        self, record_id: object, *, outcome: str = "", minutes: int | None = None, version: int | None = None
    ) -> Activity:
        """Mark an activity done, now; one that is done stays as it is.

        :raises StaleVersion: when somebody else changed it in the meantime.
        """
        record = self.get(record_id, action="write", lock=True)
        if record.done_at is not None and not outcome and minutes is None:
            return record
        values: dict[str, Any] = {"done_at": record.done_at or clock.now()}
        if outcome:
            values["outcome"] = outcome
        if minutes is not None:
            values["minutes"] = minutes
        return self.update(record.id, values, version=version)

    def reopen(self, record_id: object, *, version: int | None = None) -> Activity:
        """Take an activity as not done.

        :raises Conflict: for a note, which has nothing to be done.
        """
        record = self.get(record_id, action="write", lock=True)
        if record.kind == "note":
            raise Conflict(_("A note is done when it is written; change its kind to a task first."))
        return self.update(record.id, {"done_at": None}, version=version)

    def next_values(self, record: Activity) -> dict[str, Any]:
        """Return what the next activity after this one starts with: the same customer, people and deal."""
        keys = ("customer_id", "contact_id", "deal_id", "ticket_id", "owned_item_id", "owner_id")
        values = {key: getattr(record, key) for key in keys if getattr(record, key) is not None}
        return {**values, "kind": "task" if record.kind == "note" else record.kind}

    def _customer_of(self, record: Activity) -> uuid.UUID | None:
        # Imports write thousands for few parents: each is looked up once in a unit of work.
        cache: dict[Any, uuid.UUID | None] = self.session.info.setdefault("activity_customers", {})
        for key, table_name in _PARENTS:
            parent_id = getattr(record, key)
            if parent_id is None:
                continue
            if (key, parent_id) not in cache:
                table = metadata.tables[table_name]
                statement = select(table.c.customer_id).where(
                    table.c.tenant_id == self.tenant.id, table.c.id == parent_id
                )
                cache[key, parent_id] = self.session.execute(statement).scalar()
            if cache[key, parent_id] is not None:
                return cache[key, parent_id]
        return None


def _first_line(body: str | None) -> str:
    line = next((clean(part) for part in (body or "").splitlines() if part.strip()), "")
    return line if len(line) <= SUBJECT_LENGTH else f"{line[: SUBJECT_LENGTH - 1].rstrip()}…"


def log_activity(
    service: ActivityService, kind: str, body: str, links: dict[str, Any], **more: Any
) -> Activity:
    """Create an activity from the composer: done, unless it is a task or has a due time."""
    values: dict[str, Any] = {
        "kind": kind,
        "body": body,
        **links,
        **{key: value for key, value in more.items() if value},
    }
    due = values.get("due_at")
    if kind != "task" and not due:
        values["done_at"] = clock.now()
    return service.create(values)


__all__ = ["ACTIVITIES", "ActivityService", "log_activity"]
