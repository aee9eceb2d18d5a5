"""What goes after how long: the rules of a firm, the rehearsal that shows first what they would touch, the night."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import and_, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.audit import AuditEntry
from kehu.core.errors import Forbidden, InvalidInput, KehuError
from kehu.core.i18n import _
from kehu.core.records import filters, scope
from kehu.core.records.service import RecordService, service_for
from kehu.core.records.types import get as get_type
from kehu.flows import conditions
from kehu.merging.models import Merge
from kehu.privacy import holds
from kehu.privacy.files import store
from kehu.privacy.models import RetentionRule
from kehu.privacy.recency import Recency, bonds
from kehu.privacy.services import PrivacyService
from kehu.web.records import query

log = structlog.get_logger(__name__)

PEOPLE = ("customers", "contacts")
IN_TRASH = ("activities", "tickets", "deals", "owned_items", *PEOPLE)
"""What is taken out of the trash for good; what hangs on others comes first."""

CHUNK = 500
NIGHT = 100
"""So many records one rule touches in one night at most."""

LOOKED = 20_000
"""So many silent records a rehearsal looks at of each kind."""

SHOWN = 50


class RetentionRuleService(RecordService[RetentionRule]):
    """Write rules for how long something is kept."""

    type_name = "retention_rules"

    def update(self, record_id: object, values: Any, *, version: int | None = None) -> RetentionRule:
        """Change a rule; one that says something else than was rehearsed is switched off."""
        if set(values) - {"active", "name"}:
            values = {**values, "active": False}
        return super().update(record_id, values, version=version)

    def prepare(self, record: RetentionRule, changed: set[str]) -> None:
        """Write the condition in one way; “me” becomes the member who wrote it, for at night nobody is “me”."""
        written = record.only_for or ""
        if record.object != "trash":
            written = conditions.written(record.object, written, self.actor) or ""
        record.only_for = query.write(query.filters_only(query.parse(written))) or None

    def check(self, record: RetentionRule, changed: set[str]) -> None:
        """Refuse what can't be carried out, and what the actor may not do by hand either."""
        if record.act == "erase":
            self.actor.require("privacy:erase")
        elif record.object != "trash" and self.actor.require(f"{record.object}:delete") != "all":
            raise Forbidden(
                _("A rule is for the records of the whole firm; your role reaches a part of them.")
            )
        if record.object == "tickets" and record.act == "erase":
            message = _("Tickets go to the trash first; a rule for the trash removes them for good.")
            raise InvalidInput(message, fields={"act": [message]})
        if record.object == "trash" and record.act == "trash":
            message = _("What lies in the trash can only be removed for good.")
            raise InvalidInput(message, fields={"act": [message]})
        if record.object == "trash" and record.only_for:
            message = _("A rule for the trash is for all that lies in it; leave this empty.")
            raise InvalidInput(message, fields={"only_for": [message]})
        try:
            _asked(record)
        except InvalidInput as error:
            raise InvalidInput(str(error.message), fields={"only_for": [str(error.message)]}) from error

    def search_texts(self, record: RetentionRule) -> Iterable[tuple[str, str]]:
        """Nobody searches for rules."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record whose time is over, and why it is kept all the same: no reason, then it goes."""

    object: str
    id: uuid.UUID
    title: str
    why: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Outlook:
    """What a rule would do now: how many would go and how many are kept, the first of each.

    :param more: that many were looked at, and there are others.
    """

    goes: int = 0
    stays: int = 0
    first: list[Found] = field(default_factory=list)
    kept: list[Found] = field(default_factory=list)
    more: bool = False

    def add(self, one: Found) -> None:
        """Count a record."""
        if one.why:
            self.stays += 1
            shown = self.kept
        else:
            self.goes += 1
            shown = self.first
        if len(shown) < SHOWN:
            shown.append(one)


def can_be_asked(rule: RetentionRule) -> bool:
    """Tell whether all fields that a rule names are there."""
    try:
        _asked(rule)
    except InvalidInput:
        return False
    return True


def rehearse(session: Session, rule: RetentionRule) -> Outlook:
    """Return what a rule would do now, as far as the actor sees the records; nothing is changed."""
    found = Outlook()
    for number, one in enumerate(_look(session, rule)):
        if number == LOOKED:
            found.more = True
            break
        found.add(one)
    return found


def apply(session: Session, rule: RetentionRule) -> Outlook:
    """Carry a rule out for as many records as a night takes, and return what was done and what was kept."""
    done = Outlook()
    for one in _look(session, rule):
        if one.why:
            done.add(one)
        elif _goes(session, rule, one):
            done.add(one)
            if done.goes == NIGHT:
                done.more = True
                break
    return done


# Finding --------------------------------------------------------------------------------------------------


def _since(rule: RetentionRule) -> dt.datetime:
    """Return the moment before which something must lie to be over."""
    now = clock.now()
    if rule.unit == "days":
        return now - dt.timedelta(days=rule.after)
    month = now.year * 12 + now.month - 1 - rule.after
    first = now.replace(year=month // 12, month=month % 12 + 1, day=1)
    following = (first + dt.timedelta(days=32)).replace(day=1)
    return first.replace(day=min(now.day, (following - dt.timedelta(days=1)).day))


def _asked(rule: RetentionRule) -> None:
    if rule.object != "trash":
        _only(rule, rule.object)


def _only(rule: RetentionRule, object_name: str) -> list[Any]:
    kind = get_type(object_name)
    asked = query.parse(rule.only_for or "")
    return filters.conditions(kind, kind.model, asked, context.actor(), context.tenant(), strict=True)


def _look(session: Session, rule: RetentionRule, ids: Sequence[uuid.UUID] | None = None) -> Iterator[Found]:
    """Yield the records whose time is over, the oldest first.

    :param ids: look at these alone.
    """
    for name in IN_TRASH if rule.object == "trash" else (rule.object,):
        yield from _of_kind(session, rule, name, ids)


def _of_kind(
    session: Session, rule: RetentionRule, name: str, ids: Sequence[uuid.UUID] | None
) -> Iterator[Found]:
    kind, since, last = get_type(name), _since(rule), None
    model: Any = kind.model
    recency = _recency(session, name) if name in PEOPLE and rule.object != "trash" else None
    actor = context.actor()
    where = [
        *_over(rule, name, model, since),
        scope.condition(kind, model, actor, actor.scope(f"{name}:read")),
        *((model.id.in_(ids),) if ids is not None else ()),
    ]
    while True:
        statement = select(model.id, getattr(model, kind.title)).where(*where).order_by(model.id).limit(CHUNK)
        if last is not None:
            statement = statement.where(model.id > last)
        rows = session.execute(statement).all()
        known = [row[0] for row in rows]
        heard = recency.since(known, since) if recency is not None else set()
        silent = [one for one in known if one not in heard]
        why = _why(session, rule, name, silent, since)
        for row in rows:
            if row[0] not in heard:
                yield Found(object=name, id=row[0], title=str(row[1] or "–"), why=tuple(why.get(row[0], ())))
        if len(rows) < CHUNK:
            return
        last = rows[-1][0]


def _recency(session: Session, name: str) -> Recency:
    made: dict[str, Recency] = session.info.setdefault("recency", {})
    if name not in made:
        made[name] = Recency(session, name)
    return made[name]


def _over(rule: RetentionRule, name: str, model: Any, since: dt.datetime) -> list[Any]:
    if rule.object == "trash":
        # What was merged goes with the record that it is now; what was erased has nothing left to remove.
        merged = exists().where(Merge.drop_id == model.id, Merge.state == "done")
        erased = exists().where(
            AuditEntry.object == name, AuditEntry.record_id == model.id, AuditEntry.action == "erased"
        )
        return [model.deleted_at < since, ~merged, *((~erased,) if name == "customers" else ())]
    if name == "tickets":
        over = and_(model.status.in_(("resolved", "closed")), model.updated_at < since)
    else:
        over = and_(model.created_at < since, model.updated_at < since)
    return [model.deleted_at.is_(None), over, *_only(rule, name)]


def _why(
    session: Session, rule: RetentionRule, name: str, ids: Sequence[uuid.UUID], since: dt.datetime
) -> dict[uuid.UUID, list[str]]:
    if name in PEOPLE:
        return bonds(session, name, ids, since=since, years=rule.years)
    found = {one: [_("a legal hold")] for one in holds.touching(session, get_type(name).model, ids)}
    if name == "deals" and rule.years and ids:
        paid = clock.now() - dt.timedelta(days=round(rule.years * 365.25))
        model: Any = get_type(name).model
        won = select(model.id).where(model.id.in_(ids), model.status == "won", model.closed_at >= paid)
        for one in session.execute(won).scalars():
            found.setdefault(one, []).append(_("a sale whose papers the law wants kept"))
    return found


# Doing ----------------------------------------------------------------------------------------------------


def _goes(session: Session, rule: RetentionRule, one: Found) -> bool:
    """Let one record go, unless something came in between; tell whether it went."""
    privacy = PrivacyService(session, store(), context.actor())
    try:
        with session.begin_nested():
            trashed = rule.object == "trash"
            service_for(one.object, session, context.actor()).get(one.id, trashed=trashed, lock=True)
            # Who writes a deal for him meanwhile waits for the lock, or was seen by this second look.
            if [again.why for again in _look(session, rule, [one.id])] != [()]:
                return False
            if rule.act == "trash":
                service_for(one.object, session, context.actor()).trash(one.id)
            elif one.object in PEOPLE:
                privacy.retire(
                    one.object, one.id, _("Erased by the rule “%(name)s”", name=rule.name), trashed=trashed
                )
            else:
                why = _("Removed by the rule “%(name)s”", name=rule.name)
                return privacy.purge(one.object, one.id, why) is not None
    except KehuError as error:
        log.info("retention_refused", object=one.object, code=error.code)
        return False
    except IntegrityError:
        # Something points at it that nobody may remove: it stays, and the others go.
        log.warning("retention_failed", object=one.object, record_id=str(one.id))
        return False
    return True
