"""Keep protections and decide cases."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import case as when

from kehu.api import (
    Actor,
    Conflict,
    InvalidInput,
    NotFound,
    Session,
    _,
    actor,
    and_,
    audit,
    clock,
    func,
    insert,
    new_id,
    or_,
    parse_id,
    plugin_settings,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.protection.models import Collision, Protection
from plugins_builtin.automotive.protection.permissions import DECIDE, READ
from plugins_builtin.automotive.protection.rules import STEPS, Claim, Rules, Verdict, judge, live, read_shares

if TYPE_CHECKING:
    from plugins_builtin.automotive.showroom.models import Visit

NEAR = ("spouse", "parent")
"""Kinds of relations that make two customers the same for these rules; `parent` holds for the child, too."""
PAGE = 50
CASES, PROTECTIONS = f"{SLUG}.collisions", f"{SLUG}.protections"


class ProtectionService:
    """Say whose a customer is, by the tenant's rules.

    :param session: the unit of work.
    """

    def __init__(self, session: Session, who: Actor | None = None) -> None:
        self.session = session
        self.actor = who or actor()
        self.rules = Rules.of(plugin_settings(session, SLUG))

    # --- what stands --------------------------------------------------------------------------------------

    def same(self, customer_id: uuid.UUID) -> set[uuid.UUID]:
        """Return a customer with those who count as the same: the household, and near relatives."""
        found = {customer_id}
        if not self.rules.relatives:
            return found
        belongs: Any = service_for("household_members", self.session).type.model
        here = and_(belongs.to_on.is_(None), belongs.deleted_at.is_(None))
        mine = select(belongs.household_id).where(belongs.customer_id == customer_id, here)
        found |= set(
            self.session.execute(
                select(belongs.customer_id).where(belongs.household_id.in_(mine), here).limit(100)
            ).scalars()
        )
        relation: Any = service_for("relations", self.session).type.model
        statement = select(relation.customer_id, relation.other_id).where(
            or_(relation.customer_id == customer_id, relation.other_id == customer_id),
            relation.kind.in_(NEAR),
            relation.to_on.is_(None),
            relation.deleted_at.is_(None),
        )
        for row in self.session.execute(statement.limit(100)):
            found |= {row.customer_id, row.other_id}
        return found

    def claims(
        self, customer_id: uuid.UUID | None, phones: Iterable[str | None], but: uuid.UUID | None = None
    ) -> tuple[Claim, ...]:
        """Return the live claims on a customer, and those by visits that were noted with a number alone.

        :param but: a visit that makes no claim, as it is the one that is judged.
        """
        numbers = [one for one in phones if one]
        found = self._held_claims(customer_id) if customer_id is not None else []
        if numbers:
            found += self._noted_claims(customer_id, numbers, but)
        return live(found, clock.now())

    def _held_claims(self, customer_id: uuid.UUID) -> list[Claim]:
        statement = select(Protection).where(
            Protection.customer_id.in_(self.same(customer_id)),
            Protection.ended_at.is_(None),
            Protection.until > clock.now(),
        )
        return [
            Claim(holder=one.holder_id, event=one.event, contact_at=one.contact_at, until=one.until)
            for one in self.session.execute(statement.limit(100)).scalars()
        ]

    def _noted_claims(
        self, customer_id: uuid.UUID | None, numbers: Sequence[str], but: uuid.UUID | None
    ) -> list[Claim]:
        from plugins_builtin.automotive.showroom.models import Visit

        since = clock.now() - dt.timedelta(days=self.rules.order_days)
        statement = select(Visit.id, Visit.owner_id, Visit.step, Visit.arrived_at).where(
            Visit.phone_norm.in_(numbers),
            Visit.owner_id.is_not(None),
            Visit.deleted_at.is_(None),
            Visit.arrived_at > since,
        )
        if customer_id is not None:
            statement = statement.where(Visit.customer_id.is_(None))
        rows = [row for row in self.session.execute(statement.limit(100)) if row.id != but]
        if not rows:
            return []
        decided_at, winner = self._decision(customer_id, numbers)
        found = []
        for row in rows:
            if decided_at is not None and row.arrived_at <= decided_at and row.owner_id != winner:
                continue  # Who lost the case has no claim left by what was before it.
            event = STEPS[row.step]
            until = row.arrived_at + dt.timedelta(days=self.rules.days(event))
            found.append(Claim(holder=row.owner_id, event=event, contact_at=row.arrived_at, until=until))
        return found

    def _decision(
        self, customer_id: uuid.UUID | None, numbers: Sequence[str]
    ) -> tuple[dt.datetime | None, uuid.UUID | None]:
        """Return when a case about a customer or number was decided last, and who won it."""
        about: Any = Collision.phone_norm.in_(numbers)
        if customer_id is not None:
            about = or_(about, Collision.customer_id == customer_id)
        statement = (
            select(Collision)
            .where(about, Collision.state == "decided")
            .order_by(Collision.decided_at.desc())
            .limit(1)
        )
        found = self.session.execute(statement).scalar_one_or_none()
        return (None, None) if found is None else (found.decided_at, _winner(found.shares))

    def card(self, customer_id: uuid.UUID) -> Sequence[Claim]:
        """Return who is protected at a customer whom the actor may see.

        :raises NotFound: when he may not.
        """
        self.actor.require(READ)
        customer = service_for("customers", self.session).get(customer_id)
        return self.claims(customer_id, [one["number"] for one in customer.phones])

    def look_up(self, phone: str) -> Sequence[Claim]:
        """Return who is protected for a phone number, without whose it is; the question is kept in the trail.

        :raises InvalidInput: when it can't be a phone number.
        """
        from plugins_builtin.automotive.showroom.services import VisitService

        self.actor.require(READ)
        visits = VisitService(self.session, self.actor)
        number = visits.number(phone)
        if not number:
            message = _("Write the phone number of who came.")
            raise InvalidInput(message, fields={"phone": [message]})
        audit(
            self.session, object=PROTECTIONS, record_id=self.actor.member_id or new_id(), action="looked_up",
            title=f"…{number[-4:]}",
        )  # fmt: skip
        return self.claims(visits.customer_of(number), [number])

    # --- what happens -------------------------------------------------------------------------------------

    def renew(self, customer_id: uuid.UUID, holder: uuid.UUID, event: str, at: dt.datetime) -> None:
        """Protect a customer for a member from an effective contact on; a longer protection is never cut.

        The latest contact counts in any case: by it the rules tell who comes first.
        """
        days = self.rules.days(event)
        until = at + dt.timedelta(days=days)
        statement = insert(Protection).values(
            id=new_id(), tenant_id=tenant().id, customer_id=customer_id, holder_id=holder, event=event, since=at,
            contact_at=at, until=until, days=days,
        )  # fmt: skip
        new = statement.excluded
        longer, later = new.until > Protection.until, new.contact_at > Protection.contact_at
        self.session.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "customer_id", "holder_id"],
                index_where=Protection.ended_at.is_(None),
                set_={
                    "event": when((longer, new.event), else_=Protection.event),
                    "days": when((longer, new.days), else_=Protection.days),
                    "until": func.greatest(new.until, Protection.until),
                    "contact_at": func.greatest(new.contact_at, Protection.contact_at),
                },
                where=or_(longer, later),
            )
        )

    def receive(self, visit: Visit) -> Verdict:
        """Judge a visit: protect its host, send the visitor to whom he belongs, or open a case."""
        claims = self.claims(visit.customer_id, [visit.phone_norm], but=visit.id)
        verdict = judge(claims, visit.owner_id, clock.now())
        if verdict.kind == "free":
            if visit.owner_id is not None and visit.customer_id is not None:
                self.renew(visit.customer_id, visit.owner_id, STEPS[visit.step], visit.arrived_at)
            return verdict
        if visit.owner_id is None:
            if verdict.holder is not None:
                visit.owner_id = verdict.holder
            return verdict
        self._open(verdict, visit.customer_id, visit.phone_norm, visit.owner_id, visit.id)
        return verdict

    def asked(self, claims: Sequence[Claim], customer_id: uuid.UUID) -> Collision | None:
        """Judge a request that came in by itself: where several have a claim, a case is opened."""
        verdict = judge(claims, None, clock.now())
        return self._open(verdict, customer_id, None, None, None) if verdict.kind == "conflict" else None

    def help(self, customer_id: uuid.UUID) -> Collision:
        """Note that the actor helps with a customer of somebody else.

        :raises Conflict: when the customer is nobody's or his own.
        """
        self.actor.require("automotive.visits:write")
        verdict = judge(self.card(customer_id), self.actor.member_id, clock.now())
        if verdict.kind == "free" or self.actor.member_id is None:
            raise Conflict(_("Nobody else is protected for this customer, so there is nobody to help."))
        return self._open(verdict, customer_id, None, self.actor.member_id, None)

    def forget_visit(self, visit: Visit) -> None:
        """Let go of what a removed visit had brought: its protection and its case, if nothing else renewed them."""
        if visit.customer_id is not None and visit.owner_id is not None:
            held = self._held(visit.customer_id, visit.owner_id)
            if held is not None and (held.contact_at, held.event) == (visit.arrived_at, STEPS[visit.step]):
                held.ended_at, held.ended_because = clock.now(), "visit_removed"
        statement = select(Collision).where(Collision.visit_id == visit.id, Collision.decided_by.is_(None))
        for case in self.session.execute(statement.with_for_update()).scalars().all():
            self._trail(case, "deleted", {"state": [case.state, None]})
            self.session.delete(case)

    def _held(self, customer_id: uuid.UUID, holder: uuid.UUID) -> Protection | None:
        statement = select(Protection).where(
            Protection.customer_id == customer_id,
            Protection.holder_id == holder,
            Protection.ended_at.is_(None),
        )
        return self.session.execute(statement.with_for_update()).scalar_one_or_none()

    def _open(
        self,
        verdict: Verdict,
        customer_id: uuid.UUID | None,
        phone: str | None,
        brought_by: uuid.UUID | None,
        visit_id: uuid.UUID | None,
    ) -> Collision:
        known = self._known(customer_id, phone, brought_by, visit_id)
        if known is not None:
            return known
        now = clock.now()
        shares: dict[str, int] = {}
        if verdict.holder is not None and brought_by is not None:
            shares = {
                str(verdict.holder): 100 - self.rules.help_share,
                str(brought_by): self.rules.help_share,
            }
        case = Collision(
            id=new_id(), tenant_id=tenant().id, customer_id=customer_id, phone_norm=phone, kind=verdict.kind,
            state="settled" if verdict.kind == "help" else "open", visit_id=visit_id, brought_by=brought_by,
            claims=[_as_json(one) for one in verdict.claims], rules=asdict(self.rules), shares=shares,
            opened_at=now, due_at=now + dt.timedelta(hours=self.rules.case_hours),
        )  # fmt: skip
        self.session.add(case)
        self.session.flush()
        self._trail(case, "created")
        return case

    def _known(
        self,
        customer_id: uuid.UUID | None,
        phone: str | None,
        who: uuid.UUID | None,
        visit_id: uuid.UUID | None,
    ) -> Collision | None:
        """Return the case that was opened already: of the same visit, whatever became of it, or of late."""
        about = Collision.customer_id == customer_id if customer_id else Collision.phone_norm == phone
        recent = Collision.opened_at > clock.now() - dt.timedelta(days=self.rules.appeal_days)
        same = and_(Collision.brought_by == who, Collision.decided_at.is_(None), recent)
        if visit_id is not None:
            same = or_(same, Collision.visit_id == visit_id)
        statement = select(Collision).where(about, same).order_by(Collision.id).limit(1)
        return self.session.execute(statement).scalar_one_or_none()

    # --- cases --------------------------------------------------------------------------------------------

    def cases(self, state: str = "", after: object = None) -> Sequence[Collision]:
        """Return the cases that the actor may see, those that wait the longest first.

        Who decides sees all; others see those in which they have a part.

        :param state: open (undecided), or empty for all, the newest first.
        :param after: the last one of the page before.
        """
        self.actor.require(READ)
        statement = select(Collision)
        if not self.actor.may(DECIDE):
            me = str(self.actor.member_id)
            statement = statement.where(
                or_(
                    Collision.brought_by == self.actor.member_id,
                    Collision.claims.contains([{"holder": me}]),
                )
            )
        last = parse_id(after)
        if state == "open":
            waiting = Collision.state.in_(("open", "appealed"))
            statement = statement.where(waiting).order_by(Collision.due_at, Collision.id)
            if last is not None:
                due = select(Collision.due_at).where(Collision.id == last).scalar_subquery()
                later = and_(Collision.due_at == due, Collision.id > last)
                statement = statement.where(or_(Collision.due_at > due, later))
        else:
            statement = statement.order_by(Collision.id.desc())
            if last is not None:
                statement = statement.where(Collision.id < last)
        return self.session.execute(statement.limit(PAGE + 1)).scalars().all()

    def case(self, case_id: object, *, lock: bool = False) -> Collision:
        """Return a case in which the actor has a part, or any for who decides.

        :raises NotFound: for others.
        """
        self.actor.require(READ)
        found = parse_id(case_id)
        statement = select(Collision).where(Collision.id == found)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        case = self.session.execute(statement).scalar_one_or_none() if found else None
        if case is None or not (self.actor.may(DECIDE) or self.actor.member_id in claimants(case)):
            raise NotFound(_("There is no such case."))
        return case

    def decide(self, case_id: object, given: Mapping[str, str], reason: str, version: int) -> Collision:
        """Divide a customer between those who claim him; the largest share keeps the protection.

        :param given: percent by member.
        :raises InvalidInput: when the shares make no whole, or the reason is missing.
        :raises Conflict: when somebody decided in the meantime.
        """
        self.actor.require(DECIDE)
        case = self.case(case_id, lock=True)
        if case.version != version:
            raise Conflict(_("Somebody decided this case in the meantime. Look at it again."))
        shares = read_shares(given, claimants(case))
        errors: dict[str, list[str]] = {}
        if shares is None:
            errors["shares"] = [_("Give shares in whole percent that make 100 together.")]
        if not reason.strip():
            errors["reason"] = [_("Write the reason; those concerned will read it.")]
        if shares is None or errors:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        before = {"state": case.state, "shares": dict(case.shares)}
        case.shares, case.reason, case.state = shares, reason.strip()[:2000], "decided"
        case.decided_at, case.decided_by = clock.now(), self.actor.member_id
        if case.customer_id is not None:
            self._settle(case.customer_id, _winner(shares), claimants(case))
        self._trail(
            case, "decided", {"shares": [before["shares"], shares], "state": [before["state"], "decided"]}
        )
        return case

    def object_to(self, case_id: object, why: str) -> Collision:
        """Object to a decision within the time for it; it waits for another one.

        :raises InvalidInput: without a reason.
        :raises Conflict: when the time is over, or there is no decision.
        """
        self.actor.require("automotive.visits:write")
        case = self.case(case_id, lock=True)
        if case.state not in ("decided", "settled") or clock.now() > self.appeal_until(case):
            raise Conflict(_("The time to object is over, or there is no decision yet."))
        if self.actor.member_id not in claimants(case):
            raise Conflict(_("Only those who have a part in the case can object."))
        if not why.strip():
            message = _("Write what speaks against the decision.")
            raise InvalidInput(message, fields={"appeal": [message]})
        before, case.state = case.state, "appealed"
        case.appeal = why.strip()[:2000]
        case.due_at = clock.now() + dt.timedelta(hours=int(case.rules["case_hours"]))
        self._trail(case, "appealed", {"state": [before, "appealed"]})
        return case

    @staticmethod
    def appeal_until(case: Collision) -> dt.datetime:
        """Return until when a decision may be objected to."""
        return (case.decided_at or case.opened_at) + dt.timedelta(days=int(case.rules["appeal_days"]))

    def _settle(self, customer_id: uuid.UUID, winner: uuid.UUID, others: Sequence[uuid.UUID]) -> None:
        from plugins_builtin.automotive.leads.answering import hand_over

        now = clock.now()
        statement = select(Protection).where(
            Protection.customer_id.in_(self.same(customer_id)),
            Protection.holder_id.in_([one for one in others if one != winner]),
            Protection.ended_at.is_(None),
        )
        for held in self.session.execute(statement.with_for_update()).scalars():
            held.ended_at, held.ended_because = now, "decided"
        self.session.flush()
        self.renew(customer_id, winner, "decision", now)
        hand_over(self.session, customer_id, winner)

    def _trail(self, case: Collision, action: str, changes: dict[str, list[Any]] | None = None) -> None:
        self.session.flush()
        audit(
            self.session, object=CASES, record_id=case.id, action=action, title=case.kind, changes=changes,
            version=case.version,
        )  # fmt: skip


def claimants(case: Collision) -> list[uuid.UUID]:
    """Return the members who have a part in a case, who brought it last."""
    found = [uuid.UUID(one["holder"]) for one in case.claims]
    return found if case.brought_by in found or case.brought_by is None else [*found, case.brought_by]


def _winner(shares: Mapping[str, int]) -> uuid.UUID:
    return uuid.UUID(max(shares, key=lambda one: shares[one]))


def _as_json(claim: Claim) -> dict[str, str]:
    return {
        "holder": str(claim.holder),
        "event": claim.event,
        "contact_at": claim.contact_at.isoformat(),
        "until": claim.until.isoformat(),
    }
