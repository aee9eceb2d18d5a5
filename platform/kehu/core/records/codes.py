"""Codes that a firm gives its records by a rule: `K-2026-00042`, without gaps and never twice.

A pattern is a text with `{N}` for the number and, where wanted, `{YYYY}`, `{YY}` and `{MM}` for the day on which a
record is made. Counting goes on for each *frame*: the pattern with those parts filled in by which it begins anew.
So a firm that changes its pattern and later changes it back never gives a code twice.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from kehu.core import clock, context, counters, shape
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _, _l
from kehu.core.records.fields import Field

if TYPE_CHECKING:
    from kehu.core.records.service import Outcome, RecordService
    from kehu.core.records.types import RecordType

PART = "codes"
"""The part of a firm's shape that holds its rules: type name -> rule."""

LONGEST = 60
MOST_ROUNDS = 3
"""After so many tries that met codes which are there already, the counter jumps beyond all of them."""

_TOKEN = re.compile(r"\{(YYYY|YY|MM|N)\}")
_ANY = {"YYYY": r"\d{4}", "YY": r"\d{2}", "MM": r"\d{2}"}
_RESETS: dict[str, frozenset[str]] = {
    "never": frozenset(),
    "year": frozenset({"YYYY", "YY"}),
    "month": frozenset({"YYYY", "YY", "MM"}),
}
"""When counting begins anew -> the parts that make a frame."""


@dataclass(frozen=True, kw_only=True)
class CodeRule:
    """How the codes of one record type are made.

    :param width: the number is filled up to so many digits with zeros.
    :param start: the first number of each frame.
    :param reset: when counting begins anew: never, year or month.
    :param by_hand: whether members may write a code themselves; imports and programs always may for new records.
    """

    id: uuid.UUID
    object: str
    pattern: str
    width: int = 5
    start: int = 1
    reset: str = "never"
    by_hand: bool = False

    def frame(self, day: dt.date) -> str:
        """Return the pattern with the parts filled in by which counting begins anew."""
        anew = _RESETS[self.reset]
        return _TOKEN.sub(lambda match: _part(match[1], day) if match[1] in anew else match[0], self.pattern)

    def counter(self, day: dt.date) -> str:
        """Return the name under which the numbers of a day's frame are counted."""
        return f"code:{self.object}:{self.frame(day)}"

    def write(self, number: int, day: dt.date) -> str:
        """Return the code of a number on a day."""
        return _TOKEN.sub(
            lambda match: str(number).zfill(self.width) if match[1] == "N" else _part(match[1], day),
            self.pattern,
        )

    def read(self, code: str, day: dt.date) -> int | None:
        """Return the number of a code of a day's frame, or None when it was not written by this rule."""
        return read_frame(self.frame(day), code, self.width)


def _part(name: str, day: dt.date) -> str:
    return {"YYYY": f"{day.year:04}", "YY": f"{day.year % 100:02}", "MM": f"{day.month:02}"}[name]


def read_frame(frame: str, code: str, width: int) -> int | None:
    """Return the number of a code of a frame, or None when it is none."""
    parts, last = [], 0
    for match in _TOKEN.finditer(frame):
        parts += [re.escape(frame[last : match.start()]), _ANY.get(match[1], r"(\d{1,15})")]
        last = match.end()
    found = re.fullmatch("".join(parts) + re.escape(frame[last:]), code)
    if found is None or str(int(found[1])).zfill(width) != found[1]:
        return None
    return int(found[1])


def beginning(frame: str) -> str:
    """Return the text with which all codes of a frame begin."""
    match = _TOKEN.search(frame)
    return frame[: match.start()] if match is not None else frame


def problem_of(pattern: str, reset: str) -> str:
    """Return what is wrong with a pattern, or an empty text."""
    tokens = [match[1] for match in _TOKEN.finditer(pattern)]
    rest = _TOKEN.sub("", pattern)
    if tokens.count("N") != 1:
        return _("Write {N} once, where the number is to stand.")
    if "{" in rest or "}" in rest:
        return _("Between braces only {N}, {YYYY}, {YY} and {MM} are known.")
    if reset != "never" and not {"YYYY", "YY"} & set(tokens):
        return _("Counting begins anew, so the year must be in the pattern: write {YYYY} or {YY}.")
    if reset == "month" and "MM" not in tokens:
        return _("Counting begins anew each month, so the month must be in the pattern: write {MM}.")
    return ""


def code_field(*also: str) -> Field:
    """Return the field that holds the code of a record type.

    :param also: other names for its column in files, in small letters.
    """
    return Field(
        key="code",
        label=_l("Code"),
        max_length=LONGEST,
        sortable=True,
        filterable=True,
        unique=True,
        help=_l("Given by the firm's rule for numbers, where there is one."),
        also=("code", *also),
    )


def rule_of(type_name: str) -> CodeRule | None:
    """Return the present tenant's rule for a record type, or None."""
    rules: Mapping[str, CodeRule] = shape.part(PART) or {}
    return rules.get(type_name)


def brought() -> bool:
    """Tell whether what is written comes from outside and brings its codes along; people leave them to the rule."""
    now = context.current()
    return (now.actor is not None and now.actor.kind in ("import", "api")) or now.source in ("import", "api")


def shaped(record_type: RecordType) -> RecordType:
    """Return a type whose code nobody is asked for where a rule gives it."""
    rule = rule_of(record_type.name) if record_type.coded else None
    if rule is None or rule.by_hand or brought():
        return record_type
    fields = tuple(
        replace(one, readonly=True) if one.key == record_type.coded else one for one in record_type.fields
    )
    return replace(record_type, fields=fields)


def settle(service: RecordService[Any], outcomes: Sequence[Outcome[Any]]) -> None:
    """Give the new records of a batch their codes; a given one that can't be is reported and its record left out."""
    key = service.type.coded
    if not key:
        return
    rule = rule_of(service.type.name)
    _check_given(service, rule, key, [one for one in outcomes if getattr(one.record, key, None)])
    if rule is None:
        return
    made: list[Any] = [one.record for one in outcomes if one.record is not None]
    free = [record for record in made if not getattr(record, key)]
    day = clock.today(service.tenant.tz)
    given = [rule.read(code, day) for record in made if (code := getattr(record, key))]
    highest = max((number for number in given if number is not None), default=0)
    if highest:
        counters.reach(service.session, rule.counter(day), highest)
    for record, code in zip(free, _take(service, rule, key, len(free), day), strict=True):
        setattr(record, key, code)


def recheck(service: RecordService[Any], record: Any, changed: set[str]) -> None:
    """Refuse a changed code that somebody else has, or that nobody may write by hand.

    :raises InvalidInput: names the field.
    """
    key = service.type.coded
    if not key or key not in changed:
        return
    rule, code = rule_of(service.type.name), getattr(record, key)
    message = ""
    if rule is not None and not rule.by_hand and not service.session.info.get("undoing"):
        message = _("Codes are given by the firm's rule and stay as they are.")
    elif code:
        model, session = type(record), service.session
        with session.no_autoflush:
            twin = select(model.id).where(getattr(model, key) == code, model.id != record.id).limit(1)
            taken = session.execute(twin).first() is not None
        waiting = (one for one in session.dirty if isinstance(one, model) and one is not record)
        if taken or any(getattr(one, key) == code for one in waiting):
            message = _taken(code)
        elif rule is not None:
            day = clock.today(service.tenant.tz)
            number = rule.read(code, day)
            if number:
                counters.reach(session, rule.counter(day), number)
    if message:
        raise InvalidInput(message, fields={key: [message]})


def _taken(code: str) -> str:
    return _("The code “%(code)s” is taken. Leave it empty to get the next free one.", code=code)


def _check_given(
    service: RecordService[Any], rule: CodeRule | None, key: str, outcomes: Sequence[Outcome[Any]]
) -> None:
    if not outcomes:
        return
    kept = known(service, [getattr(one.record, key) for one in outcomes])
    for one in outcomes:
        code = getattr(one.record, key)
        if rule is not None and not rule.by_hand and not brought():
            message = _("Codes are given by the firm's rule. Leave this empty.")
        elif code in kept:
            message = _taken(code)
        else:
            kept.add(code)
            continue
        one.record, one.changed, one.errors = None, False, {key: [message]}


def known(service: RecordService[Any], codes: Sequence[str]) -> set[str]:
    """Return those of some codes that records have, in the trash or not."""
    column = getattr(service.type.model, service.type.coded)
    return set(service.session.execute(select(column).where(column.in_(codes))).scalars())


def _take(service: RecordService[Any], rule: CodeRule, key: str, count: int, day: dt.date) -> list[str]:
    """Return so many new codes. The counter stays locked until the transaction ends, so a rollback leaves no gap."""
    found: list[str] = []
    name, rounds = rule.counter(day), 0
    while len(found) < count:
        wanted = count - len(found)
        first = counters.take(service.session, name, wanted, start=rule.start)
        codes = [rule.write(number, day) for number in range(first, first + wanted)]
        taken = known(service, codes)
        found += [code for code in codes if code not in taken]
        rounds += 1
        if taken and rounds == MOST_ROUNDS:
            counters.reach(service.session, name, highest_of(service, rule.frame(day), rule.width))
    return found


def highest_of(service: RecordService[Any], frame: str, width: int) -> int:
    """Return the highest number of a frame that a record has."""
    return max((number for number, _code in numbers_of(service, frame, width)), default=0)


def numbers_of(
    service: RecordService[Any], frame: str, width: int, at_once: int = 5_000
) -> list[tuple[int, str]]:
    """Return all numbers of a frame that records have, with their codes, in the order of the numbers."""
    column = getattr(service.type.model, service.type.coded)
    start = beginning(frame)
    found: list[tuple[int, str]] = []
    last = start
    while True:
        statement = select(column).where(column >= last if last == start else column > last)
        if start:
            statement = statement.where(column.startswith(start, autoescape=True))
        codes = service.session.execute(statement.order_by(column).limit(at_once)).scalars().all()
        found += [(number, code) for code in codes if (number := read_frame(frame, code, width)) is not None]
        if len(codes) < at_once:
            return sorted(found)
        last = codes[-1]


def following(service: RecordService[Any], rule: CodeRule) -> str:
    """Return the code that the next record gets, as things stand; nothing is taken."""
    day = clock.today(service.tenant.tz)
    number = max((counters.last(service.session, rule.counter(day)) or 0) + 1, rule.start)
    for _round in range(MOST_ROUNDS):
        code = rule.write(number, day)
        if not known(service, [code]):
            return code
        number += 1
    return rule.write(highest_of(service, rule.frame(day), rule.width) + 1, day)


def types_with_codes() -> list[RecordType]:
    """Return the record types whose records can get codes."""
    from kehu.core.records.types import registered

    return [one for one in registered().values() if one.coded]
