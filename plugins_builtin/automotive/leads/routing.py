"""Who gets a lead: the owner of a known person, then the first rule that fits, then the one whose turn it is.

Who is away is passed over. Until the firm says who takes part, all members do that may write leads.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import (
    InvalidInput,
    NotFound,
    Session,
    _,
    actor,
    audit,
    clean,
    clock,
    fold,
    insert,
    members_who_may,
    new_id,
    parse_id,
    select,
    tenant,
)
from plugins_builtin.automotive.leads.models import Lead, LeadRule, LeadTurn
from plugins_builtin.automotive.leads.permissions import OVERSEE

WRITE = "automotive.leads:write"


class Routes:
    """Say who gets leads.

    :param session: the unit of work.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.today = clock.today(tenant().tz)
        self._turns: dict[uuid.UUID, LeadTurn] | None = None

    @property
    def turns(self) -> dict[uuid.UUID, LeadTurn]:
        """What is known of each member: whether he takes part, when he had the last one, until when he is away."""
        if self._turns is None:
            statement = select(LeadTurn).limit(500).execution_options(populate_existing=True)
            rows = self.session.execute(statement).scalars()
            self._turns = {row.member_id: row for row in rows}
        return self._turns

    def able(self) -> list[uuid.UUID]:
        """Return the members who may have leads, whether they take part or not."""
        return members_who_may(self.session, WRITE)

    def present(self, member_id: uuid.UUID | None) -> bool:
        """Tell whether a member is there to answer."""
        turn = self.turns.get(member_id) if member_id else None
        return member_id is not None and (
            turn is None or turn.away_until is None or turn.away_until < self.today
        )

    def give(self, lead: Lead, known_owner: uuid.UUID | None) -> uuid.UUID | None:
        """Return who gets a lead; who looks after the person comes first, as long as he is there."""
        able = self.able()
        if known_owner in able and self.present(known_owner):
            return known_owner
        for rule in self.rules():
            if rule.member_id in able and self.present(rule.member_id) and fits(rule, lead):
                return self._mark(rule.member_id)
        return self.next(able=able)

    def next(
        self, *, able: Sequence[uuid.UUID] | None = None, besides: uuid.UUID | None = None
    ) -> uuid.UUID | None:
        """Return whose turn it is, and note that he had it: who has waited longest among those who are there."""
        found = list(able if able is not None else self.able())
        taking = [one for one in found if one in self.turns and self.turns[one].takes]
        ready = [one for one in taking or found if self.present(one) and one != besides]
        if not ready:
            return None
        long_ago = dt.datetime.min.replace(tzinfo=dt.UTC)

        def waited(one: uuid.UUID) -> dt.datetime:
            turn = self.turns.get(one)
            return (turn.last_at if turn else None) or long_ago

        return self._mark(min(ready, key=waited))

    def _mark(self, member_id: uuid.UUID) -> uuid.UUID:
        self._set(member_id, last_at=clock.now())
        return member_id

    def _set(self, member_id: uuid.UUID, **values: Any) -> None:
        row = {"tenant_id": tenant().id, "id": new_id(), "member_id": member_id, **values}
        self.session.execute(
            insert(LeadTurn)
            .values(row)
            .on_conflict_do_update(
                index_elements=["tenant_id", "member_id"],
                set_=values,
                where=LeadTurn.tenant_id == tenant().id,
            )
        )
        self._turns = None

    # What managers set ---------------------------------------------------------------------

    def take_part(self, member_id: object, *, takes: bool, away_until: str = "") -> None:
        """Say whether a member takes part in the turns, and until when he is away.

        :raises InvalidInput: names `away_until` when it is no day.
        """
        who = actor()
        who.require(OVERSEE)
        found = parse_id(member_id)
        if found is None or found not in self.able():
            raise NotFound(_("There is no such member who may have leads."))
        away: dt.date | None = None
        if away_until.strip():
            try:
                away = dt.date.fromisoformat(away_until.strip())
            except ValueError as error:
                message = _("Write the day as 2026-11-29.")
                raise InvalidInput(message, fields={"away_until": [message]}) from error
        before = self.turns.get(found)
        was = [before.takes, before.away_until.isoformat() if before.away_until else None] if before else []
        self._set(found, takes=takes, away_until=away)
        audit(
            self.session, object="automotive.lead_turns", record_id=found, action="updated",
            title=_("Turns for leads"),
            changes={"takes": [was, [takes, away.isoformat() if away else None]]},
        )  # fmt: skip

    def rules(self) -> list[LeadRule]:
        """Return the rules, in the order in which they are tried."""
        statement = select(LeadRule).where(LeadRule.deleted_at.is_(None)).order_by(LeadRule.id).limit(100)
        return list(self.session.execute(statement).scalars())

    def add_rule(self, values: Mapping[str, str]) -> LeadRule:
        """Add a rule behind the others.

        :raises InvalidInput: names each field that is wrong.
        """
        who = actor()
        who.require(OVERSEE)
        source, make = (clean(values.get(key, ""))[:120] for key in ("source", "make"))
        member_id = parse_id(values.get("member_id"))
        errors: dict[str, list[str]] = {}
        if not source and not make:
            errors["source"] = [_("Write a part of the source's name, a make, or both.")]
        if member_id is None or member_id not in self.able():
            errors["member_id"] = [_("Choose one from the list.")]
        if errors or member_id is None:
            raise InvalidInput(_("Some fields need another value."), fields=errors)
        rule = LeadRule(
            id=new_id(), tenant_id=tenant().id, version=1, source=source, make=make, member_id=member_id,
            created_by=who.member_id, updated_by=who.member_id,
        )  # fmt: skip
        self.session.add(rule)
        self._trail(rule, "created")
        return rule

    def set_rule_gone(self, rule_id: object, gone: bool) -> LeadRule:
        """Take a rule away, or bring it back."""
        who = actor()
        who.require(OVERSEE)
        rule: Any = None
        found = parse_id(rule_id)
        if found is not None:
            statement = select(LeadRule).where(LeadRule.id == found).with_for_update()
            rule = self.session.execute(statement).scalar_one_or_none()
        if rule is None or (rule.deleted_at is not None) == gone:
            raise NotFound(_("There is no such rule."))
        rule.deleted_at = clock.now() if gone else None
        rule.deleted_by = who.member_id if gone else None
        self._trail(rule, "trashed" if gone else "restored")
        return rule  # type: ignore[no-any-return]

    def _trail(self, rule: LeadRule, action: str) -> None:
        audit(
            self.session,
            object="automotive.lead_rules",
            record_id=rule.id,
            action=action,
            title=" ".join(part for part in (rule.source, rule.make) if part),
        )


def fits(rule: LeadRule, lead: Lead) -> bool:
    """Tell whether a rule is meant for a lead."""
    makes = {fold(str(car.get("make", ""))) for car in lead.wanted}
    source = not rule.source or fold(rule.source) in fold(lead.source)
    return source and (not rule.make or fold(rule.make) in makes)
