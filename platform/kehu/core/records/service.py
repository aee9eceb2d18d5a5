"""The service that every record type shares: create, update, trash, restore, in ones and in batches.

HTML, REST, import, undo and plugins all write through here; a feature subclasses it for its own rules.
Services commit nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from kehu.core import audit, bulk, clock, context, events, search
from kehu.core.errors import Conflict, Forbidden, InvalidInput, KehuError, Moved, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id, parse_id
from kehu.core.records import codes, guards, moved, own_values, rights, stale
from kehu.core.records import scope as scoping
from kehu.core.records.fields import FieldError, LoadContext
from kehu.core.records.kinds import dump_value, load_value
from kehu.core.records.own_values import OwnValues
from kehu.core.records.types import RecordType, followers_of, unrestricted
from kehu.core.records.types import get as get_type
from kehu.core.tables import RecordRow

M = TypeVar("M", bound=RecordRow)

_ASKED = frozenset({"member", "api", "import"})
"""Kinds of actors who must give the firm's own required fields."""


@dataclass
class Outcome(Generic[M]):
    """What became of one row of a batch: the record, or why it was refused (messages by field key).

    A batch does not raise for a row that is refused: look at `errors` of each.
    """

    record: M | None = None
    errors: dict[str, list[str]] = field(default_factory=dict)
    changed: bool = False


class RecordService(Generic[M]):
    """Write records of one type, checked for rights, audited, searchable and undoable.

    :param session: the unit of work.
    :param actor: who acts; the context's actor by default.
    """

    type_name: ClassVar[str]

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()
        self.tenant = context.tenant()
        self.type: RecordType = unrestricted(self.type_name)
        self.own = OwnValues(session, self.type)

    # What a feature may say differently -------------------------------------------------

    def defaults(self) -> dict[str, Any]:
        """Return values of a new record that nobody gave."""
        return {self.type.owner: self.actor.member_id} if self.type.owner else {}

    def prepare(self, record: M, changed: set[str]) -> None:
        """Derive columns (normalised names, sums) before a record is written; `changed` holds field keys."""

    def prepare_new(self, records: Sequence[M]) -> None:
        """Give new records what must be taken for all at once (numbers)."""

    def check(self, record: M, changed: set[str]) -> None:
        """Refuse a state that the fields alone can't see.

        :raises InvalidInput: names the field and the remedy.
        """

    def saved(self, records: Sequence[M], action: str) -> None:
        """Do what follows from a write (stage history, linked rows), in the same transaction."""

    def undone(self, record: M, changes: Mapping[str, list[Any]]) -> None:
        """Put back what the fields of an undone change don't hold (the place of a card)."""

    def search_texts(self, record: M) -> Iterable[tuple[str, str]]:
        """Return what a record is found by: (how, text); how is name, text, email, phone, code, serial or tag."""
        yield "name", str(getattr(record, self.type.title) or "")

    def title_of(self, record: M) -> str:
        """Return what people call the record."""
        return str(getattr(record, self.type.title) or "")

    # Reading ---------------------------------------------------------------------------

    def get(self, record_id: object, *, action: str = "read", trashed: bool = False, lock: bool = False) -> M:
        """Return one record within the actor's scope.

        :param action: the permission that is needed: read, write, delete …
        :raises NotFound: when it does not exist, is in the trash (or is not, for `trashed`), or may not be seen.
        :raises Forbidden: when it may be seen, but not acted on.
        """
        found_id = parse_id(record_id)
        reach = self.actor.require(f"{self.type.name}:{action}")
        record = self._find(found_id, trashed=trashed, lock=lock) if found_id else None
        if record is None and found_id is not None and not trashed:
            self._follow(found_id)
        if record is None or not scoping.within(
            self.type, record, self.actor, self._read_scope(), self.session
        ):
            raise NotFound(_("This %(thing)s does not exist or is in the trash.", thing=self.type.label))
        if not scoping.within(self.type, record, self.actor, reach, self.session):
            raise Forbidden(
                _(
                    "This %(thing)s belongs to somebody else; your role allows only your own.",
                    thing=self.type.label,
                )
            )
        return record

    def _follow(self, record_id: uuid.UUID) -> None:
        """Say where a merged record went, to who may see it there."""
        now_id = moved.successor(self.session, self.type.name, record_id)
        if now_id is not None and scoping.visible(self.session, self.type, now_id, self.actor):
            raise Moved(
                _("This %(thing)s was merged into another one; open that.", thing=self.type.label),
                old_id=record_id,
                new_id=now_id,
            )

    def _read_scope(self) -> context.Scope:
        return self.actor.require(f"{self.type.name}:read")

    def _find(self, record_id: uuid.UUID, *, trashed: bool, lock: bool) -> M | None:
        model: Any = self.type.model
        statement = select(model).where(model.id == record_id)
        statement = statement.where(model.deleted_at.is_not(None) if trashed else model.deleted_at.is_(None))
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        found: M | None = self.session.execute(statement).scalar_one_or_none()
        return found

    # Writing ---------------------------------------------------------------------------

    def create(self, values: Mapping[str, Any]) -> M:
        """Create one record.

        :raises InvalidInput: names each field that is wrong.
        """
        outcome = self.create_many([values])[0]
        if outcome.record is None:
            raise InvalidInput(_("Some fields need another value."), fields=outcome.errors)
        return outcome.record

    def create_many(self, rows: Sequence[Mapping[str, Any]]) -> list[Outcome[M]]:
        """Create records in one go; rows that are wrong are reported and left out."""
        self.actor.require(f"{self.type.name}:write")
        outcomes: list[Outcome[M]] = []
        for values in rows:
            outcome: Outcome[M] = Outcome()
            outcomes.append(outcome)
            loaded, outcome.errors = self.load(values, new=True)
            if outcome.errors:
                continue
            model: Any = self.type.model
            record: M = model(
                id=new_id(),
                tenant_id=self.tenant.id,
                version=1,
                created_by=self.actor.member_id,
                updated_by=self.actor.member_id,
            )
            for key, value in {**self._field_defaults(), **self.defaults(), **loaded}.items():
                setattr(record, key, value)
            try:
                self._own(record)
                self.prepare(record, set(loaded))
                self.own.reckon(record)
                self.check(record, set(loaded))
                guards.ask(self, record, None)
            except InvalidInput as error:
                outcome.errors = error.fields or {"": [error.message]}
                continue
            outcome.record, outcome.changed = record, True
        codes.settle(self, outcomes)
        self.own.settle(outcomes)
        made = [outcome.record for outcome in outcomes if outcome.record is not None]
        if made:
            self.prepare_new(made)
            self.own.reckon(*made)  # Again, by the numbers that they got.
            bulk.insert_records(self.session, made)
            with audit.gathered(self.session):
                self.saved(made, "created")
                for record in made:
                    self._trail(record, "created", self._initial(record))
            self._index(made, new=True)
        return outcomes

    def update(self, record_id: object, values: Mapping[str, Any], *, version: int | None = None) -> M:
        """Change some fields of a record.

        :param version: the version that the person saw; a newer one in the database refuses the write.
        :raises StaleVersion: says who changed what in the meantime.
        :raises InvalidInput: names each field that is wrong.
        """
        record = self.get(record_id, action="write", lock=True)
        loaded, errors = self.load(values, new=False, record=record)
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        if version is not None and record.version != version:
            raise stale.stale_error(self.session, self.type, record, loaded, version)
        self._change(record, loaded)
        return record

    def update_many(self, changes: Mapping[uuid.UUID, Mapping[str, Any]]) -> dict[uuid.UUID, Outcome[M]]:
        """Change many records; each is reported, none takes the others with it."""
        reach = self.actor.require(f"{self.type.name}:write")
        model: Any = self.type.model
        statement = (
            select(model).where(model.id.in_(list(changes)), model.deleted_at.is_(None)).with_for_update()
        )
        found = {one.id: one for one in self.session.execute(statement).scalars()}
        outcomes: dict[uuid.UUID, Outcome[M]] = {}
        with audit.gathered(self.session):
            for record_id, values in changes.items():
                outcomes[record_id] = self._change_one(found.get(record_id), values, reach)
        self._flush()
        self._index([one.record for one in outcomes.values() if one.changed and one.record is not None])
        return outcomes

    def _change_one(self, record: M | None, values: Mapping[str, Any], reach: context.Scope) -> Outcome[M]:
        if record is None or not scoping.within(self.type, record, self.actor, reach, self.session):
            return Outcome(errors={"": [_("This record does not exist, or you may not change it.")]})
        loaded, errors = self.load(values, new=False, record=record)
        if errors:
            return Outcome(errors=errors)
        try:
            return Outcome(record=record, changed=self._change(record, loaded, flush=False))
        except InvalidInput as error:
            self.session.refresh(record)
            return Outcome(errors=error.fields or {"": [error.message]})

    def trash(self, record_id: object, *, version: int | None = None) -> M:
        """Put a record into the trash, from where it can be restored."""
        record = self.get(record_id, action="delete", lock=True)
        if version is not None and record.version != version:
            raise stale.stale_error(self.session, self.type, record, {}, version)
        self._trash(record)
        return record

    def trash_many(self, record_ids: Sequence[uuid.UUID]) -> int:
        """Put many records into the trash and return how many; those out of scope stay."""
        return len(self.trash_all(record_ids))

    def trash_all(self, record_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """Put many records into the trash at once and return which; those out of scope stay."""
        reach = self.actor.require(f"{self.type.name}:delete")
        model: Any = self.type.model
        statement = (
            select(model).where(model.id.in_(record_ids), model.deleted_at.is_(None)).with_for_update()
        )
        found: list[M] = [
            record
            for record in self.session.execute(statement).scalars()
            if scoping.within(self.type, record, self.actor, reach, self.session)
        ]
        if found:
            self._trash(*found)
        return [record.id for record in found]

    def restore(self, record_id: object) -> M:
        """Take a record out of the trash.

        :raises Conflict: when it lies there because it was merged into another.
        """
        record = self.get(record_id, action="delete", trashed=True, lock=True)
        if moved.successor(self.session, self.type.name, record.id) is not None:
            name = self.title_of(record)
            raise Conflict(_("“%(name)s” was merged into another record; undo the merge there.", name=name))
        record.deleted_at, record.deleted_by = None, None
        self.own.reckon(record)
        self._stamp(record)
        self._flush()
        self._restored(record)
        return record

    def _restored(self, record: M) -> None:
        self.own.refuse_taken(record)
        self.saved([record], "restored")
        for follower in self._followers():
            follower.restore_with(record.id)
        self._trail(record, "restored", {})
        self._index([record], whole=True)

    def _followers(self) -> list[Any]:
        """Return the services of what goes into the trash and back with records of this type."""
        return [service_for(one.name, self.session, self.actor) for one in followers_of(self.type.name)]

    # Parts -----------------------------------------------------------------------------

    def load(
        self, values: Mapping[str, Any], *, new: bool, record: M | None = None
    ) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """Read given values by their fields.

        :returns: the values by key, and the messages by key of those that are wrong.
        """
        ctx, editable = self.load_context(values, record), rights.editable(self.type)
        loaded: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for key, raw in values.items():
            spec = editable.get(key)
            if spec is None:
                errors[key] = [rights.refusal(self.type, key) or self.own.unsettable(key)]
                continue
            try:
                loaded[key] = load_value(spec, raw, ctx)
            except FieldError as error:
                errors[key] = [str(error)]
        for key, spec in editable.items():
            if not spec.required or key in errors or (not new and key not in loaded):
                continue
            if spec.own is not None and self.actor.kind not in _ASKED:
                continue  # Mail that arrives must not be lost for a question that nobody was asked.
            if loaded.get(key) in (None, "", []) and not (
                new and spec.default is not None and key not in loaded
            ):
                errors[key] = [_("%(label)s is needed.", label=spec.label)]
        self._check_refs(loaded, errors, record)
        return loaded, errors

    def load_context(self, values: Mapping[str, Any], record: M | None) -> LoadContext:
        """Return what reading depends on: country, currency, zone."""
        currency = values.get("currency") or getattr(record, "currency", None) or self.tenant.currency
        return LoadContext(country=self.tenant.country, currency=str(currency), zone=self.tenant.tz)

    def _check_refs(self, loaded: dict[str, Any], errors: dict[str, list[str]], record: M | None) -> None:
        """Refuse new references to records that the actor may not see or that do not exist.

        One that stands already may stay, whether or not he sees where it leads.
        """
        for key in [key for key in loaded if loaded[key] is not None]:
            spec = self.type.by_key[key]
            if record is not None and loaded[key] == getattr(record, key):
                continue
            if spec.kind == "member" and loaded[key] != self.actor.member_id:
                known = scoping.member_exists(self.session, loaded[key])
            elif spec.kind == "ref":
                known = scoping.visible(self.session, get_type(spec.ref), loaded[key], self.actor)
            else:
                continue
            if not known:
                errors[key] = [_("Choose one from the list.")]
                del loaded[key]

    def _field_defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, spec in self.type.editable.items():
            if spec.default is not None:
                found[key] = spec.default() if callable(spec.default) else spec.default
                if spec.own is not None:
                    found[key] = own_values.default(spec, self.load_context({}, None))
        return found

    def _own(self, record: M) -> None:
        reach = self.actor.require(f"{self.type.name}:write")
        if not scoping.within(self.type, record, self.actor, reach, self.session):
            message = _("Your role lets you add records only for yourself.")
            raise InvalidInput(message, fields={self.type.owner: [message]})

    def _change(self, record: M, loaded: Mapping[str, Any], *, flush: bool = True) -> bool:
        before = {key: getattr(record, key) for key in loaded}
        changed = {key for key, value in loaded.items() if value != before[key]}
        if not changed:
            return False
        for key in changed:
            setattr(record, key, loaded[key])
        self.prepare(record, changed)
        self.own.reckon(record)
        self.check(record, changed)
        codes.recheck(self, record, changed)
        guards.ask(self, record, {key: before.get(key) for key in changed})
        self.own.note(record, changed)
        self._stamp(record)
        if flush:
            self._flush()
        self.saved([record], "updated")
        # A record that was handed out of one's scope is legal; the trail says who did it.
        fields = self.type.by_key
        self._trail(
            record,
            "updated",
            {
                key: [dump_value(fields[key], before[key]), dump_value(fields[key], getattr(record, key))]
                for key in changed
            },
            version=record.version if flush else record.version + 1,
        )
        if flush:
            self._index([record])
        return True

    def _index(self, records: Sequence[M], *, new: bool = False, whole: bool = False) -> None:
        """Write search terms, and the index rows of the firm's own fields: of what changed, or `whole`."""
        if records:
            texts = {one.id: tuple(self.found_by(one)) for one in records}
            search.index(self.session, self.type.name, texts, new=new)
            self.own.index(records, new=new, whole=whole)

    def found_by(self, record: M) -> Iterable[tuple[str, str]]:
        """Yield all texts by which a record is found: those of its kind, its code, the firm's own fields."""
        yield from self.search_texts(record)
        if self.type.coded and (code := getattr(record, self.type.coded)):
            yield "code", code
        yield from self.own.search_texts(record)

    def reindex(self, at_once: int = 500) -> None:
        """Write the search terms and index rows of all records that are not in the trash, which must have none yet.

        The session forgets what it has loaded.
        """
        self.session.flush()
        model, last = self.type.model, None
        while True:
            statement: Any = select(model).where(model.deleted_at.is_(None)).order_by(model.id).limit(at_once)
            if last is not None:
                statement = statement.where(model.id > last)
            records = self.session.execute(statement).scalars().all()
            self._index(records, new=True)
            if len(records) < at_once:
                return
            last = records[-1].id
            self.session.expunge_all()

    def _trash(self, *records: M) -> None:
        for record in records:
            record.deleted_at, record.deleted_by = clock.now(), self.actor.member_id
            self._stamp(record)
        self._flush()
        with audit.gathered(self.session):
            self.saved(records, "trashed")
            for follower in self._followers():
                follower.trash_with([record.id for record in records])
            for record in records:
                self._trail(record, "trashed", {})
        ids = [record.id for record in records]
        search.forget(self.session, self.type.name, ids)
        self.own.forget(ids)
        self.own.tell(records)

    def _stamp(self, record: M) -> None:
        record.updated_at, record.updated_by = clock.now(), self.actor.member_id

    def _flush(self) -> None:
        # The row must be in the database before its search rows and for its new version.
        try:
            self.session.flush()
        except StaleDataError as error:
            raise Conflict(
                _("Somebody else changed this at the same moment. Load it again; nothing was overwritten.")
            ) from error

    def _initial(self, record: M) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for key, spec in self.type.editable.items():
            value = getattr(record, key)
            if value not in (None, "", [], False):
                found[key] = [None, dump_value(spec, value)]
        return found

    def _trail(
        self, record: M, action: str, changes: dict[str, list[Any]], *, version: int | None = None
    ) -> None:
        customer = getattr(record, self.type.customer) if self.type.customer else None
        audit.note(
            self.session,
            object=self.type.name,
            record_id=record.id,
            action=action,
            title=self.title_of(record),
            changes=changes,
            version=version if version is not None else record.version,
            customer_id=customer,
        )
        events.announce(self.session, f"{self.type.singular}.{action}")


def service_for(name: str, session: Session, actor: context.Actor | None = None) -> RecordService[Any]:
    """Return the service of a record type by its plural name."""
    found = get_type(name).service(session)
    if actor is not None:
        found.actor = actor
    return found


__all__ = ["KehuError", "Outcome", "RecordService", "service_for"]
