"""The car outlives its owner: what is known of the person goes, number, readings and other owners stay."""

from __future__ import annotations

from uuid import UUID

from kehu.api import Call, SubjectReport, select
from plugins_builtin.automotive.vehicles.models import Vehicle
from plugins_builtin.automotive.vehicles.services import VehicleService

OUTLIVE = ("vehicles",)


def subject_data(ctx: Call, object: str, record_id: UUID, mode: str) -> SubjectReport:
    """Take an owner out of his cars; the rows that say that he had them are the platform's to remove.

    The plate goes with him: it leads to a person in every register. So do the notes and the number elsewhere.
    """
    if object != "customers" or mode == "export":
        return SubjectReport()
    if mode == "erase":
        cars = ctx.session.execute(select(Vehicle).where(Vehicle.customer_id == record_id)).scalars().all()
        VehicleService(ctx.session).part_from_owner(cars)
    return SubjectReport(outlive=OUTLIVE)
