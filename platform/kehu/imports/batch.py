"""Writes a batch of rows through the record's own service: finds, creates, updates, reports."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.records.fields import FieldError
from kehu.core.records.kinds import load_value
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import RecordType
from kehu.imports.files import Row
from kehu.imports.keys import KeyIndex, MatchKey, match_keys, value_of
from kehu.imports.leaving import Leaver, may_leave
from kehu.imports.linking import Linker, unknown
from kehu.imports.mapping import Plan
from kehu.imports.references import squeeze
from kehu.imports.rows import DATES, Planned, Result, RowParser
from kehu.imports.rules import apply_rules, compose_title
from kehu.imports.targets import LISTS, may_clear
from kehu.imports.waves import Waves

MOST_SEEN: Final = 300_000
"""Keys that a dry run remembers, to tell a repeated row from a new one; beyond, repeated rows count as new."""


class BatchWriter:
    """Writes rows of one file.

    :param dry: the caller rolls back; what earlier batches would have made is remembered here.
    """

    def __init__(self, record_type: RecordType, plan: Plan, actor: context.Actor, *, dry: bool) -> None:
        self.type, self.plan, self.actor, self.dry = record_type, plan, actor, dry
        self.tenant = context.tenant()
        self.parser = RowParser(record_type, plan, self.tenant.tz)
        self.linker = Linker(record_type, plan, actor, self.parser)
        known = {key.name: key for key in match_keys(record_type)}
        self.keys: list[MatchKey] = [key for name, key in known.items() if name in plan.keys]
        # A title that the product makes itself is as good as mapped.
        self.title_mapped = (
            record_type.title in self.parser.first_column or record_type.title not in record_type.editable
        )
        self.leaver = (
            Leaver(record_type, self.parser) if plan.bad == "leave" and may_leave(record_type) else None
        )
        self._seen: set[int] = set()
        self._titles_seen: set[int] = set()
        self._fresh: set[int] = set()
        self.result = Result()
        self.titles: dict[int, str] = {}
        """Row of the present batch -> what it calls its record."""

    def write(
        self,
        session: Session,
        rows: Sequence[Row],
        *,
        links: Mapping[str, BatchWriter] | None = None,
        sparse: bool = False,
    ) -> Result:
        """Write rows and say what became of them.

        :param links: field -> the writer that wrote what it points at, from the same rows.
        :param sparse: rows that say nothing of this type are passed over.
        """
        result = self.result = Result()
        self._fresh.clear()
        service = service_for(self.type.name, session, self.actor)
        planned = self._parsed(service, rows)
        if sparse:
            planned = [row for row in planned if row.values or row.names or row.errors or row.number]
        titles = self.linker.link(session, planned, result)
        if self.linker.shaped:
            service = service_for(self.type.name, session, self.actor)  # It knows the new options.
        for key, other in (links or {}).items():
            self._point(session, planned, key, other, titles)
        ready = []
        for row in planned:
            if not row.errors:
                self._complete(row, titles.get(row.row.number, {}))
                self._read_keys(service, row)
            if row.errors:
                result.refused.append(row)
            else:
                ready.append(row)
                result.left.update((column, cell[:200]) for column, cell in row.left.items())
        self.titles = {row.row.number: str(row.values.get(self.type.title) or "") for row in ready}
        index = KeyIndex(self.type, self.keys, self.actor)
        index.fill(session, [row.keys for row in ready])
        Waves(self, session, service, index, result).run(ready)
        return result

    def _point(
        self,
        session: Session,
        rows: Sequence[Planned],
        key: str,
        other: BatchWriter,
        titles: dict[int, dict[str, str]],
    ) -> None:
        """Point rows at the records that another writer made or found for them."""
        seen: dict[Any, bool] = session.info.setdefault("visible", {})
        for row in rows:
            record_id = other.result.records.get(row.row.number)
            if record_id is not None:
                row.values[key] = record_id
                seen[other.type.name, record_id, self.actor.member_id] = True
                if other.titles.get(row.row.number):
                    titles.setdefault(row.row.number, {})[key] = other.titles[row.row.number]

    def _parsed(self, service: RecordService[Any], rows: Sequence[Row]) -> list[Planned]:
        planned = [self.parser.parse(row) for row in rows]
        if self.leaver is not None:
            ctx = service.load_context({}, None)
            for row in planned:
                self.leaver.unread(row)
                self.leaver.unfit(row, ctx)
        return planned

    def _complete(self, row: Planned, titles: Mapping[str, str]) -> None:
        if not self.title_mapped and not row.values.get(self.type.title):
            title = compose_title(self.type, row.values, titles)
            if title:
                row.values[self.type.title] = title
        if (
            self.parser.parent
            and self.dry
            and row.values.get(self.type.title)
            and len(self._titles_seen) < MOST_SEEN
        ):
            self._titles_seen.add(hash(squeeze(str(row.values[self.type.title]))))

    def _read_keys(self, service: RecordService[Any], row: Planned) -> None:
        """Read what the row says for each key, in compared form."""
        loaded: dict[str, Any] = {}
        ctx = service.load_context({}, None)
        for key in self.keys:
            for name in key.fields:
                raw = row.number if name == "number" else row.values.get(name)
                if name in loaded or raw is None or raw == "":
                    continue
                try:
                    loaded[name] = load_value(self.type.by_key[name], raw, ctx)
                except FieldError as error:
                    row.errors.update(self.parser.place({name: [str(error)]}))
        row.keys = {key.name: value_of(self.type, key, loaded) for key in self.keys}

    # Values ----------------------------------------------------------------------------

    def values_for_new(self, service: RecordService[Any], row: Planned) -> dict[str, Any]:
        """Return what a new record gets: empty cells of dates stay empty instead of becoming today."""
        values = dict(row.values)
        for key in row.blank:
            if self.type.by_key[key].kind in DATES and not self.type.by_key[key].readonly:
                values.setdefault(key, None)
        owner = self.type.owner
        if owner and owner not in values and self.plan.owner != "me":
            values[owner] = self.plan.owner or None
        apply_rules(service, self.plan, values, new=True)
        if self.leaver is not None:
            self.leaver.keep(row, values)
        return values

    def values_for_known(self, service: RecordService[Any], row: Planned, record: Any) -> dict[str, Any]:
        """Return what changes in a record: empty cells leave it as it is unless they clear, lists only grow."""
        values = dict(row.values)
        if not self.title_mapped:
            values.pop(self.type.title, None)
        ctx = service.load_context(values, record)
        for key in [key for key in values if self.type.by_key[key].kind in LISTS]:
            try:
                given = load_value(self.type.by_key[key], values[key], ctx)
            except FieldError:
                continue  # The service says the same in its own report.
            values[key] = _grown(list(getattr(record, key) or []), given)
        if self.plan.empty == "clear":
            values.update((key, None) for key in row.blank if may_clear(self.type, key))
        apply_rules(service, self.plan, values, new=False)
        return values

    # Repeated rows of a dry run --------------------------------------------------------

    def seen_before(self, row: Planned) -> bool:
        """Tell whether an earlier batch of the dry run would have made this row's record."""
        return self.dry and any(hash(mark) in self._seen for mark in row.keys.items() if mark[1])

    def remember(self, row: Planned) -> None:
        """Remember a row that would have made a record."""
        if self.dry and len(self._seen) < MOST_SEEN:
            fresh = {hash(mark) for mark in row.keys.items() if mark[1]} - self._seen
            self._fresh |= fresh
            self._seen |= fresh

    def forget_batch(self) -> None:
        """Forget what the present batch would have made: it is written anew."""
        self._seen -= self._fresh
        self._fresh.clear()

    # Parents ---------------------------------------------------------------------------

    def link_parents(
        self, session: Session, rows: Sequence[Row], skip: set[int]
    ) -> tuple[Result, list[uuid.UUID]]:
        """Second pass: point records at the records of the same file that they belong to.

        :param skip: numbers of rows that were refused before.
        :returns: what was refused, and the records that changed.
        """
        result = Result()
        key = self.parser.parent
        spec = self.type.by_key[key]
        service = service_for(self.type.name, session, self.actor)
        planned = self._parsed(service, [row for row in rows if row.number not in skip])
        planned = [row for row in planned if not row.errors and key in row.names]
        for row in planned:
            self._complete(row, {})
            self._read_keys(service, row)
        texts = {row.names[key] for row in planned}
        if self.dry:
            texts = {text for text in texts if hash(squeeze(text)) not in self._titles_seen}
        self.linker.find(session, spec, self.type.name, texts, result)
        index = KeyIndex(self.type, self.keys, self.actor)
        index.fill(session, [row.keys for row in planned])
        changes: dict[uuid.UUID, dict[str, Any]] = {}
        by_id: dict[uuid.UUID, Planned] = {}
        column = self.parser.first_column[key]
        for row in planned:
            text = row.names[key]
            if self.dry and text not in texts:
                continue
            hit = self.linker.references.hit(self.type.name, text)
            if hit.record_id is None:
                if hit.problem or self.plan.missing.get(key) != "empty":
                    row.errors[str(column)] = hit.problem or unknown(spec, text)
                    result.refused.append(row)
                continue
            self.linker.note_repair(result, column, text, hit)
            found, _by = index.find(row.keys)
            if len(found) == 1 and found[0] not in index.taken and self.plan.mode != "create":
                changes[found[0]], by_id[found[0]] = {key: hit.record_id}, row
        self.linker.references.trust(session)
        changed = []
        for record_id, outcome in (service.update_many(changes) if changes and not self.dry else {}).items():
            if outcome.errors:
                by_id[record_id].errors = self.parser.place(outcome.errors)
                result.refused.append(by_id[record_id])
            elif outcome.changed:
                changed.append(record_id)
        return result, changed


def _grown(present: list[Any], given: list[Any]) -> list[Any]:
    """Return a list with what is new put behind; labels don't make an entry another one."""

    def core(entry: Any) -> Any:
        return (
            tuple(
                sorted(
                    (key, str(value).casefold()) for key, value in entry.items() if key != "label" and value
                )
            )
            if isinstance(entry, dict)
            else str(entry).casefold()
        )

    known = {core(entry) for entry in present}
    return present + [entry for entry in given if core(entry) not in known]
