"""Write what is known of households and what came of asking."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from kehu.api import (
    Conflict,
    FollowingService,
    InvalidInput,
    _,
    clock,
    fold,
    household_mates,
    parse_id,
    select,
    service_for,
)
from plugins_builtin.automotive.second_car.evidence import homes, rate, weights
from plugins_builtin.automotive.second_car.models import SecondCar
from plugins_builtin.automotive.second_car.permissions import NAME
from plugins_builtin.automotive.second_car.words import COMES_BACK


class SecondCarService(FollowingService[SecondCar]):
    """Keep households; one row for all who live together."""

    type_name = NAME

    # What the platform asks ---------------------------------------------------------------

    def defaults(self) -> dict[str, Any]:
        """A new row belongs to whom its customer belongs, see `prepare`."""
        return {}

    def prepare(self, record: SecondCar, changed: set[str]) -> None:
        """Take over the customer's name and owner, and reckon the chance."""
        if _is_new(record) or "customer_id" in changed:
            customer = self._customer(record.customer_id)
            record.name, record.name_norm = customer.name, fold(customer.name)
            if "owner_id" not in changed:
                record.owner_id = customer.owner_id or self.actor.member_id
        if "outcome" in changed:
            record.asked_on = None if record.outcome == "open" else clock.today(self.tenant.tz)
            if record.outcome not in COMES_BACK and "again_on" not in changed:
                record.again_on = None
        self.reckon(record)

    def check(self, record: SecondCar, changed: set[str]) -> None:
        """Refuse a second row of a household, more drivers than people, and a day to ask that is past."""
        if _is_new(record) or "customer_id" in changed:
            self._check_alone(record)
        if record.drivers is not None and record.people is not None and record.drivers > record.people:
            raise _wrong("drivers", _("There can't be more drivers than people."))
        again_on = record.again_on if "again_on" in changed and not self.session.info.get("undoing") else None
        if again_on is not None and again_on <= clock.today(self.tenant.tz):
            raise _wrong("again_on", _("This day must lie ahead."))

    def undone(self, record: SecondCar, changes: Mapping[str, list[Any]]) -> None:
        """Put back what no form sets: the deal, and the day of asking."""
        if "deal_id" in changes:
            record.deal_id = parse_id(changes["deal_id"][0])
        if record.outcome == "open":
            record.asked_on = None

    def search_texts(self, record: SecondCar) -> Iterable[tuple[str, str]]:
        """They are found by their customers."""
        return ()

    def _flush(self) -> None:
        try:
            super()._flush()
        except IntegrityError as error:
            raise Conflict(_("This household is kept already. Load the page again to see it.")) from error

    # What is read -------------------------------------------------------------------------

    def of_customer(self, customer_id: object) -> tuple[Any, SecondCar | None]:
        """Return a customer, and the row of the household.

        :raises NotFound: when the actor may not see the customer, or it does not exist.
        """
        self.actor.require(f"{NAME}:read")
        customer: Any = service_for("customers", self.session).get(customer_id)
        return customer, self._row_of(self.together(customer.id))

    def together(self, customer_id: uuid.UUID) -> list[uuid.UUID]:
        """Return who lives in the household of a customer, with the customer."""
        mates = household_mates(self.session, [customer_id])[customer_id]
        return [one.customer_id for one in mates]

    def _row_of(self, customer_ids: Sequence[uuid.UUID], but: uuid.UUID | None = None) -> SecondCar | None:
        statement = (
            select(SecondCar)
            .where(SecondCar.customer_id.in_(customer_ids), SecondCar.deleted_at.is_(None))
            .order_by(SecondCar.id)
            .limit(1)
        )
        if but is not None:
            statement = statement.where(SecondCar.id != but)
        with self.session.no_autoflush:
            return self.session.execute(statement).scalars().first()

    # What is written ----------------------------------------------------------------------

    def keep(self, customer_id: object, facts: Mapping[str, Any], version: int | None = None) -> SecondCar:
        """Keep what is known of the household of a customer; the first one makes its row.

        :raises InvalidInput: names each field that is wrong.
        :raises StaleVersion: when somebody wrote in the meantime.
        """
        customer, row = self.of_customer(customer_id)
        if row is None:
            return self.create({"customer_id": str(customer.id), **facts})
        return self.update(row.id, facts, version=version)

    def reckon(self, record: SecondCar) -> None:
        """Count the cars and reckon the chance by what is known now."""
        with self.session.no_autoflush:
            there = homes(self.session, [record.customer_id])
            found = rate([record], there, weights(self.session))[record.id]
        record.known_cars, record.chance = there[record.customer_id].cars, round(found.chance * 100)

    def change(self, record: SecondCar, values: Mapping[str, Any]) -> bool:
        """Change columns of a row that is held, also those that no form sets; False when nothing changed."""
        return self._change(record, values)

    def _check_alone(self, record: SecondCar) -> None:
        """Hold all of the household, so that two who write for two of its people come one after the other."""
        with self.session.no_autoflush:
            together = self.together(record.customer_id)
            customers: Any = service_for("customers", self.session).type.model
            self.session.execute(
                select(customers.id)
                .where(customers.id.in_(together))
                .order_by(customers.id)
                .with_for_update(key_share=True)
            ).all()
        if self._row_of(together, but=record.id) is not None:
            raise _wrong("customer_id", _("This household is kept already. Load the page again to see it."))

    def _customer(self, customer_id: uuid.UUID) -> Any:
        with self.session.no_autoflush:
            return service_for("customers", self.session).get(customer_id)


def _is_new(record: SecondCar) -> bool:
    return bool(inspect(record).transient)


def _wrong(key: str, message: str) -> InvalidInput:
    return InvalidInput(message, fields={key: [message]})
