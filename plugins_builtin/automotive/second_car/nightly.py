"""The work by night: make a row of each household with a car, and score all anew."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import exists
from sqlalchemy.dialects.postgresql import insert

from kehu.api import (
    Call,
    Session,
    and_,
    clock,
    fold,
    household_mates,
    new_id,
    select,
    service_for,
    tenant,
    update_rows,
)
from plugins_builtin.automotive.second_car.evidence import SILENT_DAYS, counts, homes, rate, weights
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.vehicles.models import Vehicle

BATCH = 500


def run(ctx: Call) -> None:
    """Find households and score them; doing it twice changes nothing."""
    open_rows(ctx.session)
    score_all(ctx.session)


def open_rows(session: Session) -> int:
    """Make a row of each person who has a car and lives with nobody who has a row; return how many.

    Who was put into the trash by hand is not made again.
    """
    made = 0
    for batch in _batches(session.execute(_owners(session)).all()):
        mates = household_mates(session, [one.id for one in batch])
        everybody = [mate.customer_id for there in mates.values() for mate in there]
        known = select(SecondCar.customer_id).where(SecondCar.customer_id.in_(everybody))
        taken = set(session.execute(known).scalars())
        rows = []
        for one in batch:
            if taken.isdisjoint(mate.customer_id for mate in mates[one.id]):
                taken.add(one.id)
                rows.append(
                    {
                        "tenant_id": tenant().id,
                        "id": new_id(),
                        "customer_id": one.id,
                        "owner_id": one.owner_id,
                        "name": one.name,
                        "name_norm": fold(one.name),
                    }
                )
        if rows:
            session.execute(insert(SecondCar).values(rows).on_conflict_do_nothing())
        made += len(rows)
    return made


def _owners(session: Session) -> Any:
    customers: Any = service_for("customers", session).type.model
    return (
        select(customers.id, customers.name, customers.owner_id)
        .where(
            customers.deleted_at.is_(None),
            customers.kind == "person",
            exists().where(
                Vehicle.tenant_id == customers.tenant_id,
                Vehicle.customer_id == customers.id,
                counts(clock.now() - dt.timedelta(days=SILENT_DAYS)),
            ),
            ~exists().where(
                SecondCar.tenant_id == customers.tenant_id, SecondCar.customer_id == customers.id
            ),
        )
        .order_by(customers.id)
    )


def score_all(session: Session) -> int:
    """Score all rows, a batch at a time, write those that changed, and return how many did."""
    by, last, changed = weights(session), uuid.UUID(int=0), 0
    while True:
        batch = _batch(session, last)
        if not batch:
            return changed
        rows = [row[0] for row in batch]
        there = homes(session, [one.customer_id for one in rows])
        found = rate(rows, there, by)
        older = _oldest(session, [mate.customer_id for home in there.values() for mate in home.mates])
        wanted = []
        for row in batch:
            one, home = row[0], there[row[0].customer_id]
            first = min(older[mate.customer_id] for mate in home.mates if mate.customer_id in older)
            wanted.append(
                {
                    "id": one.id,
                    "chance": round(found[one.id].chance * 100),
                    "known_cars": home.cars,
                    "doubled": first < one.id,
                    "name": row.customer_name,
                    "name_norm": fold(row.customer_name),
                    "owner_id": one.owner_id or row.customer_owner_id,
                }
            )
        fresh = [
            values
            for one, values in zip(rows, wanted, strict=True)
            if any(getattr(one, key) != value for key, value in values.items())
        ]
        update_rows(session, SecondCar.__table__, fresh)
        changed, last = changed + len(fresh), rows[-1].id
        for one in rows:
            session.expunge(one)  # What is done needs no memory.


def _batch(session: Session, last: uuid.UUID) -> Sequence[Any]:
    customers: Any = service_for("customers", session).type.model
    statement = (
        select(
            SecondCar, customers.name.label("customer_name"), customers.owner_id.label("customer_owner_id")
        )
        .join(
            customers,
            and_(customers.tenant_id == SecondCar.tenant_id, customers.id == SecondCar.customer_id),
        )
        .where(SecondCar.id > last, SecondCar.deleted_at.is_(None))
        .order_by(SecondCar.id)
        .limit(BATCH)
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).all()


def _oldest(session: Session, customer_ids: list[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    statement = select(SecondCar.customer_id, SecondCar.id).where(
        SecondCar.customer_id.in_(customer_ids), SecondCar.deleted_at.is_(None)
    )
    return {row.customer_id: row.id for row in session.execute(statement)}


def _batches(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))
