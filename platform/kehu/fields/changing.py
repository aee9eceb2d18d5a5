"""Changing what a field holds: tried first, done beside the old values, taken back by going to them again.

A change writes the new values into another slot, so the old ones stay as they were. What people write meanwhile goes
to the old slot and is brought over when the definition turns to the new one, and once more a while later.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from kehu.core import bulk, clock, context, jobs, search
from kehu.core.audit import AuditEntry
from kehu.core.db import tenant_id
from kehu.core.errors import Conflict, Forbidden, InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import own, own_index, rights, stale, undo
from kehu.core.records.fields import FieldError, LoadContext
from kehu.core.records.kinds import load_value
from kehu.core.records.own_tables import CustomField, CustomIndex
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.records.types import unrestricted
from kehu.fields import formulas, slots
from kehu.fields.converting import Converter, field_in, initial_in, next_state, state_of, text_of, why_not
from kehu.fields.kinds import LISTED, TONES
from kehu.fields.records import CUSTOM_FIELDS
from kehu.fields.services import FieldService, option_value
from kehu.rules.field_rights import FieldRuleService

TABLE: Final[Any] = CustomField.__table__
CHUNK: Final = 1_000
AT_ONCE: Final = 2_000
"""Up to so many values a change is done at once; more are done by a job."""
SHOWN: Final = 50
FOR: Final = dt.timedelta(days=90)
"""So long the way back stays open."""
MARGIN: Final = dt.timedelta(minutes=10)
LATER: Final = (dt.timedelta(minutes=1), dt.timedelta(minutes=20), dt.timedelta(hours=3))
"""When it is looked once more for what was written by who had not heard of the change: requests, jobs, long imports."""


@dataclass
class Wish:
    """What a field is to hold.

    :param moves: option that goes -> the one that takes its place; empty to take the value out.
    :param keep: values that can't be brought over go into a field of the old kind beside it.
    """

    kind: str
    options: list[dict[str, str]] = field(default_factory=list)
    moves: dict[str, str] = field(default_factory=dict)
    keep: bool = False


@dataclass
class Failing:
    """A value that can't be brought over."""

    record_id: uuid.UUID
    title: str
    value: str
    reason: str
    url: str


@dataclass
class Trial:
    """What a change would do; nothing is written."""

    total: int = 0
    converted: int = 0
    taken_out: int = 0
    failed: int = 0
    untouched: int = 0
    """Going back: values that nobody changed since, whose old ones come back."""
    failing: list[Failing] = field(default_factory=list)


class ChangeService(FieldService):
    """Change the kinds of own fields."""

    # Looking first ---------------------------------------------------------------------

    def wished(self, row: CustomField, wish: Wish) -> dict[str, Any]:
        """Return the state in which a wish puts a field, its slot still to be given.

        :raises InvalidInput: says why it can't be.
        """
        self.refuse_formula(row)
        if reason := why_not(row.kind, wish.kind):
            raise InvalidInput(reason, fields={"kind": [reason]})
        options: list[Any] = []
        if wish.kind in LISTED:
            try:
                options = load_value(CUSTOM_FIELDS.by_key["options"], wish.options, LoadContext())
            except FieldError as error:
                raise InvalidInput(str(error), fields={"options": [str(error)]}) from error
            if not options:
                message = _("Write the options, one in each line.")
                raise InvalidInput(message, fields={"options": [message]})
            taken = {one["value"] for one in options if one["value"]}
            for at, one in enumerate(options):
                one["value"] = one["value"] or option_value(one["label"], taken)
                taken.add(one["value"])
                one["tone"] = one["tone"] or TONES[at % len(TONES)]
            if any(to and to not in taken for to in wish.moves.values()):
                message = _("Values can only go to an option that stays.")
                raise InvalidInput(message, fields={"options": [message]})
        return next_state(row, wish.kind, "", options, self.tenant.currency)

    @staticmethod
    def refuse_formula(row: CustomField) -> None:
        """Refuse to change what a formula gives.

        :raises Conflict: for a formula.
        """
        if row.formula:
            raise Conflict(_("What a formula gives stays. Make another field and retire this one."))

    def converter(
        self,
        row: CustomField,
        old: Mapping[str, Any],
        new: Mapping[str, Any],
        moves: Mapping[str, str] | None = None,
        values: Sequence[Any] = (),
    ) -> Converter:
        """Return what turns values of one state into values of another.

        :param values: those that it will be asked about, of fields that point at records.
        """
        one, two = field_in(row, old), field_in(row, new)
        currency = str(new["currency"] or self.tenant.currency)
        ctx = LoadContext(country=self.tenant.country, currency=currency, zone=self.tenant.tz)
        return Converter(one, two, ctx, moves, slots.names(self.session, one, values))

    def trial(self, field_id: object, wish: Wish) -> Trial:
        """Say what would become of the values; writes nothing."""
        row = self.get(field_id, action="write")
        old, new = state_of(row), self.wished(row, wish)
        found, failing = Trial(), list[tuple[Any, str]]()
        tallied = list(slots.tally(self.session, row.object, row.slot))
        convert = self.converter(row, old, new, wish.moves, [kept for kept, _none, _count in tallied])
        for kept, _none, count in tallied:
            value, reason = convert(kept)
            found.total += count
            if reason:
                found.failed += count
                if len(failing) < SHOWN:
                    failing.append((kept, reason))
            elif value is None:
                found.taken_out += count
            else:
                found.converted += count
        found.failing = self._failing(row, row.slot, convert, failing)
        return found

    def _failing(
        self, row: CustomField, slot: str, convert: Converter, failing: Sequence[tuple[Any, str]]
    ) -> list[Failing]:
        record_type = get_type(row.object)
        if not failing or row.key not in record_type.by_key:
            return []  # A field that the actor may not see shows him no values here either.
        reasons = {repr(kept): reason for kept, reason in failing}
        bearers = slots.bearers(self.session, row.object, slot, [kept for kept, _reason in failing], SHOWN)
        return [
            Failing(one, title, text_of(convert.old, kept), reasons[repr(kept)], record_type.url(one))
            for one, title, kept in bearers
        ]

    def proposed(self, row: CustomField, most: int = 40) -> list[dict[str, str]]:
        """Return the options that a list would have: those there are, or the different values when these are few."""
        if row.kind in LISTED:
            return [dict(one) for one in row.options]
        if row.kind in ("member", "ref") or row.key not in get_type(row.object).by_key:
            return []  # A field that the actor may not see shows him no values here either.
        spec = field_in(row, state_of(row))
        found: dict[str, Counter[str]] = {}
        for kept, _none, count in slots.tally(self.session, row.object, row.slot):
            label = text_of(spec, kept)[:80]
            found.setdefault(label.casefold(), Counter())[label] += count
            if len(found) > most:
                return []
        order = sorted(found.values(), key=lambda one: -one.total())
        # Of “Oak” and “oak” the more frequent one, or the one with the capital.
        best = [max(one.items(), key=lambda item: (item[1], item[0] != item[0].lower()))[0] for one in order]
        return [{"value": "", "label": label, "tone": ""} for label in best if label.strip()]

    def way_back(self, row: CustomField) -> dict[str, Any] | None:
        """Return the state to which a field can go back, or None."""
        for entry in row.former or ():
            if clock.now() - dt.datetime.fromisoformat(entry["at"]) <= FOR:
                return dict(entry)
            break
        return None

    def back_trial(self, field_id: object) -> Trial:
        """Say what going back would do to values that were entered since; writes nothing."""
        row = self.get(field_id, action="write")
        entry = self._entry(row)
        found, failing = Trial(), list[tuple[Any, str]]()
        tallied = list(slots.tally(self.session, row.object, row.slot, entry["slot"]))
        there = self.converter(row, entry, state_of(row), entry["moves"], [old for _now, old, _n in tallied])
        back = self.converter(row, state_of(row), entry, None, [now for now, _old, _n in tallied])
        for now, old, count in tallied:
            found.total += count
            if there(old)[0] == now:
                found.untouched += count
            elif now is None:
                found.taken_out += count
            elif reason := back(now)[1]:
                found.failed += count
                if len(failing) < SHOWN:
                    failing.append((now, reason))
            else:
                found.converted += count
        found.failing = self._failing(row, row.slot, back, failing)
        return found

    def _entry(self, row: CustomField) -> dict[str, Any]:
        entry = self.way_back(row)
        if entry is None:
            raise Conflict(_("There is nothing to go back to: it held nothing else within the last 90 days."))
        return entry

    # Doing it --------------------------------------------------------------------------

    def start(self, field_id: object, wish: Wish, *, version: int | None = None) -> CustomField:
        """Change what a field holds: at once where few values are there, else by a job.

        :raises StaleVersion: when somebody else changed the field meanwhile.
        :raises Conflict: while another change of it is under way.
        """
        row = self._free(field_id, version)
        new = self.wished(row, wish)
        new["slot"] = f"{row.key}~{new_id().hex[-8:]}"
        more: dict[str, Any] = {"moves": wish.moves, "back": False}
        if wish.keep:
            beside = self._beside(row)
            more |= {"beside": beside.slot, "beside_id": str(beside.id)}
        return self._begin(row, new, more)

    def go_back(self, field_id: object, *, version: int | None = None) -> CustomField:
        """Bring back what a field held before the last change of its kind, with the old values."""
        row = self._free(field_id, version)
        entry = self._entry(row)
        return self._begin(
            row, {key: entry[key] for key in state_of(row)}, {"moves": entry["moves"], "back": True}
        )

    def stop(self, field_id: object) -> CustomField:
        """Give up a change that is under way; the field is what it was."""
        if (row := self.get(field_id, action="write", lock=True)).changing:
            self.give_up(row)
            self._stamp(row)
            self._flush()
        return row

    @staticmethod
    def give_up(row: CustomField) -> None:
        """End a change without its outcome; what it wrote so far is taken out in the night, by `fields.forget`."""
        if not row.changing["back"]:
            long_ago = clock.now() - FOR - dt.timedelta(days=1)
            made = {**row.changing["state"], "moves": {}, "at": long_ago.isoformat(), "by": ""}
            row.former = [*(row.former or ()), made]
        row.changing = {}

    def _free(self, field_id: object, version: int | None) -> CustomField:
        row = self.get(field_id, action="write", lock=True)
        if version is not None and row.version != version:
            raise stale.stale_error(self.session, self.type, row, {}, version)
        if row.key in rights.closed(unrestricted(row.object)):
            raise Forbidden(_("Your role may not change “%(name)s”.", name=row.label))
        if row.changing:
            raise Conflict(_("This field is being changed already; wait until that is done, or stop it."))
        if row.state != "active":
            raise Conflict(_("This field is retired. Use it again first, then change it."))
        return row

    def _beside(self, row: CustomField) -> CustomField:
        """Add the field that takes the values which can't be brought over."""
        labels = {str(one.label).casefold() for one in get_type(row.object).fields}
        stem = _("%(name)s (former)", name=row.label[:60])
        label, number = stem, 1
        while label.casefold() in labels:
            number += 1
            label = f"{stem} {number}"
        values = {key: getattr(row, key) for key in ("object", "kind", "section", "options", "currency")}
        if row.target:
            values["target"] = row.target
        made = FieldService(self.session, self.actor).create({**values, "label": label, "in_list": False})
        # Who sees it and who changes it goes along: it holds the same values.
        FieldRuleService(self.session, context.SYSTEM).follow(row.object, row.key, made.key)
        return made

    def _begin(self, row: CustomField, new: dict[str, Any], more: dict[str, Any]) -> CustomField:
        total = slots.count(self.session, row.object, row.slot, *([new["slot"]] if more["back"] else ()))
        row.changing = {
            **more,
            "state": new,
            "token": new_id().hex,
            "started": clock.now().isoformat(),
            "done": 0,
            "total": total,
        }
        self._stamp(row)
        self._flush()
        if total > AT_ONCE:
            jobs.enqueue(
                self.session, "fields.change", field_id=str(row.id), token=row.changing["token"], after=""
            )
            return row
        after = None
        while True:
            last = self.part(row, after)
            if last is None:
                break
            after = last
        self.turn(row)
        return row

    def part(self, row: CustomField, after: uuid.UUID | None) -> uuid.UUID | None:
        """Bring over a part of the values; return the last record of it, or None when no more follow."""
        change = row.changing
        rows = slots.pairs(
            self.session, row.object, row.slot, change["state"]["slot"], after=after, limit=CHUNK
        )
        self._bring(row, rows)
        done = {**change, "done": change["done"] + len(rows)}
        # Past the version: who has the field's form open meanwhile is not told that somebody changed it.
        bulk.update_rows(self.session, TABLE, [{"id": row.id, "changing": done}])
        set_committed_value(row, "changing", done)
        return rows[-1].record_id if len(rows) == CHUNK else None

    def _bring(self, row: CustomField, rows: Sequence[slots.Pair]) -> None:
        change, old = row.changing, state_of(row)
        new, found = change["state"], dict[uuid.UUID, dict[str, Any]]()
        if change["back"]:
            there = self.converter(row, new, old, change["moves"], [one.two for one in rows])
            back = self.converter(row, old, new, None, [one.one for one in rows])
            for pair in rows:
                if there(pair.two)[0] == pair.one:
                    continue
                value, reason = back(pair.one)
                if not reason:
                    found[pair.record_id] = {new["slot"]: value}
        else:
            convert = self.converter(row, old, new, change["moves"], [one.one for one in rows])
            for pair in rows:
                value, reason = convert(pair.one)
                if value != pair.two:
                    found[pair.record_id] = {new["slot"]: value}
                if change.get("beside"):
                    left = pair.one if reason else None
                    found.setdefault(pair.record_id, {})[change["beside"]] = left
        slots.write(self.session, row.object, found)

    def turn(self, row: CustomField) -> None:
        """Let a field hold what was made ready, and bring over what was written meanwhile."""
        change, old = row.changing, state_of(row)
        new = dict(change["state"])
        since = dt.datetime.fromisoformat(change["started"]) - MARGIN
        after = None
        while True:
            rows = slots.pairs(
                self.session, row.object, row.slot, new["slot"], after=after, since=since, limit=CHUNK
            )
            self._bring(row, rows)
            if len(rows) < CHUNK:
                break
            after = rows[-1].record_id
        if not change["back"]:
            new["initial"] = initial_in(row, self.converter(row, old, new))
        moves = {} if change["back"] else change["moves"]
        entry = {**old, "moves": moves, "at": clock.now().isoformat(), "by": str(self.actor.member_id or "")}
        row.former = [entry, *(one for one in row.former or () if one["slot"] != new["slot"])]
        for key, value in new.items():
            setattr(row, key, value)
        row.changing = {}
        self._stamp(row)
        self._flush()
        changes = {key: [old[key], new[key]] for key in ("kind", "slot", "options") if old[key] != new[key]}
        self._trail(row, "converted", changes)
        self._turned(row, old["slot"], since, change)

    def _turned(self, row: CustomField, left: str, since: dt.datetime, change: Mapping[str, Any]) -> None:
        field_id, now = row.id, row.slot
        self.session.execute(
            delete(CustomIndex).where(CustomIndex.tenant_id == tenant_id(), CustomIndex.field_id == field_id),
            execution_options={"synchronize_session": False},
        )
        formulas.touched(self.session, row.object)
        self.saved([row], "converted")
        self.session.expire_all()  # What was read of records holds the places as they were.
        if change["total"] <= AT_ONCE:
            rows = slots.pairs(self.session, row.object, left, now, limit=2 * AT_ONCE)
            index_some(self.session, row, [one.record_id for one in rows])
        else:
            jobs.enqueue(self.session, "fields.index", field_id=str(field_id))
        if change.get("beside_id"):
            jobs.enqueue(self.session, "fields.index", field_id=change["beside_id"])
        for wait in LATER:
            jobs.enqueue(
                self.session,
                "fields.follow",
                wait=wait,
                field_id=str(field_id),
                left=left,
                now=now,
                since=since.isoformat(),
            )

    def follow(self, row: CustomField, left: str, since: dt.datetime) -> int:
        """Bring over what was written to the former place by who had not heard of the change; return how much."""
        entry = next((one for one in row.former or () if one["slot"] == left), None)
        if entry is None:
            return 0
        after, moved = None, 0
        while True:
            rows = slots.pairs(
                self.session, row.object, left, row.slot, after=after, since=since, limit=CHUNK
            )
            late = self._late(row, entry, rows, since)
            slots.write(self.session, row.object, late)
            self.session.expire_all()
            index_some(self.session, row, [one.record_id for one in rows])
            moved += len(late)
            if len(rows) < CHUNK:
                return moved
            after = rows[-1].record_id

    def _late(
        self, row: CustomField, entry: Mapping[str, Any], rows: Sequence[slots.Pair], since: dt.datetime
    ) -> dict[uuid.UUID, dict[str, Any]]:
        """Return what was last written to the former place: the trail says what the last writer left.

        Who wrote something else on a record that he had read before may have left the new place empty as well.
        """
        convert = self.converter(row, entry, state_of(row), entry["moves"], [one.one for one in rows])
        differs = {
            one.record_id: (one.one, value, one.two)
            for one in rows
            if (value := convert(one.one)[0]) != one.two
        }
        if not differs:
            return {}
        statement = (
            select(AuditEntry.record_id, AuditEntry.changes[row.key])
            .where(
                AuditEntry.object == row.object,
                bulk.among(AuditEntry.record_id, list(differs)),
                AuditEntry.at >= since,
                AuditEntry.changes.has_key(row.key),
            )
            .order_by(AuditEntry.id)
        )
        last = {record_id: pair[1] for record_id, pair in self.session.execute(statement)}
        return {
            record_id: {row.slot: value}
            for record_id, (kept, value, there) in differs.items()
            if (last[record_id] == kept if record_id in last else there is None)
        }


def index_some(session: Session, row: CustomField, record_ids: Sequence[uuid.UUID]) -> None:
    """Write the index rows of a field, and the search terms, of some records."""
    service = service_for(row.object, session)
    model: Any = service.type.model
    spec = own.field_from(row)
    for at in range(0, len(record_ids), CHUNK):
        wanted = bulk.among(model.id, record_ids[at : at + CHUNK])
        statement = select(model).where(model.deleted_at.is_(None), wanted)
        records = list(session.execute(statement).scalars())
        own_index.write(session, [spec], records)
        texts = {one.id: tuple(service.found_by(one)) for one in records}
        search.index(session, row.object, texts)


def _take_back(session: Session, entry: AuditEntry) -> None:
    """Undo: go back, unless the field was changed again."""
    row = session.execute(
        select(CustomField).where(CustomField.id == entry.record_id, CustomField.deleted_at.is_(None))
    ).scalar_one_or_none()
    if row is None or row.slot != entry.changes["slot"][1]:
        raise Conflict(_("“%(title)s” was changed since; nothing was overwritten.", title=entry.title))
    ChangeService(session).go_back(entry.record_id)


undo.register_action("converted", _take_back)
