"""From a filter (`where`) to conditions, each branch within what the actor may see of the related type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_
from sqlalchemy.orm import aliased

from kehu.core import search, text
from kehu.core.context import Actor, TenantInfo
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import criteria, filters, related
from kehu.core.records.fields import Field, FieldError
from kehu.core.records.kinds import KINDS
from kehu.core.records.types import RecordType
from kehu.core.records.where import Group, Test, Where, parse, refuse
from kehu.core.search_terms import query_terms

WORDS = "q"
"""The key that stands for all that a record is found by."""
DAYS = frozenset({"date", "datetime"})


def conditions(
    record_type: RecordType, entity: Any, written: str, actor: Actor, tenant: TenantInfo
) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter.

    :raises InvalidInput: names the part that makes no sense.
    """
    return Asker(actor, tenant).conditions(record_type, entity, parse(written))


def operators(record_type: RecordType, field: Field) -> tuple[str, ...]:
    """Return how a field may be compared; empty when it can't be asked for."""
    if field.key in criteria.of(record_type.name):
        return criteria.KINDS[field.kind]
    found = list(KINDS[field.kind].filters) if field.filterable else []
    if "eq" in found and field.kind != "bool" and "ne" not in found:
        found.insert(1, "ne")
    if field.key == record_type.title and field.kind == "text":
        found.append("word")
    return tuple(dict.fromkeys(found))


def askable(record_type: RecordType) -> dict[str, Field]:
    """Return the fields and further filters that records of a type can be asked by."""
    own = {one.key: one for one in record_type.fields if operators(record_type, one)}
    return {**own, **{key: one.field for key, one in criteria.of(record_type.name).items()}}


def without_me(record_type: RecordType, written: str, actor: Actor) -> str:
    """Return a filter in which “me” is the member who wrote it, for what others use as well.

    :raises InvalidInput: when it can't be read.
    """
    where, relations = parse(written), related.of(record_type, actor)
    mine = str(actor.member_id) if actor.member_id else "none"

    def settled(kind: RecordType | None, test: Test) -> Test:
        field = kind.by_key.get(test.key) if kind is not None else None
        if field is None or field.kind != "member":
            return test
        parts = (mine if part == "me" else part for part in test.value.split("|"))
        return replace(test, value="|".join(parts))

    groups = []
    for group in where.groups:
        relation = relations.get(group.relation)
        kind = relation.type if relation is not None else None if group.relation else record_type
        groups.append(replace(group, tests=[settled(kind, one) for one in group.tests]))
    return str(replace(where, groups=groups))


class Asker:
    """Builds conditions for one actor."""

    def __init__(self, actor: Actor, tenant: TenantInfo) -> None:
        self.actor, self.tenant = actor, tenant

    def conditions(self, record_type: RecordType, entity: Any, where: Where) -> list[ColumnElement[bool]]:
        """Return the conditions of a filter that was read."""
        found = [self._group(record_type, entity, one) for one in where.groups]
        return [or_(*found)] if where.join == "or" and found else found

    def _group(self, record_type: RecordType, entity: Any, group: Group) -> ColumnElement[bool]:
        if not group.relation:
            return self._joined(record_type, entity, group)
        relation = related.of(record_type, self.actor).get(group.relation)
        if relation is None:
            raise refuse(
                str(group), _("There is nothing related called “%(name)s” here.", name=group.relation)
            )
        other: Any = aliased(relation.type.model)
        wanted = relation.joined(entity, other, self.actor)
        if group.tests:
            wanted = and_(wanted, self._joined(relation.type, other, group))
        found = exists().where(wanted)
        return not_(found) if group.none else found

    def _joined(self, record_type: RecordType, entity: Any, group: Group) -> ColumnElement[bool]:
        found = [self.test(record_type, entity, one) for one in group.tests]
        return or_(*found) if group.join == "or" else and_(*found)

    def test(self, record_type: RecordType, entity: Any, test: Test) -> ColumnElement[bool]:
        """Return the condition of one question.

        :raises InvalidInput: names it.
        """
        try:
            return self._test(record_type, entity, test)
        except FieldError as error:
            raise refuse(str(test), str(error)) from error
        except InvalidInput as error:
            raise refuse(str(test), str(error.message)) from error

    def _test(self, record_type: RecordType, entity: Any, test: Test) -> ColumnElement[bool]:
        if not test.value:
            raise FieldError(_("Write a value behind the colon."))
        if test.key == WORDS and test.operator in ("eq", "word"):
            return _carried(record_type, entity, test.value)
        criterion = criteria.of(record_type.name).get(test.key)
        if criterion is not None:
            given = {test.operator: test.value.replace("|", ",")}
            return criteria.condition(criterion, entity, given, self.actor, self.tenant)
        field = record_type.by_key.get(test.key)
        known = operators(record_type, field) if field is not None else ()
        if field is None or not known:
            raise FieldError(_("There is no filter “%(name)s”.", name=test.key))
        if test.operator == "word" and "word" in known:
            return _worded(record_type, entity, test.value)
        if test.operator not in known:
            raise FieldError(_("“%(label)s” can't be filtered in this way.", label=field.label))
        return self._compare(record_type, entity, field, test)

    def _compare(self, record_type: RecordType, entity: Any, field: Field, test: Test) -> ColumnElement[bool]:
        raw = test.value.replace("|", ",") if field.kind in filters.SETS else test.value
        if test.operator != "ne":
            return filters.condition(record_type, entity, field, test.operator, raw, self.actor, self.tenant)
        equal = filters.condition(record_type, entity, field, "eq", raw, self.actor, self.tenant)
        if raw == "none" or "empty" not in KINDS[field.kind].filters:
            return not_(equal)
        # What is not there is something else, too: “not from Berlin” holds those of no town.
        empty = filters.condition(record_type, entity, field, "empty", "1", self.actor, self.tenant)
        return or_(empty, not_(equal))


def _carried(record_type: RecordType, entity: Any, typed: str) -> ColumnElement[bool]:
    terms = query_terms(typed)
    if not terms:
        raise FieldError(_("Write at least one word."))
    return and_(*(search.carries(record_type.name, entity.id, one) for one in terms))


def _worded(record_type: RecordType, entity: Any, typed: str) -> ColumnElement[bool]:
    """Return the condition of words in a record's name: found by the search terms, then looked at."""
    model: Any = record_type.model
    norm = f"{record_type.title}_norm"
    column = getattr(entity, norm) if hasattr(model, norm) else func.lower(getattr(entity, record_type.title))
    parts = [column.contains(text.fold(one), autoescape=True) for one in typed.split()]
    return and_(_carried(record_type, entity, typed), *parts)
