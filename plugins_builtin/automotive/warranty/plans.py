"""Plans of warranties as records, and coverages that are made from them with one tap."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from kehu.api import (
    Conflict,
    Field,
    InvalidInput,
    Option,
    RecordService,
    RecordType,
    Session,
    _,
    _l,
    fold,
    or_,
    select,
    service_for,
    tenant,
)
from plugins_builtin.automotive.fields import changed_at, notes
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.warranty.models import WarrantyPlan

PLANS = "automotive.warranty_plans"
TERMS = "owned_item_terms"

KINDS = (
    Option(value="warranty", label=_l("Warranty"), tone="ok"),
    Option(value="extended_warranty", label=_l("Extended warranty"), tone="hue-180"),
)
UNITS = (Option(value="km", label=_l("km")), Option(value="mi", label=_l("miles")))


class PlanService(RecordService[WarrantyPlan]):
    """Write plans."""

    type_name = PLANS

    def prepare(self, record: WarrantyPlan, changed: set[str]) -> None:
        """Normalise the names."""
        record.name_norm, record.make_norm = fold(record.name), fold(record.make)

    def check(self, record: WarrantyPlan, changed: set[str]) -> None:
        """Refuse days out of order."""
        if record.from_on is not None and record.until_on is not None and record.until_on < record.from_on:
            message = _("It can't end before it begins.")
            raise InvalidInput(message, fields={"until_on": [message]})

    def search_texts(self, record: WarrantyPlan) -> Iterable[tuple[str, str]]:
        """Find a plan by its name and make."""
        yield "name", f"{record.make} {record.name}"

    def fitting(self, vehicle: Vehicle) -> Sequence[WarrantyPlan]:
        """Return the plans that a car comes with and that no coverage of it was made from yet."""
        if vehicle.owned_item_id is None or not self.actor.may(f"{PLANS}:read"):
            return ()
        day = vehicle.in_service_on
        plan = WarrantyPlan
        statement = (
            select(plan)
            .where(
                plan.tenant_id == tenant().id,
                plan.make_norm == fold(vehicle.make),
                or_(plan.model.is_(None), plan.model == vehicle.model),
                plan.deleted_at.is_(None),
                or_(
                    plan.from_on.is_(None), plan.from_on <= day if day is not None else plan.from_on.is_(None)
                ),
                or_(
                    plan.until_on.is_(None),
                    plan.until_on >= day if day is not None else plan.until_on.is_(None),
                ),
                plan.name.not_in(_covered(self.session, vehicle)),
            )
            .order_by(plan.kind.desc(), plan.months, plan.id)
            .limit(10)
        )
        return self.session.execute(statement).scalars().all()

    def apply(self, vehicle: Vehicle, plan_id: object) -> Any:
        """Make a coverage of a car by a plan, from the day on which the car came into service.

        :raises InvalidInput: when nobody knows that day.
        :raises Conflict: when the car has this coverage already, or no record of the platform.
        """
        plan = self.get(plan_id)
        start: dt.date | None = vehicle.in_service_on
        if start is None:
            raise InvalidInput(
                _("Say first since when the car is in service; the warranty counts from that day.")
            )
        # Two who tap at once: the second waits for the first and then sees the coverage.
        self.session.execute(select(Vehicle.id).where(Vehicle.id == vehicle.id).with_for_update())
        if vehicle.owned_item_id is None:
            raise Conflict(_("This car has no owner, so nothing covers it yet."))
        if plan.name in set(self.session.execute(_covered(self.session, vehicle)).scalars()):
            raise Conflict(_("The car has “%(name)s” already.", name=plan.name))
        values = coverage_of(plan, vehicle.owned_item_id, start)
        return service_for(TERMS, self.session, self.actor).create(values)


def coverage_of(plan: WarrantyPlan, item_id: object, start: dt.date) -> dict[str, Any]:
    """Return the values of a coverage by a plan, from the day on which the car came into service."""
    values: dict[str, Any] = {
        "item_id": str(item_id),
        "kind": plan.kind,
        "name": plan.name,
        "starts_on": start.isoformat(),
        "months": plan.months,
    }
    if plan.provider:
        values["provider"] = plan.provider
    if plan.distance is not None:
        values |= {"usage_limit": plan.distance, "usage_unit": plan.unit, "start_usage": 0}
    return values


def _covered(session: Session, vehicle: Vehicle) -> Any:
    """Return the select of the names of a car's coverages."""
    term: Any = service_for(TERMS, session).type.model
    return select(term.name).where(
        term.tenant_id == tenant().id, term.item_id == vehicle.owned_item_id, term.deleted_at.is_(None)
    )


PLAN_TYPE = RecordType(
    name=PLANS,
    singular="automotive.warranty_plan",
    label=_l("warranty plan"),
    plural=_l("Warranty plans"),
    icon="shield-check",
    model=WarrantyPlan,
    service=PlanService,
    owner="",
    fields=(
        Field(
            key="name",
            label=_l("Name"),
            required=True,
            sortable=True,
            column=True,
            quick=True,
            example="Factory warranty",
        ),
        Field(
            key="make",
            label=_l("Make"),
            required=True,
            column=True,
            quick=True,
            filterable=True,
            example="VW",
        ),
        Field(key="model", label=_l("Model"), help=_l("Empty: all models of the make."), example="Golf"),
        Field(
            key="kind",
            label=_l("Kind"),
            kind="choice",
            options=KINDS,
            required=True,
            default="warranty",
            column=True,
            filterable=True,
        ),
        Field(
            key="months",
            label=_l("Months"),
            kind="number",
            minimum=1,
            maximum=1200,
            required=True,
            column=True,
            quick=True,
            example=36,
        ),
        Field(
            key="distance",
            label=_l("At most driven"),
            kind="number",
            minimum=1,
            maximum=5_000_000,
            column=True,
            quick=True,
            help=_l("Empty: without a limit of distance."),
            example=100_000,
        ),
        Field(key="unit", label=_l("Unit"), kind="choice", options=UNITS, required=True, default="km"),
        Field(
            key="from_on",
            label=_l("For cars in service from"),
            kind="date",
            help=_l("A new version of the terms is a plan of its own."),
        ),
        Field(key="until_on", label=_l("For cars in service until"), kind="date"),
        Field(key="provider", label=_l("With whom"), example="Volkswagen AG"),
        notes(),
        changed_at(sortable=False, filterable=False),
    ),
)
