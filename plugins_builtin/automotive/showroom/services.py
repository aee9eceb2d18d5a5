"""Keep visits: find who came, plan the next contact, hand on to the rules of protection."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from kehu.api import (
    Conflict,
    InvalidInput,
    NotFound,
    RecordService,
    _,
    clock,
    insert,
    new_id,
    normal_phone,
    or_,
    plugin_settings,
    select,
    service_for,
    show_phone,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.protection.services import ProtectionService
from plugins_builtin.automotive.showroom.models import HostTurn, Visit

NAME = f"{SLUG}.visits"
SAME = dt.timedelta(minutes=10)
"""A second entry of a phone number within this time is the same visitor, noted twice."""
REVIVAL = dt.timedelta(days=30)
"""A lost visitor is asked again after this time."""


class VisitService(RecordService[Visit]):
    """Write visits. Names are never asked for; who is known by the phone number is linked."""

    type_name = NAME

    def defaults(self) -> dict[str, Any]:
        """A visit is the actor's, who notes it as host."""
        return {**super().defaults(), "name": ""}

    def prepare(self, record: Visit, changed: set[str]) -> None:
        """Link the customer with the phone number, and tell a first visit from a second."""
        record.people = record.people or 1
        record.phone_norm = self.number(record.phone)
        if record.phone_norm:
            record.phone = show_phone(record.phone_norm)
        if record.customer_id is None and record.phone_norm and "phone" in changed:
            record.customer_id = self.customer_of(record.phone_norm)
        if not record.name or ("phone" in changed and record.name == _("Visitor")):
            record.name = record.phone or _("Visitor")
        if "kind" not in changed and changed & {"phone", "customer_id"} and self._came_before(record):
            record.kind = "return"

    def check(self, record: Visit, changed: set[str]) -> None:
        """Ask for a reason of a loss, and for times in their order.

        :raises InvalidInput: names the field.
        """
        if record.result == "lost" and not record.lost_reason:
            message = _("Say why the visitor is lost, and to whom if you know it.")
            raise InvalidInput(message, fields={"lost_reason": [message]})
        if record.left_at is not None and record.left_at < record.arrived_at:
            message = _("Nobody leaves before arriving: look at the two times.")
            raise InvalidInput(message, fields={"left_at": [message]})
        if record.arrived_at > clock.now() + SAME:
            message = _("A visit lies in the past; an appointment to come is an activity.")
            raise InvalidInput(message, fields={"arrived_at": [message]})

    def saved(self, records: Sequence[Visit], action: str) -> None:
        """Protect who was served, plan the next contact, and let go of what a removed visit had brought."""
        protection = ProtectionService(self.session, self.actor)
        for record in records:
            if action == "trashed":
                protection.forget_visit(record)
                continue
            protection.receive(record)
            self._follow_up(record)

    def search_texts(self, record: Visit) -> Iterable[tuple[str, str]]:
        """Return name, phone and wanted car."""
        yield "name", record.name
        if record.phone_norm:
            yield "phone", record.phone_norm
        if record.wanted:
            yield "text", record.wanted

    def arrive(self, values: dict[str, Any]) -> tuple[Visit, bool]:
        """Note a visitor who has just come in; the same number a moment later is the same visitor.

        :returns: the visit, and whether it was noted before.
        :raises InvalidInput: when the phone number can't be one.
        """
        self.actor.require(f"{NAME}:write")
        number = self.number(values.get("phone"))
        if number:
            statement = (
                select(Visit)
                .where(
                    Visit.phone_norm == number,
                    Visit.arrived_at > clock.now() - SAME,
                    Visit.deleted_at.is_(None),
                )
                .order_by(Visit.arrived_at.desc())
                .limit(1)
            )
            known = self.session.execute(statement).scalar_one_or_none()
            if known is not None:
                return known, True
        return self.create(values), False

    def take(self, visit_id: object) -> Visit:
        """Make the actor the host of a visitor who waits.

        :raises Conflict: when somebody else was quicker.
        """
        visit = self.get(visit_id, action="write", lock=True)
        if visit.owner_id is not None and visit.owner_id != self.actor.member_id:
            raise Conflict(_("Somebody else has received this visitor in the meantime."))
        return self.update(visit_id, {"owner_id": self.actor.member_id})

    def customer_of(self, number: str) -> uuid.UUID | None:
        """Return the customer with a phone number (E.164), himself or by a contact, if it is one alone."""
        found: set[uuid.UUID] = set()
        for name, column in (("customers", "id"), ("contacts", "customer_id")):
            model: Any = service_for(name, self.session).type.model
            statement = select(getattr(model, column)).where(
                model.phone_norm == number, model.deleted_at.is_(None)
            )
            found |= {one for one in self.session.execute(statement.limit(5)).scalars() if one is not None}
        return found.pop() if len(found) == 1 else None

    def number(self, written: Any) -> str | None:
        """Return a phone number as E.164, None for none.

        :raises InvalidInput: when it can't be one.
        """
        text = str(written or "").strip()
        if not text:
            return None
        try:
            return normal_phone(text, self.tenant.country)
        except InvalidInput as error:
            raise InvalidInput(error.message, fields={"phone": [str(error.message)]}) from error

    def _came_before(self, record: Visit) -> bool:
        known = []
        if record.phone_norm:
            known.append(Visit.phone_norm == record.phone_norm)
        if record.customer_id is not None:
            known.append(Visit.customer_id == record.customer_id)
        if not known:
            return False
        statement = select(Visit.id).where(
            or_(*known),
            Visit.id != record.id,
            Visit.arrived_at < record.arrived_at,
            Visit.deleted_at.is_(None),
        )
        return self.session.execute(statement.limit(1)).scalar_one_or_none() is not None

    def _follow_up(self, record: Visit) -> None:
        """Keep one planned call for a visitor that is followed up, due by the level's longest gap."""
        due = self._due(record)
        if due is None or not self.actor.may("activities:write"):
            return
        activities = service_for("activities", self.session)
        model: Any = activities.type.model
        statement = select(model.done_at, model.deleted_at).where(model.id == record.follow_up_id)
        planned = self.session.execute(statement).one_or_none() if record.follow_up_id else None
        if planned is not None and planned.done_at is None and planned.deleted_at is None:
            return
        if planned is not None and record.result != "lost":
            return
        subject = (
            _("Ask again: %(name)s", name=record.name)
            if record.result == "lost"
            else _("Call after the visit: %(name)s", name=record.name)
        )
        values = {"kind": "call", "subject": subject[:200], "due_at": due, "body": record.wanted or ""}
        if record.customer_id is not None and self._visible(record.customer_id):
            values["customer_id"] = record.customer_id
        made = activities.create({**values, "owner_id": record.owner_id or self.actor.member_id})
        record.follow_up_id = made.id

    def _visible(self, customer_id: uuid.UUID) -> bool:
        try:
            service_for("customers", self.session).get(customer_id)
        except NotFound:
            return False
        return True

    def _due(self, record: Visit) -> dt.datetime | None:
        if record.result == "lost":
            return record.arrived_at + REVIVAL
        if record.result != "follow_up":
            return None
        gaps = plugin_settings(self.session, SLUG)
        days = int(gaps[f"showroom_gap_{(record.level or 'b').lower()}"])
        return clock.now() + dt.timedelta(days=days)


class TurnService:
    """Who stands ready, and who is next: whoever has waited longest since the last visitor.

    :param session: the unit of work.
    """

    def __init__(self, service: VisitService) -> None:
        self.session, self.actor = service.session, service.actor

    def waiting(self) -> Sequence[HostTurn]:
        """Return who stands ready, the next one first."""
        self.actor.require(f"{NAME}:read")
        statement = select(HostTurn).order_by(HostTurn.since, HostTurn.id).limit(100)
        return self.session.execute(statement).scalars().all()

    def stand(self, ready: bool) -> None:
        """Put the actor into the row, or take him out; standing already keeps the place."""
        self.actor.require(f"{NAME}:write")
        mine = self._mine()
        if ready and mine is None:
            row = {"tenant_id": tenant().id, "id": new_id(), "member_id": self.actor.member_id}
            # Two presses at the same moment: one place.
            self.session.execute(insert(HostTurn).values(**row, since=clock.now()).on_conflict_do_nothing())
        elif not ready and mine is not None:
            self.session.delete(mine)
        self.session.flush()

    def served(self) -> None:
        """Send the actor to the end of the row, as he has got a visitor."""
        mine = self._mine()
        if mine is not None:
            mine.since = clock.now()

    def _mine(self) -> HostTurn | None:
        statement = select(HostTurn).where(HostTurn.member_id == self.actor.member_id).with_for_update()
        return self.session.execute(statement).scalar_one_or_none()
