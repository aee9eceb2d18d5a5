"""The names in a batch of rows become ids: options, records, members; some are made on the way."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.i18n import _
from kehu.core.records.fields import Field
from kehu.core.records.types import RecordType, get
from kehu.imports.mapping import NEW, SKIP, Plan, may_add, options_for, outcome_of, same_option
from kehu.imports.references import Hit, References
from kehu.imports.rows import Planned, Result, RowParser, distinct
from kehu.imports.shaping import add_option
from kehu.imports.targets import Target, is_list_of_values


class Linker:
    """Links rows to what they name, remembering it for the length of a job."""

    def __init__(self, record_type: RecordType, plan: Plan, actor: context.Actor, parser: RowParser) -> None:
        self.type, self.plan, self.actor, self.parser = record_type, plan, actor, parser
        self.references = References(actor, close_names=plan.close_names)
        self._options: dict[str, dict[str, str]] = {}
        self._added: list[tuple[str, str]] = []
        self.shaped = False
        """Whether fields got options with the present batch."""
        mapped = {target.field.key: target for _index, target, _reader in parser.columns}
        self.listed = [target for target in mapped.values() if is_list_of_values(target.field)]
        self.named = [
            target
            for target in mapped.values()
            if not is_list_of_values(target.field) and target.field.kind in ("ref", "member")
        ]

    def link(self, session: Session, rows: Sequence[Planned], result: Result) -> dict[int, dict[str, str]]:
        """Put ids into the values of rows.

        :returns: row number -> field -> what the record it refers to is called.
        """
        self.shaped = False
        for target in self.listed:
            self._link_options(session, target, rows, result)
        titles: dict[int, dict[str, str]] = {}
        for target in self.named:
            if target.field.key != self.parser.parent:
                self._link_records(session, target.field, rows, result, titles)
        self.references.trust(session)
        return titles

    def kept(self) -> None:
        """Say that the batch was committed."""
        self.references.kept()
        self._added.clear()

    def dropped(self) -> None:
        """Say that the batch was rolled back."""
        self.references.dropped()
        for key, text in self._added:
            self._options[key].pop(text, None)
        self._added.clear()

    # Options ---------------------------------------------------------------------------

    def _link_options(
        self, session: Session, target: Target, rows: Sequence[Planned], result: Result
    ) -> None:
        key = target.key
        known = self._options.setdefault(key, {})
        for text in sorted(distinct(rows, key) - known.keys()):
            found = self._option(session, target, text, result)
            if found is not None:
                known[text] = found
        column = str(self.parser.first_column[key])
        for row in rows:
            named = row.names.get(key)
            if named is None or row.errors:
                continue
            chosen = known.get(named)
            if chosen is None:
                result.unmapped[key, named] += 1
                message = _(
                    "“%(value)s” is none of the choices. Say what it becomes, under “Values”.",
                    value=named[:60],
                )
                row.errors[column] = message
            elif chosen != SKIP:
                row.values[key] = chosen

    def _option(self, session: Session, target: Target, text: str, result: Result) -> str | None:
        chosen = self.plan.values.get(target.key, {}).get(text, "")
        options = options_for(target, session)
        if chosen == SKIP:
            return SKIP
        if chosen and chosen != NEW:
            return chosen if any(option.value == chosen for option in options) else None
        found = same_option(options, text)
        if found is not None:
            return found.value
        if chosen == NEW and may_add(target, self.actor) and target.field.own is not None:
            value, fresh = add_option(session, self.actor, self.type.name, target.field.key, text)
            self._added.append((target.key, text))
            if fresh:
                self.shaped = True
                result.note_made("custom_fields", [f"{target.field.label}: {text}"])
            return value
        if chosen == NEW and may_add(target, self.actor):
            # By now somebody may have added it: `same_option` looked first.
            values = {"outcome": outcome_of(text)} if target.field.ref == "stages" else {}
            self.references.make(session, target.field.ref, [text], **values)
            hit = self.references.hit(target.field.ref, text)
            if hit.record_id is not None:
                result.note_made(target.field.ref, [text])
                self._added.append((target.key, text))
                return str(hit.record_id)
        return None

    # Records and members ---------------------------------------------------------------

    def _link_records(
        self,
        session: Session,
        spec: Field,
        rows: Sequence[Planned],
        result: Result,
        titles: dict[int, dict[str, str]],
    ) -> None:
        kind = "members" if spec.kind == "member" else spec.ref
        self.find(session, spec, kind, distinct(rows, spec.key), result)
        column = self.parser.first_column[spec.key]
        for row in rows:
            text = row.names.get(spec.key)
            if text is None or row.errors:
                continue
            hit = self.references.hit(kind, text)
            if hit.record_id is None:
                if hit.problem or self.plan.missing.get(spec.key) != "empty":
                    row.errors[str(column)] = hit.problem or unknown(spec, text)
                else:
                    row.blank.add(spec.key)
                continue
            row.values[spec.key] = hit.record_id
            if spec.kind == "ref":
                titles.setdefault(row.row.number, {})[spec.key] = hit.title
            self.note_repair(result, column, text, hit)

    def find(self, session: Session, spec: Field, kind: str, texts: set[str], result: Result) -> None:
        """Look names up; make what is missing when the person said so and may."""
        self.references.look_up(session, kind, texts)
        missing = [text for text in sorted(texts) if self._absent(kind, text)]
        right = "members:manage" if kind == "members" else f"{kind}:write"
        if missing and self.plan.missing.get(spec.key) == "create" and self.actor.may(right):
            self.references.make(session, kind, missing)
            result.note_made(kind, [text for text in missing if self.references.hit(kind, text).made])

    def _absent(self, kind: str, text: str) -> bool:
        hit = self.references.hit(kind, text)
        return hit.record_id is None and not hit.problem

    def note_repair(self, result: Result, column: int, text: str, hit: Hit) -> None:
        """Count a name that was understood although it is written in another way."""
        if hit.close:
            result.repairs[str(column), text, hit.title] += 1


def unknown(spec: Field, text: str) -> str:
    """Return why a name that nothing is called refuses a row."""
    if spec.kind == "member":
        return _(
            "No member is called “%(name)s”. Invite this person, or let placeholders be made for unknown members.",
            name=text[:80],
        )
    return _(
        "There is no %(thing)s “%(name)s”. Import it first, or let unknown ones be made.",
        thing=get(spec.ref).label,
        name=text[:80],
    )
