"""A filter with groups in words: “Status is open, and Amount is at least 1000 or Owner is me”."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import format_date

from kehu.core import context, db
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.ids import parse_id
from kehu.core.records import asking, periods, related
from kehu.core.records.fields import Field, LoadContext
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType
from kehu.core.records.where import Group, Test, Where, parse
from kehu.web.records.titles import target_of, titles

LONGEST = 70


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A filter on a list: as it is written, in words, and in the words that fit a chip."""

    written: str
    text: str

    @property
    def short(self) -> str:
        """The words, cut where they get long."""
        return self.text if len(self.text) <= LONGEST else f"{self.text[:LONGEST].rstrip()}…"


def shown(record_type: RecordType, args: Mapping[str, str]) -> Shown | None:
    """Return the filter of a query, or None where it has none."""
    written = args.get("where", "")
    if not written:
        return None
    try:
        text = Writer(record_type, where := parse(written)).text(where)
    except InvalidInput:
        # The list's own message says what is wrong with it.
        text = written
    return Shown(written=written, text=text)


class Writer:
    """Writes filters in words; names of members and records are read once for the whole filter."""

    def __init__(self, record_type: RecordType, where: Where) -> None:
        self.type = record_type
        self.relations = related.of(record_type, context.actor())
        self.names = self._names(where)

    def type_of(self, group: Group) -> RecordType | None:
        """Return the type that a group asks about; None for a relation that is not there."""
        if not group.relation:
            return self.type
        found = self.relations.get(group.relation)
        return found.type if found is not None else None

    def field_of(self, group: Group, test: Test) -> Field | None:
        """Return the field that a question is about."""
        kind = self.type_of(group)
        return asking.askable(kind).get(test.key) if kind is not None else None

    def _names(self, where: Where) -> dict[uuid.UUID, str]:
        wanted: dict[str, list[uuid.UUID]] = {}
        for group in where.groups:
            for test in group.tests:
                field = self.field_of(group, test)
                if field is not None and field.kind in ("member", "ref"):
                    ids = [found for part in test.value.split("|") if (found := parse_id(part))]
                    wanted.setdefault(target_of(field), []).extend(ids)
        return titles(db.session(), wanted) if any(wanted.values()) else {}

    def text(self, where: Where) -> str:
        """Return the filter in words."""
        many = len(where.groups) > 1
        parts = [
            f"({text})"
            if many and not group.relation and len(group.tests) > 1 and group.join != where.join
            else text
            for group in where.groups
            for text in [self._group(group)]
        ]
        return joined(parts, where.join)

    def _group(self, group: Group) -> str:
        inside = joined((self._test(group, one) for one in group.tests), group.join)
        if not group.relation:
            return inside
        relation = self.relations.get(group.relation)
        name = relation.label if relation is not None else group.relation
        if not inside:
            return (
                _("has none of: %(things)s", things=name) if group.none else _("has: %(things)s", things=name)
            )
        if group.none:
            return _("has none of: %(things)s (%(what)s)", things=name, what=inside)
        return _("has: %(things)s (%(what)s)", things=name, what=inside)

    def _test(self, group: Group, test: Test) -> str:
        field = self.field_of(group, test)
        if test.key == asking.WORDS:
            return _("contains “%(value)s”", value=test.value)
        if field is None:
            return str(test)
        name = str(field.label)
        if test.operator == "empty":
            empty = test.value in ("1", "true", "yes")
            return _("%(field)s is empty", field=name) if empty else _("%(field)s is filled", field=name)
        value = ", ".join(self.value(field, part) for part in test.value.split("|"))
        return {
            "ne": _("%(field)s is not %(value)s", field=name, value=value),
            "gte": _("%(field)s is from %(value)s on", field=name, value=value),
            "lte": _("%(field)s is up to %(value)s", field=name, value=value),
            "starts": _("%(field)s begins with “%(value)s”", field=name, value=value),
            "word": _("%(field)s contains “%(value)s”", field=name, value=value),
        }.get(test.operator) or _("%(field)s is %(value)s", field=name, value=value)

    def value(self, field: Field, part: str) -> str:
        """Return one value as people read it."""
        if part == "none":
            return _("nobody") if field.kind == "member" else _("none")
        if part == "me" and field.kind == "member":
            return _("me")
        if field.kind == "choice":
            option = field.option(part)
            return str(option.label) if option else part
        if field.kind == "bool":
            return _("yes") if part in ("1", "true", "yes") else _("no")
        if field.kind in ("date", "datetime"):
            return _day(field, part)
        found = parse_id(part) if field.kind in ("member", "ref") else None
        return self.names.get(found, _("unknown")) if found else part


def joined(parts: Iterable[str], join: str) -> str:
    """Return parts with “and” or “or” between them."""
    word = _("or") if join == "or" else _("and")
    return f" {word} ".join(parts)


def _day(field: Field, part: str) -> str:
    named = periods.text_of(part)
    if named != part:
        return named
    try:
        day = KINDS["date"].load(part, field, LoadContext())
    except ValueError:
        return part
    return str(format_date(day, "medium"))
