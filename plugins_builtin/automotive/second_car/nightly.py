"""The work by night: make a row of each household with a car, and score all anew."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from kehu.api import (
    Call,
    Session,
    among,
    fold,
    household_mates,
    insert_rows,
    new_id,
    select,
    service_for,
    tenant,
    update_rows,
)
from plugins_builtin.automotive.second_car.evidence import counts, homes, rate, weights
from plugins_builtin.automotive.second_car.model import Weights
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.vehicles.models import Vehicle

BATCH = 500


def run(ctx: Call) -> None:
    """Find households and score them; doing it twice changes nothing."""
    open_rows(ctx.session)
    score_all(ctx.session)


def open_rows(session: Session) -> int:
    """Make a row of each person who has a car and lives with nobody who has a row; return how many.

    Who was put into the trash by hand is not made again. Each statement asks for a batch by an index, so that none
    grows with the firm.
    """
    last, made = uuid.UUID(int=0), 0
    while True:
        owners = _owners(session, last)
        if not owners:
            return made
        last = owners[-1]
        mates = household_mates(session, owners)
        everybody = [mate.customer_id for there in mates.values() for mate in there]
        known = select(SecondCar.customer_id).where(among(SecondCar.customer_id, everybody))
        taken = set(session.execute(known).scalars())
        rows = []
        for customer in _customers(session, [one for one in owners if one not in taken]).values():
            if customer.kind == "person" and taken.isdisjoint(one.customer_id for one in mates[customer.id]):
                taken.add(customer.id)
                rows.append(_row(customer))
        insert_rows(session, SecondCar.__table__, rows)
        made += len(rows)


def _owners(session: Session, last: uuid.UUID) -> list[uuid.UUID]:
    statement = (
        select(Vehicle.customer_id)
        .distinct()
        .where(Vehicle.customer_id > last, counts())
        .order_by(Vehicle.customer_id)
        .limit(BATCH)
    )
    return [one for one in session.execute(statement).scalars() if one is not None]


def _customers(session: Session, customer_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    customers: Any = service_for("customers", session).type.model
    statement = (
        select(customers.id, customers.name, customers.owner_id, customers.kind)
        .where(among(customers.id, customer_ids), customers.deleted_at.is_(None))
        .order_by(customers.id)
    )
    return {row.id: row for row in session.execute(statement)} if customer_ids else {}


def _row(customer: Any) -> dict[str, Any]:
    return {
        "tenant_id": tenant().id,
        "id": new_id(),
        "customer_id": customer.id,
        "owner_id": customer.owner_id,
        "name": customer.name,
        "name_norm": fold(customer.name),
    }


def score_all(session: Session) -> int:
    """Score all rows, a batch at a time, write those that changed, and return how many did."""
    by, last, changed = weights(session), uuid.UUID(int=0), 0
    while True:
        rows = _batch(session, last)
        if not rows:
            return changed
        fresh = _fresh(session, rows, by)
        update_rows(session, SecondCar.__table__, fresh)
        changed, last = changed + len(fresh), rows[-1].id
        for one in rows:
            session.expunge(one)  # What is done needs no memory.


def _batch(session: Session, last: uuid.UUID) -> Sequence[SecondCar]:
    statement = (
        select(SecondCar)
        .where(SecondCar.id > last, SecondCar.deleted_at.is_(None))
        .order_by(SecondCar.id)
        .limit(BATCH)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def _fresh(session: Session, rows: Sequence[SecondCar], by: Weights) -> list[dict[str, Any]]:
    """Return what rows should hold, of those that hold something else."""
    ids = [one.customer_id for one in rows]
    there, customers = homes(session, ids), _customers(session, ids)
    found = rate(rows, there, by)
    older = _oldest(session, [mate.customer_id for home in there.values() for mate in home.mates])
    fresh = []
    for one in rows:
        home, customer = there[one.customer_id], customers.get(one.customer_id)
        values = {
            "id": one.id,
            "chance": round(found[one.id].chance * 100),
            "known_cars": home.cars,
            "doubled": min(older[it.customer_id] for it in home.mates if it.customer_id in older) < one.id,
            "name": customer.name if customer else one.name,
            "name_norm": fold(customer.name) if customer else one.name_norm,
            "owner_id": one.owner_id or (customer.owner_id if customer else None),
        }
        if any(getattr(one, key) != value for key, value in values.items()):
            fresh.append(values)
    return fresh


def _oldest(session: Session, customer_ids: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    statement = select(SecondCar.customer_id, SecondCar.id).where(
        among(SecondCar.customer_id, customer_ids), SecondCar.deleted_at.is_(None)
    )
    return {row.customer_id: row.id for row in session.execute(statement)}
