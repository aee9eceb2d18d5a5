"""What can be done with a firm's own fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, inspect, select

from kehu.core import jobs, shape
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.records import own, rights
from kehu.core.records.fields import FieldError
from kehu.core.records.kinds import load_value
from kehu.core.records.own_tables import CustomField, CustomIndex
from kehu.core.records.service import RecordService
from kehu.core.records.types import get as get_type
from kehu.core.search_terms import latin
from kehu.core.tables import OWN
from kehu.fields import formulas
from kehu.fields.kinds import BOUNDED, LISTED, NO_DEFAULT, TONES, UNIQUE
from kehu.fields.records import MOST, NAMES

NAME = re.compile(r"[^a-z0-9]+")
LONGEST_KEY = 40
FIXED = ("object", "kind")
"""What a field keeps for good here; `kehu.fields.changing` changes the kind."""
SHOWN = frozenset({"searchable", "state", "only_one"})
"""What is changed together with index rows and search terms, which a job writes."""


class FieldService(RecordService[CustomField]):
    """Write the definitions of own fields."""

    type_name = "custom_fields"

    def get(
        self, record_id: object, *, action: str = "read", trashed: bool = False, lock: bool = False
    ) -> CustomField:
        """Return a definition; who does not see a field neither shapes it nor tries it out."""
        found = super().get(record_id, action=action, trashed=trashed, lock=lock)
        if found.key in rights.hidden(found.object):
            raise NotFound(_("There is no such field."))
        return found

    def prepare_new(self, records: Sequence[CustomField]) -> None:
        """Give new fields their keys and places.

        :raises InvalidInput: when the type has as many fields as it may have.
        """
        for object_name in dict.fromkeys(record.object for record in records):
            mine = [record for record in records if record.object == object_name]
            with self.session.no_autoflush:
                known = self.session.execute(
                    select(CustomField.key, CustomField.position, CustomField.deleted_at).where(
                        CustomField.object == object_name
                    )
                ).all()
            if sum(1 for row in known if row.deleted_at is None) + len(mine) > MOST:
                message = _("These records have %(num)s fields; more are not possible. Delete one.", num=MOST)
                raise InvalidInput(message, fields={"object": [message]})
            taken = {row.key for row in known} | get_type(object_name).by_key.keys()
            last = max((row.position for row in known), default=0)
            for record in mine:
                record.key = record.slot = key_for(record.label, taken)
                taken.add(record.key)
                last += 1
                record.position = record.position or last
                record.state = record.state or "active"
                self._number_options(record)

    def prepare(self, record: CustomField, changed: set[str]) -> None:
        """Bring texts into their form, and give options the values under which they are kept."""
        record.currency = (record.currency or "").upper()
        formulas.prepare(record)
        if record.kind == "money" and not record.currency:
            record.currency = self.tenant.currency
        for key in ("help", "section", "target", "initial", "formula", *NAMES):
            setattr(record, key, getattr(record, key) or "")
        if "options" in changed and record.key:
            self._number_options(record)

    @staticmethod
    def _number_options(record: CustomField) -> None:
        taken = {one["value"] for one in record.options or () if one["value"]}
        found = []
        for at, one in enumerate(record.options or ()):
            value = one["value"] or option_value(one["label"], taken)
            taken.add(value)
            found.append(
                {"value": value, "label": one["label"], "tone": one["tone"] or TONES[at % len(TONES)]}
            )
        record.options = found

    def check(self, record: CustomField, changed: set[str]) -> None:
        """Refuse a definition that makes no sense."""
        errors = self._faults(record, changed)
        if "label" in changed or not inspect(record).persistent:
            self._check_label(record, errors)
        formulas.check(self.session, record, changed, errors)
        if record.initial and (message := self._initial_fault(record)):
            errors["initial"] = [message]
        if "only_one" in changed and record.only_one and inspect(record).persistent:
            self._check_doubles(record, errors)
        if "options" in changed and inspect(record).persistent:
            self._check_options(record, errors)
        if errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)

    @staticmethod
    def _faults(record: CustomField, changed: set[str]) -> dict[str, list[str]]:
        """Return what the values of a definition by themselves get wrong, by field."""
        errors: dict[str, list[str]] = {}
        for key in FIXED if inspect(record).persistent else ():
            if key in changed:
                errors[key] = [_("This stays as it is. Make another field and retire this one.")]
        if record.kind in LISTED and not record.options:
            errors["options"] = [_("Write the options, one in each line.")]
        if record.kind == "ref" and not record.target:
            errors["target"] = [_("Say what the field points at.")]
        if record.only_one and record.kind not in UNIQUE:
            errors["only_one"] = [_("Values of this kind can't be asked to stand once.")]
        if record.kind not in BOUNDED:
            record.minimum = record.maximum = None
        elif record.minimum is not None and record.maximum is not None and record.minimum > record.maximum:
            errors["maximum"] = [_("The most is less than the least.")]
        return errors

    def _check_label(self, record: CustomField, errors: dict[str, list[str]]) -> None:
        labels = {
            str(one.label).casefold() for one in get_type(record.object).fields if one.key != record.key
        }
        if record.label and record.label.casefold() in labels:
            errors["label"] = [
                _("There is a field “%(name)s” already; choose another name.", name=record.label)
            ]

    def _initial_fault(self, record: CustomField) -> str:
        if record.kind in NO_DEFAULT:
            return _("Fields of this kind have no value to begin with; leave it empty.")
        draft = CustomField(
            tenant_id=self.tenant.id, id=record.id, object=record.object, key=f"{OWN}x", slot="x"
        )
        for key in ("label", "kind", "help", "section", "target", "currency", "minimum", "maximum"):
            setattr(draft, key, getattr(record, key))
        draft.options = [{**one, "value": one["value"] or one["label"]} for one in record.options or ()]
        draft.formula = ""
        draft.required = draft.only_one = draft.in_list = draft.at_create = draft.searchable = False
        draft.initial = record.initial
        try:
            load_value(own.field_from(draft), record.initial, self.load_context({}, None))
        except FieldError as error:
            return str(error)
        return ""

    def _check_doubles(self, record: CustomField, errors: dict[str, list[str]]) -> None:
        """Refuse to ask for values that stand once while some stand twice."""
        kept = CustomIndex.word if record.kind in own.WORDS else CustomIndex.number
        statement = (
            select(func.count())
            .select_from(CustomIndex)
            .where(CustomIndex.field_id == record.id)
            .group_by(kept)
            .having(func.count() > 1)
            .limit(1)
        )
        if self.session.execute(statement).first() is not None:
            errors["only_one"] = [
                _("Some records have the same value already. Change those first, then try again.")
            ]

    def _check_options(self, record: CustomField, errors: dict[str, list[str]]) -> None:
        """Refuse to take options out that records still have: a change of the options says where they go."""
        if record.changing:
            errors["options"] = [
                _("This field is being changed already; wait until that is done, or stop it.")
            ]
            return
        was: list[Any] = (inspect(record).attrs.options.history.deleted or [[]])[0]
        left = {one["value"] for one in record.options}
        gone = {one["value"]: one["label"] for one in was if one["value"] not in left}
        statement = (
            select(CustomIndex.word, func.count())
            .where(CustomIndex.field_id == record.id, CustomIndex.word.in_(list(gone)))
            .group_by(CustomIndex.word)
        )
        with self.session.no_autoflush:
            used = self.session.execute(statement).all() if gone else ()
        if used:
            names = ", ".join(sorted(str(gone[row.word]) for row in used))
            errors["options"] = [
                _(
                    "Records still have “%(names)s”. Use “Change what it holds” and say where these values go.",
                    names=names,
                )
            ]

    def saved(self, records: Sequence[CustomField], action: str) -> None:
        """Let everybody see the fields as they are now, and bring formulas in line."""
        shape.changed(self.session)
        formulas.follow(self.session, records, action)

    def update(
        self, record_id: object, values: Mapping[str, Any], *, version: int | None = None
    ) -> CustomField:
        """Change a field; index rows and search terms follow by a job."""
        if "formula" in values:
            formulas.lock(self.session)
        before = self.get(record_id, action="write")
        was = {key: getattr(before, key) for key in SHOWN}
        record = super().update(record_id, values, version=version)
        if any(getattr(record, key) != value for key, value in was.items()):
            self._bring_in_line(record)
        return record

    def restore(self, record_id: object) -> CustomField:
        """Take a field out of the trash, with its values."""
        record = super().restore(record_id)
        self._bring_in_line(record)
        return record

    def _bring_in_line(self, record: CustomField) -> None:
        jobs.enqueue(self.session, "fields.index", field_id=str(record.id))

    def shift(self, record_id: object, by: int) -> CustomField:
        """Move a field one place up (-1) or down (1) among those of its type."""
        record = self.get(record_id, action="write", lock=True)
        statement = (
            select(CustomField)
            .where(CustomField.object == record.object, CustomField.deleted_at.is_(None))
            .order_by(CustomField.position, CustomField.id)
        )
        order = list(self.session.execute(statement).scalars())
        at = order.index(record)
        to = at + (1 if by > 0 else -1)
        if 0 <= to < len(order):
            order[at], order[to] = order[to], order[at]
            self.update_many(
                {one.id: {"position": place} for place, one in enumerate(order, 1) if one.position != place}
            )
        return record

    def search_texts(self, record: CustomField) -> Iterable[tuple[str, str]]:
        """Nobody searches for definitions."""
        return ()


def key_for(label: str, taken: Iterable[str]) -> str:
    """Return the key of a new field: its name in Latin letters, made different from those that there are."""
    stem = NAME.sub("_", latin(label)).strip("_")[:LONGEST_KEY].strip("_") or "field"
    return _free(f"{OWN}{stem}", taken)


def option_value(label: str, taken: Iterable[str]) -> str:
    """Return the value under which a new option is kept."""
    stem = NAME.sub("_", latin(label)).strip("_")[:LONGEST_KEY].strip("_") or "option"
    return _free(stem, taken)


def _free(stem: str, taken: Iterable[str]) -> str:
    known, found, number = set(taken), stem, 1
    while found in known:
        number += 1
        found = f"{stem}_{number}"
    return found
