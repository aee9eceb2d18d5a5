"""From values of one kind to values of another: which changes make sense, and what becomes of a value."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.money import from_minor
from kehu.core.records import own
from kehu.core.records.fields import Field, FieldError, LoadContext
from kehu.core.records.kinds import KINDS, dump_value, load_value, plain_number
from kehu.core.records.own_tables import CustomField
from kehu.core.tables import OWN
from kehu.fields.kinds import BOUNDED, LISTED, NO_DEFAULT
from kehu.fields.records import NAMES

TEXTS: Final = ("text", "long_text")
WAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        *("long_text", "choice", "choices", "bool", "number", "decimal", "percent", "money"),
        *("date", "datetime", "email", "phone", "link"),
    ),
    "long_text": (
        *("text", "choice", "choices", "bool", "number", "decimal", "percent", "money"),
        *("date", "datetime", "email", "phone", "link"),
    ),
    "choice": (*TEXTS, "choice", "choices", "bool", "number", "decimal"),
    "choices": (*TEXTS, "choice", "choices"),
    "bool": (*TEXTS, "choice", "number"),
    "number": (*TEXTS, "choice", "bool", "decimal", "percent", "money"),
    "decimal": (*TEXTS, "choice", "number", "percent", "money"),
    "percent": (*TEXTS, "choice", "number", "decimal"),
    "money": (*TEXTS, "number", "decimal"),
    "date": (*TEXTS, "datetime"),
    "datetime": (*TEXTS, "date"),
    "email": TEXTS,
    "phone": TEXTS,
    "link": TEXTS,
    "member": TEXTS,
    "ref": TEXTS,
}
"""Kind -> the kinds to which a field may change; all other changes are refused. To its own kind: other options."""
STATE: Final = (
    *("kind", "slot", "options", "target", "currency", "minimum", "maximum"),
    *("initial", "only_one", "searchable"),
)
"""What of a definition a change of the kind replaces, and going back brings back."""


def why_not(old: str, new: str) -> str:
    """Return why a field can't change from one kind to another; empty when it can."""
    if new in WAYS.get(old, ()):
        return ""
    if old == new:
        return _("It is of this kind already.")
    if new in ("member", "ref"):
        return _("Values don't tell which of several with the same name is meant.")
    return _("A value of the one says nothing of the other; by way of text it may be possible.")


def state_of(row: CustomField) -> dict[str, Any]:
    """Return what a change of the kind replaces of a definition."""
    return {key: getattr(row, key) for key in STATE}


def next_state(row: CustomField, kind: str, slot: str, options: list[Any], currency: str) -> dict[str, Any]:
    """Return what a definition is to be after a change of the kind, but for the value to begin with."""
    bounded = row.kind in BOUNDED and kind in BOUNDED
    return {
        "kind": kind,
        "slot": slot,
        "options": options if kind in LISTED else [],
        "target": "",
        "currency": currency if kind == "money" else "",
        "minimum": row.minimum if bounded else None,
        "maximum": row.maximum if bounded else None,
        "initial": "",
        "only_one": False,
        "searchable": row.searchable and kind in own.SEARCHED,
    }


def field_in(row: CustomField, state: Mapping[str, Any]) -> Field:
    """Return the field that a definition is in one of its states."""
    draft = CustomField(tenant_id=row.tenant_id, id=row.id, object=row.object, key=f"{OWN}x")
    for key in ("label", "help", "section"):
        setattr(draft, key, getattr(row, key))
    draft.formula = ""
    for key in NAMES:
        setattr(draft, key, "")
    draft.required = draft.in_list = draft.at_create = False
    for key in STATE:
        setattr(draft, key, state[key])
    return own.field_from(draft)


class Converter:
    """Turns kept values of one state of a field into kept values of another.

    :param moves: option -> the option that takes its place; an empty one takes the value out.
    :param names: of members and records, for fields that point at some.
    """

    def __init__(
        self,
        old: Field,
        new: Field,
        ctx: LoadContext,
        moves: Mapping[str, str] | None = None,
        names: Mapping[uuid.UUID, str] | None = None,
    ) -> None:
        self.old, self.new, self.ctx = old, new, ctx
        self.moves, self.names = moves or {}, names or {}

    def __call__(self, kept: Any) -> tuple[Any, str]:
        """Return what becomes of a kept value, or why nothing can; neither when it is to be taken out."""
        value = own.read(self.old.kind, kept)
        if value is None or value == "" or value == []:
            return None, "" if kept is None else _("This value was not readable before.")
        try:
            raw = self._raw(value)
            loaded = None if raw is None else load_value(self.new, raw, self.ctx)
        except FieldError as error:
            return None, str(error)
        dumped = None if loaded is None else dump_value(self.new, loaded)
        return (None if dumped in ("", []) else dumped), ""

    def _raw(self, value: Any) -> Any:
        old, new = self.old.kind, self.new.kind
        if old in LISTED:
            return self._from_options([value] if old == "choice" else value)
        if old in ("member", "ref"):
            found = self.names.get(parse_id(value) or uuid.UUID(int=0))
            if not found:
                raise FieldError(_("What it points at is not there any more, or you may not see it."))
            return found
        if old == "datetime":
            local = value.astimezone(self.ctx.zone)
            return local.date() if new == "date" else self._moment(local)
        if old == "date":
            return value if new == "datetime" else value.isoformat()
        if old == "bool":
            return int(value) if new == "number" else _("Yes") if value else _("No")
        if old == "money":
            return str(from_minor(value, self.old.own.currency if self.old.own else ""))
        return plain_number(value) if old in ("decimal", "percent") else str(value)

    @staticmethod
    def _moment(local: dt.datetime) -> str:
        exact = "seconds" if local.second else "minutes"
        return local.replace(tzinfo=None).isoformat(" ", exact)

    def _from_options(self, values: Sequence[str]) -> Any:
        if self.new.kind not in LISTED:
            labels = [str(one.label) if (one := self.old.option(value)) else value for value in values]
            return ", ".join(labels)
        moved = [self.moves.get(value, value) for value in values]
        left = [value for value in dict.fromkeys(moved) if value]
        if self.new.kind == "choices":
            return left
        if len(left) > 1:
            raise FieldError(_("It has several values; the field would hold one."))
        return left[0] if left else None


def initial_in(row: CustomField, convert: Converter) -> str:
    """Return the value of new records after a change, as it would be typed; empty when there is none."""
    if not row.initial or convert.new.kind in NO_DEFAULT or row.kind in NO_DEFAULT:
        return ""
    try:
        kept = dump_value(convert.old, load_value(convert.old, row.initial, convert.ctx))
    except FieldError:
        return ""
    found, _reason = convert(kept)
    if found is None:
        return ""
    return text_of(convert.new, found)


def text_of(spec: Field, kept: Any) -> str:
    """Return a kept value in words, as a list of failing ones shows it and a person would type it."""
    value = own.read(spec.kind, kept)
    if value is None:
        return str(kept)[:200]
    if spec.kind in LISTED:
        values = value if isinstance(value, list) else [value]
        return ", ".join(str(one.label) if (one := spec.option(part)) else str(part) for part in values)
    if spec.kind == "bool":
        return _("Yes") if value else _("No")
    if spec.kind == "money":
        return str(from_minor(value, spec.own.currency if spec.own else ""))
    if spec.kind == "datetime":
        return str(kept)
    return KINDS[spec.kind].show(value)[:200]
