"""The work list: whom to ask now, why, and what came of it so far."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import not_, tuple_

from kehu.api import (
    Mate,
    Session,
    actor,
    all_with,
    and_,
    clock,
    func,
    opted_out,
    or_,
    parse_id,
    plugin_settings,
    readable,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.base import SLUG
from plugins_builtin.automotive.second_car.evidence import evidence, homes, weights
from plugins_builtin.automotive.second_car.model import Score, score
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.second_car.permissions import NAME, READ
from plugins_builtin.automotive.second_car.words import COMES_BACK

PAGE = 25
OPEN_TICKETS = ("new", "open", "waiting")
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A household of the work list; who is held back is not to be called now."""

    row: SecondCar
    name: str
    found: Score
    mates: Sequence[Mate]
    open_ticket: bool
    opted_out: bool

    @property
    def place(self) -> str:
        """The place of the line in the list, for the next page."""
        return f"{self.row.chance}.{self.row.id}"


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What came of asking within a year."""

    asked: int = 0
    interested: int = 0
    won: int = 0


def lines(session: Session, *, held: bool = False, mine: bool = False, after: str = "") -> list[Line]:
    """Return households with one known car that may be asked now, the likeliest first, one more than a page.

    :param held: those that are held back instead: somebody wants no calls, or a ticket of theirs is open.
    :param mine: only those of the actor.
    """
    actor().require(READ)
    found = session.execute(_statement(session, held=held, mine=mine, after=after)).all()
    there = homes(session, [row[0].customer_id for row in found])
    by = weights(session)
    return [
        Line(
            row=row[0],
            name=row.customer_name,
            found=score(evidence(row[0], there[row[0].customer_id]), by),
            mates=there[row[0].customer_id].mates,
            open_ticket=row.open_ticket,
            opted_out=row.opted_out,
        )
        for row in found
    ]


def count(session: Session) -> int:
    """Return how many households may be asked now, as `lines` shows them."""
    every = _statement(session, held=False, mine=False, after="").order_by(None).limit(None)
    return int(session.execute(every.with_only_columns(func.count())).scalar_one())


def _statement(session: Session, *, held: bool, mine: bool, after: str) -> Any:
    customers: Any = service_for("customers", session).type.model
    waiting, stopped = _open_ticket(session), opted_out(customers, "phone", "marketing")
    blocked = or_(waiting, stopped)
    statement = (
        select(
            SecondCar,
            customers.name.label("customer_name"),
            waiting.label("open_ticket"),
            stopped.label("opted_out"),
        )
        .join(
            customers,
            and_(customers.tenant_id == SecondCar.tenant_id, customers.id == SecondCar.customer_id),
        )
        .where(
            readable(NAME),
            readable("customers"),
            SecondCar.known_cars == 1,
            not_(SecondCar.doubled),
            SecondCar.chance >= plugin_settings(session, SLUG)["second_car_least"],
            or_(
                SecondCar.outcome == "open",
                and_(
                    SecondCar.outcome.in_(COMES_BACK),
                    or_(SecondCar.again_on.is_(None), SecondCar.again_on <= clock.today(tenant().tz)),
                ),
            ),
            blocked if held else not_(blocked),
        )
        .order_by(SecondCar.chance.desc(), SecondCar.id.desc())
        .limit(PAGE + 1)
    )
    if mine:
        statement = statement.where(SecondCar.owner_id == actor().member_id)
    chance, _dot, last = after.partition(".")
    last_id = parse_id(last)
    if last_id is not None and re.fullmatch(r"\d{1,3}", chance):
        statement = statement.where(tuple_(SecondCar.chance, SecondCar.id) < (int(chance), last_id))
    return statement


def _open_ticket(session: Session) -> Any:
    """Return whether anybody of the household waits for an answer to a complaint or a question.

    Who waits is asked once, not for each household: there are few open tickets, and many of other kinds.
    """
    tickets: Any = service_for("tickets", session).type.model
    waiting = select(tickets.customer_id).where(
        tickets.tenant_id == tenant().id,
        tickets.status.in_(OPEN_TICKETS),
        tickets.customer_id.is_not(None),
        tickets.deleted_at.is_(None),
    )
    return or_(SecondCar.customer_id.in_(waiting), SecondCar.customer_id.in_(all_with(waiting)))


def blocked(session: Session, row: SecondCar) -> Mapping[str, bool]:
    """Return what speaks against calling one household now."""
    customers: Any = service_for("customers", session).type.model
    statement = (
        select(
            _open_ticket(session).label("open_ticket"),
            opted_out(customers, "phone", "marketing").label("opted_out"),
        )
        .select_from(SecondCar)
        .join(
            customers,
            and_(customers.tenant_id == SecondCar.tenant_id, customers.id == SecondCar.customer_id),
        )
        .where(SecondCar.id == row.id)
    )
    found = session.execute(statement).one()
    return {"open_ticket": found.open_ticket, "opted_out": found.opted_out}


def so_far(session: Session) -> Sum:
    """Return what came of asking within a year, as far as the actor sees the households."""
    deals: Any = service_for("deals", session).type.model
    statement = (
        select(
            func.count().label("asked"),
            func.count().filter(SecondCar.outcome == "interested").label("interested"),
            func.count().filter(deals.status == "won").label("won"),
        )
        .select_from(SecondCar)
        .outerjoin(
            deals,
            and_(
                deals.tenant_id == SecondCar.tenant_id,
                deals.id == SecondCar.deal_id,
                deals.deleted_at.is_(None),
            ),
        )
        .where(
            readable(NAME),
            SecondCar.outcome != "open",
            SecondCar.asked_on > clock.today(tenant().tz) - YEAR,
        )
    )
    found = session.execute(statement).one()
    return Sum(asked=found.asked, interested=found.interested, won=found.won)
