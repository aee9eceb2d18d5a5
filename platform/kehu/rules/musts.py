"""What must hold for records when they are written: asked at each write, tried on present records beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, false, func, not_, select
from sqlalchemy.orm import Session

from kehu.core import context, shape
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import filters, matching, scope
from kehu.core.records.service import RecordService
from kehu.core.records.types import get as get_type
from kehu.rules.models import RecordRule
from kehu.web.records import query

PART = "record_rules"
SHOWN = 20
COUNT_BOUND = 10_000


def guard(service: RecordService[Any], record: Any, before: Mapping[str, Any] | None) -> None:
    """Refuse a write after which a rule of the firm does not hold; what no person brought is let in.

    :raises InvalidInput: names the fields, in the firm's own words.
    """
    if service.actor.kind == "system":
        return  # Mail that arrives must not be lost for a question that nobody was asked.
    rules = (shape.part(PART) or {}).get(service.type.name, ())
    errors: dict[str, list[str]] = {}
    for rule in rules:
        try:
            asked = matching.tests(service.type, query.parse(rule.only_for), service.actor, service.tenant)
            wanted = matching.tests(service.type, query.parse(rule.must), service.actor, service.tenant)
        except InvalidInput:
            continue  # It names a field that is not there any more; its page says so.
        if (
            rule.entering
            and before is not None
            and all(test(_Before(record, before)) for _key, test in asked)
        ):
            continue  # It stood there already: a gate is passed once.
        if all(test(record) for _key, test in asked):
            for key in [key for key, test in wanted if not test(record)]:
                errors.setdefault(key, []).append(rule.message)
    if errors:
        raise InvalidInput(next(iter(errors.values()))[0], fields=errors)


class _Before:
    """A record as it was before a write."""

    def __init__(self, record: Any, before: Mapping[str, Any]) -> None:
        self._record, self._values = record, before

    def __getattr__(self, key: str) -> Any:
        return self._values[key] if key in self._values else getattr(self._record, key)


def can_be_asked(rule: RecordRule) -> bool:
    """Tell whether all fields that a rule names are there; one that names a vanished field is not asked."""
    kind, actor, tenant = get_type(rule.object), context.actor(), context.tenant()
    try:
        for written in (rule.only_for or "", rule.must):
            matching.tests(kind, query.parse(written), actor, tenant)
    except InvalidInput:
        return False
    return True


class RecordRuleService(RecordService[RecordRule]):
    """Write rules for records."""

    type_name = "record_rules"

    def prepare(self, record: RecordRule, changed: set[str]) -> None:
        """Write the conditions in one way."""
        record.only_for = query.write(query.filters_only(query.parse(record.only_for or ""))) or None
        record.must = query.write(query.filters_only(query.parse(record.must)))

    def check(self, record: RecordRule, changed: set[str]) -> None:
        """Refuse conditions that can't be asked of a single record."""
        kind = get_type(record.object)
        for key in ("only_for", "must"):
            try:
                found = matching.tests(kind, query.parse(getattr(record, key) or ""), self.actor, self.tenant)
            except InvalidInput as error:
                raise InvalidInput(str(error.message), fields={key: [str(error.message)]}) from error
            if key == "must" and not found:
                message = _("Write at least one filter, for example country.empty=no.")
                raise InvalidInput(message, fields={key: [message]})

    def saved(self, records: Sequence[RecordRule], action: str) -> None:
        """Let the rules hold from now on, here and in all other processes."""
        shape.changed(self.session)

    def search_texts(self, record: RecordRule) -> Iterable[tuple[str, str]]:
        """Nobody searches for rules."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """Which present records a rule would refuse: how many (`more` when that is a bound), and the first of them."""

    count: int
    more: bool
    first: Sequence[tuple[Any, str]]


def rehearse(session: Session, rule: RecordRule) -> Rehearsal:
    """Return the present records that break a rule, as far as the actor sees them; nothing is changed."""
    kind, actor, tenant = get_type(rule.object), context.actor(), context.tenant()
    model: Any = kind.model

    def asked(text: str) -> list[Any]:
        return filters.conditions(kind, model, query.parse(text), actor, tenant, strict=True)

    broken = (
        model.deleted_at.is_(None),
        scope.condition(kind, model, actor, actor.scope(f"{kind.name}:read")),
        *asked(rule.only_for or ""),
        not_(func.coalesce(and_(*asked(rule.must)), false())),
    )
    some = select(model.id).where(*broken).limit(COUNT_BOUND + 1).subquery()
    count = int(session.execute(select(func.count()).select_from(some)).scalar_one())
    rows = select(model.id, getattr(model, kind.title)).where(*broken).order_by(model.id).limit(SHOWN)
    first = [(row[0], str(row[1] or "–")) for row in session.execute(rows)]
    return Rehearsal(count=min(count, COUNT_BOUND), more=count > COUNT_BOUND, first=first)
