"""Which next steps are suggested now, and what people decide on them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.addons.calls import call
from kehu.core import audit, clock, context, hooks
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records.service import service_for
from kehu.core.records.undo import register_action
from kehu.suggestions import own
from kehu.suggestions.models import SuggestionDecision
from kehu.suggestions.own import Subject
from plugins.results import Suggestion

OBJECTS = ("customers", "deals")
MOST = 5
QUIET = {"accepted": dt.timedelta(days=30), "dismissed": dt.timedelta(days=90)}
"""Decision -> how long a suggestion is not made again."""
COUNTED = dt.timedelta(days=180)


class SuggestionService:
    """Suggest next steps for one record.

    :raises NotFound: when the actor may not see the record.
    """

    def __init__(self, session: Session, object_name: str, record_id: object) -> None:
        if object_name not in OBJECTS:
            raise NotFound(_("There is no such kind of record."))
        self.session = session
        self.actor = context.actor()
        record: Any = service_for(object_name, session).get(record_id)
        self.subject = Subject(object=object_name, record=record)

    def suggestions(self) -> list[Suggestion]:
        """Return the best suggestions that nobody decided on lately, the most urgent first."""
        found = [*own.of(self.session, self.subject), *self._of_plugins()]
        decided = self._decided()
        fresh = {one.key: one for one in found if one.key not in decided}
        return sorted(fresh.values(), key=lambda one: (-one.score, one.key))[:MOST]

    def _of_plugins(self) -> list[Suggestion]:
        """Ask the plugins; one that fails is left out, and so is what does not carry its name."""
        enabled, relay = hooks.enabled(), hooks.host().relay
        found: list[Suggestion] = []
        for slug in relay.implementers("kehu_suggestions", enabled) if enabled else ():
            entries = relay.items(
                "kehu_suggestions",
                enabled=frozenset((slug,)),
                tenant=context.tenant().id,
                ctx=call(slug),
                subject=self.subject,
            )
            made: list[Any] = [one.value for one in entries]
            found += [one for one in made if one.key.startswith(f"{slug}.")]
        return found

    def _decided(self) -> set[str]:
        row = SuggestionDecision
        statement = select(row.key).where(
            row.object == self.subject.object, row.record_id == self.subject.id, row.until > clock.now()
        )
        return set(self.session.execute(statement).scalars())

    def accept(self, key: str) -> Suggestion:
        """Do what is suggested: plan the step, or lead to where it is done.

        :raises Conflict: when it does not hold any more, or somebody decided at the same moment.
        """
        self.actor.require("activities:write")
        one = self._one(key)
        self._decide(one, "accepted")
        if one.step is not None:
            due = clock.now() + dt.timedelta(days=one.step.days)
            links = {"deal_id": str(self.subject.id)} if self.subject.object == "deals" else {}
            if self.subject.customer_id is not None:
                links["customer_id"] = str(self.subject.customer_id)
            values = {"kind": one.step.kind, "subject": str(one.step.subject), "due_at": due.isoformat()}
            service_for("activities", self.session).create({**values, **links})
        return one

    def dismiss(self, key: str) -> Suggestion:
        """Say that a suggestion is of no use; it is not made again for some time."""
        self.actor.require("activities:write")
        one = self._one(key)
        self._decide(one, "dismissed")
        return one

    def _one(self, key: str) -> Suggestion:
        found = next((one for one in self.suggestions() if one.key == key), None)
        if found is None:
            raise Conflict(_("This suggestion does not hold any more; nothing was done."))
        return found

    def _decide(self, one: Suggestion, decision: str) -> None:
        now, title = clock.now(), str(one.title)[:200]
        values = {
            "kind": one.key.partition(":")[0],
            "title": title,
            "decision": decision,
            "at": now,
            "until": now + QUIET[decision],
            "member_id": self.actor.member_id,
        }
        statement = insert(SuggestionDecision).values(
            tenant_id=context.tenant().id,
            id=new_id(),
            object=self.subject.object,
            record_id=self.subject.id,
            customer_id=self.subject.customer_id,
            key=one.key,
            **values,
        )
        new = statement.excluded
        done = self.session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "object", "record_id", "key"],
                set_={key: getattr(new, key) for key in values},
                where=SuggestionDecision.until <= now,
            ).returning(SuggestionDecision.id)
        ).scalar()
        if done is None:
            raise Conflict(_("Somebody decided on this at the same moment; nothing was done twice."))
        audit.note(
            self.session,
            object=self.subject.object,
            record_id=self.subject.id,
            action=f"suggestion_{decision}",
            title=title,
            changes={"suggestion": [None, one.key]},
            customer_id=self.subject.customer_id,
        )


def worth(session: Session) -> Sequence[Any]:
    """Return how often each kind of suggestion was taken up and declined lately."""
    row = SuggestionDecision
    statement = (
        select(
            row.kind,
            func.max(row.title).label("example"),
            func.count().filter(row.decision == "accepted").label("accepted"),
            func.count().filter(row.decision == "dismissed").label("dismissed"),
        )
        .where(row.at > clock.now() - COUNTED)
        .group_by(row.kind)
        .order_by(func.count().desc(), row.kind)
        .limit(100)
    )
    return session.execute(statement).all()


def _take_back(session: Session, entry: audit.AuditEntry) -> None:
    """Forget a decision, so that the suggestion may be made again."""
    context.actor().require("activities:write")
    service_for(entry.object, session).get(entry.record_id)
    session.execute(
        delete(SuggestionDecision).where(
            SuggestionDecision.object == entry.object,
            SuggestionDecision.record_id == entry.record_id,
            SuggestionDecision.key == str(entry.changes["suggestion"][1]),
        )
    )


for _decision in QUIET:
    register_action(f"suggestion_{_decision}", _take_back)
