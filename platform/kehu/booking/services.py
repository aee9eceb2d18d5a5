"""What can be done with resources and bookings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.booking import clashes
from kehu.booking.models import Booking, BookingLine, Resource
from kehu.booking.rules import LIVING, STEPS, skipped, wrong_times
from kehu.calendars.queries import business_hours
from kehu.core import clock, context, hooks
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import scope as scoping
from kehu.core.records.service import RecordService
from kehu.core.tables import metadata
from kehu.core.text import fold
from plugins.path_guard import plugin_of_path

PLACES = ("resource_id", "second_id", "third_id")
"""Fields of a booking that name a resource."""

Span = tuple[uuid.UUID, dt.datetime, dt.datetime]


def _refuse(key: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={key: [message]})


def is_living(record: Booking) -> bool:
    """Tell whether a booking keeps others away."""
    return record.state in LIVING and record.deleted_at is None


class ResourceService(RecordService[Resource]):
    """Write what can be booked."""

    type_name = "resources"

    def prepare(self, record: Resource, changed: set[str]) -> None:
        """Normalise the name; empty margins are none."""
        record.name_norm = fold(record.name)
        record.before_minutes = record.before_minutes or 0
        record.after_minutes = record.after_minutes or 0

    def search_texts(self, record: Resource) -> Iterable[tuple[str, str]]:
        """Find a resource by name, kind and number elsewhere."""
        yield "name", record.name
        yield "text", record.kind
        if record.external_id:
            yield "code", record.external_id


class BookingService(RecordService[Booking]):
    """Write bookings; nobody gets what another one has."""

    type_name = "bookings"

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        super().__init__(session, actor)
        self.page = ""
        """Where new bookings are worked on, as a plugin says it."""
        self.for_plugin = False
        """Whether the plugin on whose page a booking is worked on has looked at it before a step."""
        self._known: dict[uuid.UUID, Resource] = {}
        self._taken: list[tuple[uuid.UUID, Span]] = []

    # Rules ------------------------------------------------------------------------------

    def load(
        self, values: Mapping[str, Any], *, new: bool, record: Booking | None = None
    ) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """Refuse times that the clock leaves out."""
        loaded, errors = super().load(values, new=new, record=record)
        for key in ("from_at", "to_at"):
            raw = values.get(key)
            if not isinstance(raw, str) or key in errors or not loaded.get(key):
                continue
            try:
                wall = dt.datetime.fromisoformat(raw.strip())
            except ValueError:
                continue
            if wall.tzinfo is None and skipped(wall, self.tenant.tz):
                errors[key] = [_("On this day the clock skips this time; choose an hour later.")]
                del loaded[key]
        return loaded, errors

    def prepare(self, record: Booking, changed: set[str]) -> None:
        """Name the booking, note when it was handed out, and reckon how long its resources are busy."""
        if not record.name:
            first = self._resource(record.resource_id)
            record.name = first.name if first is not None else ""
        record.name_norm = fold(record.name)
        if "state" in changed:
            now = clock.now()
            record.out_at = (record.out_at or now) if record.state in ("out", "back") else None
            record.back_at = (record.back_at or now) if record.state == "back" else None
        if self.page and not record.page:
            record.plugin, record.page = plugin_of_path(self.page), self.page.format(id=record.id)
        margins = [] if record.closure else [self._margins(one) for one in self._places(record).values()]
        record.busy_from = record.from_at - max(
            (before for before, _after in margins), default=dt.timedelta()
        )
        record.busy_to = record.to_at + max((after for _before, after in margins), default=dt.timedelta())

    def check(self, record: Booking, changed: set[str]) -> None:
        """Refuse bad times, steps that can't follow, resources that are off, and what others hold."""
        stored = inspect(record).persistent
        if not stored or changed & {"from_at", "to_at", "closure"}:
            self._check_times(record, changed, stored)
        if stored and "state" in changed:
            self._check_step(record)
        if not is_living(record):
            return
        places = self._places(record)
        if not stored or changed & {*PLACES, "from_at", "to_at"}:
            self._check_open(record, places)
        self._check_free(record, places)

    def _check_times(self, record: Booking, changed: set[str], stored: bool) -> None:
        history = self.actor.kind in ("import", "system") or (stored and "from_at" not in changed)
        history = history or not is_living(record) or bool(self.session.info.get("undoing"))
        wrong = wrong_times(
            record.from_at, record.to_at, clock.now(), closure=record.closure, history=history
        )
        if wrong is not None:
            raise _refuse(*wrong)

    def _check_step(self, record: Booking) -> None:
        before = inspect(record).attrs.state.history.deleted
        old = before[0] if before else record.state
        if record.state != old and record.state not in STEPS.get(old, ()):
            raise _refuse("state", _("This can't follow on the present state; load the page again."))
        if record.closure and record.state in ("out", "back", "no_show"):
            raise _refuse("state", _("What is out of service can't be handed out."))
        keys = {record.state, old} & {"out", "back"} and not self.session.info.get("undoing")
        if keys and record.plugin in hooks.enabled() and not self.for_plugin:
            raise _refuse("state", _("Hand this out and take it back on its own page."))

    def _check_open(self, record: Booking, places: Mapping[str, Resource]) -> None:
        if len({one.id for one in places.values()}) < len(places):
            raise _refuse("second_id", _("Choose each resource once."))
        for key, one in places.items():
            if record.closure:
                continue
            if not one.active or one.deleted_at is not None:
                raise _refuse(key, _("“%(name)s” can't be booked at present; choose another.", name=one.name))
            if one.calendar_id is None:
                continue
            hours = business_hours(self.session, one.calendar_id)
            if not hours.covers(record.from_at, record.to_at):
                raise _refuse("from_at", _("“%(name)s” is not open at this time.", name=one.name))

    def _check_free(self, record: Booking, places: Mapping[str, Resource]) -> None:
        spans = self._spans(record, places)
        with self.session.no_autoflush:
            clashes.lock(self.session, (span[0] for span in spans), record.member_id)
            found = clashes.of_resources(self.session, spans, record.id) or self._clash_here(record, spans)
            if found is not None:
                key, one = next((key, one) for key, one in places.items() if one.id == found.holder_id)
                raise _refuse(key, found.sentence(f"“{one.name}”"))
            busy = clashes.of_member(self.session, record) if record.member_id else None
            if busy is not None:  # The name, too, is asked for before the database sees what it would refuse.
                raise _refuse("member_id", busy.sentence(self._member_name(record.member_id)))
        self._taken += [(record.id, span) for span in spans]

    def _clash_here(self, record: Booking, spans: Sequence[Span]) -> clashes.Clash | None:
        """Return what of the same batch, not yet in the database, is in the way."""
        for resource_id, begins, ends in spans:
            for other, (held, from_at, to_at) in self._taken:
                if other != record.id and held == resource_id and from_at < ends and to_at > begins:
                    return clashes.Clash(holder_id=held, name="", begins_at=from_at, ends_at=to_at)
        return None

    # What is booked ---------------------------------------------------------------------

    def _resource(self, resource_id: uuid.UUID | None) -> Resource | None:
        if resource_id is None:
            return None
        if resource_id not in self._known:
            with self.session.no_autoflush:
                found = self.session.execute(select(Resource).where(Resource.id == resource_id)).scalar()
            if found is None:
                return None
            self._known[resource_id] = found
        return self._known[resource_id]

    def _places(self, record: Booking) -> dict[str, Resource]:
        found = {key: self._resource(getattr(record, key)) for key in PLACES}
        return {key: one for key, one in found.items() if one is not None}

    @staticmethod
    def _margins(one: Resource) -> tuple[dt.timedelta, dt.timedelta]:
        return dt.timedelta(minutes=one.before_minutes), dt.timedelta(minutes=one.after_minutes)

    def _spans(self, record: Booking, places: Mapping[str, Resource]) -> list[Span]:
        found = []
        for one in places.values():
            before, after = (dt.timedelta(), dt.timedelta()) if record.closure else self._margins(one)
            found.append((one.id, record.from_at - before, record.to_at + after))
        return sorted(found)

    def _member_name(self, member_id: uuid.UUID | None) -> str:
        table = metadata.tables["members"]
        statement = select(table.c.name).where(table.c.tenant_id == self.tenant.id, table.c.id == member_id)
        return str(self.session.execute(statement).scalar() or "")

    # What follows -----------------------------------------------------------------------

    def saved(self, records: Sequence[Booking], action: str) -> None:
        """Hold the resources in the database, which refuses what two writers would share.

        :raises Conflict: when what a plugin has handed out is put into the trash.
        """
        if action == "trashed" and not self.session.info.get("undoing"):
            for one in records:
                if one.state == "out" and one.plugin in hooks.enabled():
                    raise Conflict(
                        _("“%(name)s” is handed out. Take it back on its own page first.", name=one.name)
                    )
        rows = [
            {
                "id": new_id(),
                "tenant_id": self.tenant.id,
                "booking_id": record.id,
                "resource_id": resource_id,
                "begins_at": begins_at,
                "ends_at": ends_at,
                "living": True,
            }
            for record in records
            if is_living(record)
            for resource_id, begins_at, ends_at in self._spans(record, self._places(record))
        ]
        old = delete(BookingLine).where(
            BookingLine.tenant_id == self.tenant.id, BookingLine.booking_id.in_([one.id for one in records])
        )
        with self.session.no_autoflush, self._one_at_a_time():
            if action != "created":
                self.session.execute(old, execution_options={"synchronize_session": False})
            if rows:
                self.session.execute(insert(BookingLine), rows)

    def _flush(self) -> None:
        with self._one_at_a_time():
            super()._flush()

    def _one_at_a_time(self) -> Any:
        return _Taken()

    def restore(self, record_id: object) -> Booking:
        """Take a booking out of the trash, unless somebody else has its time."""
        record = self.get(record_id, action="delete", trashed=True, lock=True)
        if record.state in LIVING:
            self._check_free(record, self._places(record))
        return super().restore(record_id)

    def search_texts(self, record: Booking) -> Iterable[tuple[str, str]]:
        """Find a booking by what it is for."""
        yield "name", record.name

    def of(self, kind: str, record_id: uuid.UUID, limit: int = 20) -> Sequence[Booking]:
        """Return the bookings of a customer or deal that the actor may see, the latest first.

        :param kind: customers or deals.
        """
        column = {"customers": Booking.customer_id, "deals": Booking.deal_id}[kind]
        reach = self.actor.require("bookings:read")
        statement = select(Booking).where(
            column == record_id,
            Booking.deleted_at.is_(None),
            scoping.condition(self.type, Booking, self.actor, reach),
        )
        return (
            self.session.execute(statement.order_by(Booking.from_at.desc(), Booking.id).limit(limit))
            .scalars()
            .all()
        )

    # Steps ------------------------------------------------------------------------------

    def step(self, record_id: object, state: str) -> Booking:
        """Bring a booking into its next state: out, back, no_show, cancelled.

        :raises Conflict: when it is in a state that allows no such step.
        """
        record = self.get(record_id, action="write", lock=True)
        if state not in STEPS.get(record.state, ()):
            raise Conflict(_("This can't follow on the present state; load the page again."))
        try:
            self._change(record, {"state": state})
        except InvalidInput as error:
            self.session.refresh(record)
            raise Conflict(error.fields["state"][0] if "state" in error.fields else error.message) from error
        return record


class _Taken:
    """Turns the database's refusal of a double booking into words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", "") == "23P01":
            raise Conflict(
                _("Somebody else took this time at the same moment. Load the page again to see what is free.")
            ) from error
