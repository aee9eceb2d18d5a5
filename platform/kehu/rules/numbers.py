"""What can be done with rules for codes: set them, see the next code, look for gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import clock, counters, shape
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records import codes
from kehu.core.records.codes import CodeRule
from kehu.core.records.service import RecordService, service_for
from kehu.rules.models import NumberRule
from kehu.rules.queries import as_rule

MOST_GAPS = 200
"""So many stretches without a record are listed; all are counted."""


class NumberRuleService(RecordService[NumberRule]):
    """Write rules for codes; a change holds for records made from now on."""

    type_name = "number_rules"

    def prepare(self, record: NumberRule, changed: set[str]) -> None:
        """Write the parts in one way."""
        record.pattern = _capital(record.pattern)
        record.width, record.start = record.width or 1, record.start or 1

    def check(self, record: NumberRule, changed: set[str]) -> None:
        """Refuse a pattern that gives no code, and a second rule for the same records."""
        problem = codes.problem_of(record.pattern, record.reset)
        if problem:
            raise InvalidInput(problem, fields={"pattern": [problem]})
        rule = as_rule(record)
        if len(rule.write(10**record.width, clock.today(self.tenant.tz))) > codes.LONGEST:
            message = _("Codes by this pattern are longer than %(most)s characters.", most=codes.LONGEST)
            raise InvalidInput(message, fields={"pattern": [message]})
        with self.session.no_autoflush:
            twin = select(NumberRule.id).where(
                NumberRule.object == record.object,
                NumberRule.id != record.id,
                NumberRule.deleted_at.is_(None),
            )
            if self.session.execute(twin.limit(1)).first() is not None:
                message = _("There is a rule for these records already; change that one.")
                raise InvalidInput(message, fields={"object": [message]})

    def saved(self, records: Sequence[NumberRule], action: str) -> None:
        """Let the rules hold from now on, here and in all other processes."""
        if action == "restored":
            for record in records:
                self.check(record, {"object"})
        shape.changed(self.session)

    def search_texts(self, record: NumberRule) -> Iterable[tuple[str, str]]:
        """Nobody searches for rules."""
        return ()


def _capital(pattern: str) -> str:
    for token in ("yyyy", "yy", "mm", "n"):
        pattern = pattern.replace("{" + token + "}", "{" + token.upper() + "}")
    return pattern


def preview(session: Session, rule: CodeRule, count: int = 3) -> list[str]:
    """Return the next codes that a rule would give, as things stand."""
    service: RecordService[Any] = service_for(rule.object, session)
    day = clock.today(service.tenant.tz)
    first = codes.following(service, rule)
    number = rule.read(first, day) or rule.start
    return [rule.write(number + step, day) for step in range(count)]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A stretch of numbers that no record has; `beyond` is the code of the next record."""

    first: int
    last: int
    beyond: str

    @property
    def size(self) -> int:
        """How many numbers are missing."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True)
class GapReport:
    """What the numbers of a frame look like: how many were given, which are missing."""

    frame: str
    frames: Sequence[str]
    given: int
    highest: int
    missing: int
    gaps: Sequence[Gap]


def gap_report(session: Session, rule: CodeRule, frame: str = "") -> GapReport:
    """Return which numbers of a frame no record has, in the trash or not.

    :param frame: one of the frames that were counted; the present one by default.
    """
    service: RecordService[Any] = service_for(rule.object, session)
    day = clock.today(service.tenant.tz)
    stem = f"code:{rule.object}:"
    frames = [name.removeprefix(stem) for name in counters.begun(session, stem)]
    here = rule.frame(day)
    if here not in frames:
        frames.insert(0, here)
    chosen = frame if frame in frames else here
    found = codes.numbers_of(service, chosen, rule.width)
    last = counters.last(session, stem + chosen) or 0
    low = min((number for number, _code in found), default=1)
    gaps = list(_gaps(found, min(low, rule.start) if chosen == here else low, last))
    return GapReport(
        frame=chosen,
        frames=frames,
        given=len(found),
        highest=max(last, found[-1][0] if found else 0),
        missing=sum(gap.size for gap in gaps),
        gaps=gaps[:MOST_GAPS],
    )


def _gaps(found: Sequence[tuple[int, str]], start: int, last: int) -> Iterable[Gap]:
    expected = start
    for number, code in found:
        if number > expected:
            yield Gap(first=expected, last=number - 1, beyond=code)
        expected = max(expected, number + 1)
    if last >= expected:
        yield Gap(first=expected, last=last, beyond="")
