"""What is written beside a vehicle: its owner, its first reading, and the platform's record of it.

They come after the vehicle's own entry of the trail, since an undo goes from the last entry to the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kehu.api import InvalidInput, RecordService, _, select, service_for
from plugins_builtin.automotive.vehicles.fields import PARTIES, READINGS, VEHICLES
from plugins_builtin.automotive.vehicles.models import OdometerReading, Vehicle, VehicleParty
from plugins_builtin.automotive.vehicles.parties import PartyService
from plugins_builtin.automotive.vehicles.readings import ReadingService
from plugins_builtin.automotive.vehicles.writing import able, reckoned, wrong

ITEMS = "owned_items"
_ITEM_STATES = {"sold": "sold", "scrapped": "scrapped"}


def begin(service: RecordService[Any], made: Sequence[Vehicle]) -> None:
    """Keep the owners and first readings of new vehicles, and the platform's records of them."""
    actor = able(service.actor, PARTIES, READINGS, VEHICLES)
    owners = [
        {"vehicle_id": one.id, "customer_id": one.customer_id, "role": "owner"}
        for one in made
        if one.customer_id is not None
    ]
    readings = [
        {"vehicle_id": one.id, "shown": one.odometer, "unit": "km", "read_on": one.odometer_on}
        for one in made
        if one.odometer is not None
    ]
    # Just made within the actor's reach: no need to look each up once more.
    service.session.info.setdefault("locked_vehicles", {}).update({one.id: one for one in made})
    for kind, rows in ((PartyService, owners), (ReadingService, readings)):
        if rows:
            writer: Any = kind(service.session, actor)
            writer.fresh = True
            # The platform's record of the vehicle stands on the customer's time line; once is enough.
            writer.type = replace(writer.type, customer="")
            _need(writer.create_many(rows))
    keep_items(service, made)


def change(service: RecordService[Any], vehicle: Vehicle, values: Mapping[str, Any]) -> bool:
    """Hand a vehicle to another owner, or add a reading, as a form of the vehicle says; tell whether anything was done.

    :raises InvalidInput: names the field of the vehicle.
    """
    actor = able(service.actor, PARTIES, READINGS, VEHICLES)
    done = False
    if "customer_id" in values and values["customer_id"] != vehicle.customer_id:
        parties = PartyService(service.session, actor)
        if values["customer_id"] is None:
            parties.end_owner(vehicle.id)
        else:
            parties.begin(
                {
                    "vehicle_id": vehicle.id,
                    "customer_id": values["customer_id"],
                    "role": "owner",
                    "from_on": parties.today(),
                }
            )
        done = True
    return _read(service, vehicle, values) or done


def _read(service: RecordService[Any], vehicle: Vehicle, values: Mapping[str, Any]) -> bool:
    shown = values.get("odometer", vehicle.odometer)
    day = values.get("odometer_on") or (vehicle.odometer_on if "odometer" not in values else None)
    if (shown, day or vehicle.odometer_on) == (vehicle.odometer, vehicle.odometer_on):
        return False
    if shown is None:
        raise wrong("odometer", _("Take away readings among the readings of the vehicle."))
    readings = ReadingService(service.session, able(service.actor, READINGS))
    try:
        readings.create({"vehicle_id": vehicle.id, "shown": shown, "unit": "km", "read_on": day})
    except InvalidInput as error:
        fields = {
            {"shown": "odometer", "read_on": "odometer_on"}.get(key, key): texts
            for key, texts in error.fields.items()
        }
        raise InvalidInput(error.message, fields=fields) from error
    return True


def hand_down(service: RecordService[Any], vehicles: Sequence[Vehicle]) -> None:
    """Let people and readings of vehicles belong to who looks after the vehicle now."""
    owners = {one.id: one.owner_id for one in vehicles}
    for model in (VehicleParty, OdometerReading):
        table: Any = model
        rows = service.session.execute(select(table).where(table.vehicle_id.in_(list(owners)))).scalars()
        reckoned(service.session, [(one, {"owner_id": owners[one.vehicle_id]}) for one in rows])


def keep_items(service: RecordService[Any], vehicles: Sequence[Vehicle]) -> None:
    """Bring the platform's records of vehicles in step: one for each that has or had an owner."""
    items = service_for(ITEMS, service.session, able(service.actor, ITEMS))
    model: Any = items.type.model
    ids = [one.owned_item_id for one in vehicles if one.owned_item_id is not None]
    known = {}
    if ids:
        statement = select(model).where(model.id.in_(ids))
        known = {one.id: one for one in service.session.execute(statement).scalars()}
    new = []
    for vehicle in vehicles:
        item = known.get(vehicle.owned_item_id)
        if item is not None:
            _keep_item(items, item, vehicle)
        elif vehicle.customer_id is not None and vehicle.deleted_at is None:
            new.append(vehicle)
    if new:
        outcomes = items.create_many([_item_of(one) for one in new])
        _need(outcomes)
        pairs = zip(new, outcomes, strict=True)
        reckoned(
            service.session, [(one, {"owned_item_id": made.record.id}) for one, made in pairs if made.record]
        )


def _keep_item(items: RecordService[Any], item: Any, vehicle: Vehicle) -> None:
    if vehicle.deleted_at is not None:
        if item.deleted_at is None:
            items.trash(item.id)
        return
    if item.deleted_at is not None:
        if vehicle.customer_id is None:
            return
        items.restore(item.id)
    values = {key: value for key, value in _item_of(vehicle).items() if value != getattr(item, key)}
    if values:
        items.update(item.id, values)


def _item_of(vehicle: Vehicle) -> dict[str, Any]:
    """Return what the platform keeps of a vehicle; without an owner it is sold."""
    found: dict[str, Any] = {
        "name": vehicle.name[:200],
        "serial": vehicle.vin or vehicle.chassis,
        "in_service_on": vehicle.in_service_on,
        "sold_by": vehicle.sold_by or "elsewhere",
        "status": _ITEM_STATES.get(vehicle.status, "in_use" if vehicle.customer_id is not None else "sold"),
    }
    return found | ({"customer_id": vehicle.customer_id} if vehicle.customer_id is not None else {})


def _need(outcomes: Sequence[Any]) -> None:
    for one in outcomes:
        if one.record is None:
            raise InvalidInput(_("Some fields need another value."), fields=one.errors)
