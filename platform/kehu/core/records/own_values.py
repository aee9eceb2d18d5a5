"""What a service of records does for a firm's own fields: defaults, values that stand once, index rows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import formula_links, formulas, own, own_index, rights
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import load_value
from kehu.core.records.types import RecordType


class OwnValues:
    """The own fields of one type during one unit of work."""

    def __init__(self, session: Session, record_type: RecordType) -> None:
        self.session = session
        self.type = record_type
        self.fields: list[Field] = list(own.fields_of(record_type.name))
        self.by_key = {one.key: one for one in self.fields}
        self.unique = any(one.unique for one in self.fields)
        self._changed: dict[uuid.UUID, set[str]] = {}
        self._left: list[tuple[str, uuid.UUID]] = []

    def taken(self, records: Sequence[Any]) -> dict[uuid.UUID, dict[str, list[str]]]:
        """Return the refusals of records whose value may stand only once and is another one's already."""
        if not self.unique or not records:
            return {}
        return {
            record_id: {key: [self._text(key)] for key in keys}
            for record_id, keys in own_index.taken(self.session, self.fields, records).items()
        }

    def settle(self, outcomes: Sequence[Any]) -> None:
        """Turn those of a batch into refusals whose value may stand only once and is another one's already."""
        taken = self.taken([one.record for one in outcomes if one.record is not None])
        for outcome in outcomes if taken else ():
            if outcome.record is not None and outcome.record.id in taken:
                outcome.errors, outcome.record, outcome.changed = taken[outcome.record.id], None, False

    def refuse_taken(self, record: Any) -> None:
        """Refuse a record whose value may stand only once and is another one's already.

        :raises InvalidInput: names the fields.
        """
        for fields in self.taken([record]).values():
            raise InvalidInput(next(iter(fields.values()))[0], fields=fields)

    def _text(self, key: str) -> str:
        return _(
            "Another record has this value; “%(label)s” may have each value once. Change one of the two.",
            label=self.by_key[key].label,
        )

    def note(self, record: Any, changed: set[str]) -> None:
        """Remember what changed on a record, whose index rows are written by `index`.

        :raises InvalidInput: for a value that another record has and that may stand once.
        """
        self._left += formula_links.left(self.type, record, changed)
        mine = {key for key in changed if own.is_own(key)}
        if mine:
            self._changed.setdefault(record.id, set()).update(mine)
            if any(self.by_key[key].unique for key in mine):
                self.refuse_taken(record)

    def reckon(self, *records: Any) -> None:
        """Give records the values of the firm's formulas, whose index rows are written by `index`."""
        for record_id, changed in formulas.reckon(self.session, self.type.name, records).items():
            self._changed.setdefault(record_id, set()).update(changed)

    def unsettable(self, key: str) -> str:
        """Return why a field of this name can't be given a value."""
        spec = self.by_key.get(key)
        if spec is not None and spec.own is not None and spec.own.formula:
            return _("“%(name)s” is reckoned by a formula; nobody can set it.", name=spec.label)
        return _("There is no field “%(name)s” that can be set.", name=key)

    def index(self, records: Sequence[Any], *, new: bool = False, whole: bool = False) -> None:
        """Write the index rows of records: of what changed, or of all own fields."""
        if self.fields and (new or whole or self._changed):
            changed = None if new or whole else self._changed
            own_index.write(self.session, self.fields, records, new=new, changed=changed)
        self._changed = {}
        self.tell(records, new=new, whole=whole)

    def tell(self, records: Sequence[Any], *, new: bool = False, whole: bool = False) -> None:
        """Let formulas of other records that read these ones be reckoned by jobs; `whole`: those of these, too."""
        formula_links.follow(self.session, self.type.name, records, self._left, new=new, whole=whole)
        self._left = []

    def forget(self, record_ids: Sequence[uuid.UUID]) -> None:
        """Remove the index rows of records."""
        own_index.forget(self.session, self.fields, record_ids)

    def search_texts(self, record: Any) -> list[tuple[str, str]]:
        """Return what a record is found by in its own fields."""
        # What not all see is no word: else it could be guessed by who is found.
        found_by = [one for one in self.fields if rights.for_all(self.type.name, one.key)]
        return own.search_texts(record, found_by)


def default(spec: Field, ctx: LoadContext) -> Any:
    """Return the value of a new record that nobody gave, or None for one that the field can't hold any more."""
    try:
        return load_value(spec, spec.default, ctx)
    except FieldError:
        return None  # An option that was taken out since.
