"""Say that a value was verified or is wrong; read how fresh values are and which have to be looked at."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, shape
from kehu.core.audit import AuditEntry
from kehu.core.errors import Conflict, InvalidInput, NotFound, StaleVersion
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records import scope
from kehu.core.records.fields import Field
from kehu.core.records.kinds import dump_value
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import get as get_type
from kehu.core.text import clean
from kehu.freshness.models import FreshnessRule, FreshnessStamp
from kehu.freshness.records import verified_fields

OBJECTS = ("customers", "contacts")
ACTIONS = {"verified": "verified", "wrong": "doubted"}
LONGEST = 200

LOOKED = 2_000
"""So many of somebody's records the queue looks at of each kind, the oldest first."""

EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


class FreshnessRuleService(RecordService[FreshnessRule]):
    """Say which fields are verified."""

    type_name = "freshness_rules"

    def check(self, record: FreshnessRule, changed: set[str]) -> None:
        """Refuse fields that are not there or not set by people, and the same one twice."""
        spec = get_type(record.object).by_key.get(record.field)
        if spec is None or spec.readonly:
            message = _("Choose one from the list.")
            raise InvalidInput(message, fields={"field": [message]})
        same = select(FreshnessRule.id).where(
            FreshnessRule.object == record.object,
            FreshnessRule.field == record.field,
            FreshnessRule.id != record.id,
            FreshnessRule.deleted_at.is_(None),
        )
        with self.session.no_autoflush:
            if self.session.execute(same).first() is not None:
                message = _("This field is verified already.")
                raise InvalidInput(message, fields={"field": [message]})

    def saved(self, records: Sequence[FreshnessRule], action: str) -> None:
        """Let it hold from now on, here and in all other processes."""
        shape.changed(self.session)

    def search_texts(self, record: FreshnessRule) -> Iterable[tuple[str, str]]:
        """Nobody searches for them."""
        return ()


def digest(spec: Field, value: Any) -> str:
    """Return what tells a value from another one."""
    written = json.dumps(dump_value(spec, value), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How fresh one value of a record is.

    :param state: never, verified, stale or wrong.
    :param stamp: the latest word on this very value, if there is one.
    """

    object: str
    record: Any
    spec: Field
    digest: str
    state: str
    stamp: FreshnessStamp | None = None

    @property
    def value(self) -> Any:
        """The value itself."""
        return getattr(self.record, self.spec.key)

    @property
    def url(self) -> str:
        """Where a word on it is sent."""
        return f"/freshness/{self.object}/{self.record.id}/{self.spec.key}"


class FreshnessService:
    """Stamps of values; who may write a record may stamp what stands in it."""

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session, self.actor = session, actor or context.actor()

    def say(
        self, object_name: str, record_id: object, key: str, verdict: str, *, seen: str = "", source: str = ""
    ) -> FreshnessStamp:
        """Write down that a value was verified, or that it is wrong.

        :param seen: the digest of the value that the person saw.
        :param source: where he knows it from.
        :raises StaleVersion: when the record holds another value by now.
        """
        if object_name not in OBJECTS or verdict not in ACTIONS:
            raise NotFound(_("There is no such page."))
        service = service_for(object_name, self.session, self.actor)
        record = service.get(record_id, action="write", lock=True)
        spec = self._spec(object_name, key)
        value = getattr(record, key)
        if value in EMPTY:
            raise Conflict(_("There is nothing to verify: the field is empty."))
        now = digest(spec, value)
        if seen and seen != now:
            raise StaleVersion(_("Somebody changed this value in the meantime. Look at it again."))
        stamp = FreshnessStamp(
            id=new_id(),
            customer_id=record.id if object_name == "customers" else None,
            contact_id=record.id if object_name == "contacts" else None,
            field=key,
            digest=now,
            verdict=verdict,
            source=clean(source)[:LONGEST] or None,
            said_at=clock.now(),
            member_id=self.actor.member_id,
            actor_name=self.actor.name,
        )
        self.session.add(stamp)
        self.session.flush()  # The trail names it.
        audit.write(
            self.session,
            object=object_name,
            record_id=record.id,
            action=ACTIONS[verdict],
            title=service.title_of(record),
            changes={"freshness": [None, {"stamp": str(stamp.id), "label": str(spec.label)}]},
            version=record.version,
            customer_id=record.id if object_name == "customers" else record.customer_id,
        )
        return stamp

    def undo(self, entry: AuditEntry) -> None:
        """Take a word back; what was said before holds again."""
        service_for(entry.object, self.session, self.actor).get(entry.record_id, action="write", lock=True)
        said = (entry.changes.get("freshness") or [None, {}])[1] or {}
        statement = select(FreshnessStamp).where(
            FreshnessStamp.id == parse_id(said.get("stamp")), FreshnessStamp.undone_at.is_(None)
        )
        stamp = self.session.execute(statement).scalar_one_or_none()
        if stamp is None:
            raise Conflict(_("This can't be undone."))
        stamp.undone_at = clock.now()

    def of(self, object_name: str, record_id: object, key: str) -> Freshness | None:
        """Return how fresh one value is, or None when nobody asks for it or there is none."""
        if object_name not in OBJECTS or key not in verified_fields(object_name):
            return None
        record = service_for(object_name, self.session, self.actor).get(record_id)
        found = self._fresh(object_name, [record], {key})
        return found[0] if found else None

    def queue(self, object_name: str) -> list[Freshness]:
        """Return what the actor has to look at among his own records: never verified first, then the oldest."""
        if not verified_fields(object_name) or not self.actor.may(f"{object_name}:write"):
            return []
        kind = get_type(object_name)
        model: Any = kind.model
        statement = (
            select(model)
            .where(
                model.deleted_at.is_(None),
                model.owner_id == self.actor.member_id,
                scope.condition(kind, model, self.actor, self.actor.scope(f"{object_name}:read")),
            )
            .order_by(model.updated_at, model.id)
            .limit(LOOKED)
        )
        records = self.session.execute(statement).scalars().all()
        due = [one for one in self._fresh(object_name, records) if one.state in ("never", "stale")]
        first = dt.datetime.min.replace(tzinfo=dt.UTC)
        return sorted(due, key=lambda one: one.stamp.said_at if one.stamp else first)

    # Parts ---------------------------------------------------------------------------------

    def _spec(self, object_name: str, key: str) -> Field:
        """Return a field that is verified and that the actor sees."""
        spec = get_type(object_name).by_key.get(key)
        if spec is None or key not in verified_fields(object_name):
            raise NotFound(_("There is no such page."))
        return spec

    def _fresh(
        self, object_name: str, records: Sequence[Any], only: set[str] | None = None
    ) -> list[Freshness]:
        fields, days = get_type(object_name).by_key, verified_fields(object_name)
        specs = [fields[key] for key in days if key in fields and (only is None or key in only)]
        stamps = self._stamps(object_name, [one.id for one in records])
        found = []
        for record in records:
            for spec in specs:
                value = getattr(record, spec.key)
                if value in EMPTY:
                    continue
                now = digest(spec, value)
                stamp = stamps.get((record.id, spec.key, now))
                state = self._state(stamp, days[spec.key])
                found.append(
                    Freshness(
                        object=object_name, record=record, spec=spec, digest=now, state=state, stamp=stamp
                    )
                )
        return found

    def _state(self, stamp: FreshnessStamp | None, days: int) -> str:
        if stamp is None:
            return "never"
        if stamp.verdict == "wrong":
            return "wrong"
        return "verified" if stamp.said_at > clock.now() - dt.timedelta(days=days) else "stale"

    def _stamps(
        self, object_name: str, ids: Sequence[uuid.UUID]
    ) -> dict[tuple[uuid.UUID, str, str], FreshnessStamp]:
        """Return the latest stamps that were not taken back by record, field and value."""
        column: Any = FreshnessStamp.customer_id if object_name == "customers" else FreshnessStamp.contact_id
        statement = select(FreshnessStamp).where(column.in_(ids), FreshnessStamp.undone_at.is_(None))
        ordered = self.session.execute(statement.order_by(FreshnessStamp.id)).scalars() if ids else ()
        return {(getattr(one, column.key), one.field, one.digest): one for one in ordered}
