"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import JobDef, Panel, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.vehicles.fields import PARTIES, VEHICLES
from plugins_builtin.automotive.vehicles.more_records import PARTY_TYPE, READING_TYPE
from plugins_builtin.automotive.vehicles.nightly import follow_owners
from plugins_builtin.automotive.vehicles.records import MODEL_TYPE, VEHICLE_TYPE
from plugins_builtin.automotive.vehicles.subject import subject_data
from plugins_builtin.automotive.vehicles.web import blueprint

PART = Part(
    records=(VEHICLE_TYPE, MODEL_TYPE, PARTY_TYPE, READING_TYPE),
    routes=(blueprint,),
    subject=subject_data,
    jobs=(
        JobDef(
            name="vehicle_owners",
            run=follow_owners,
            title=_l("Hand vehicles to the owners of today"),
            at="00:10",
        ),
    ),
    panels=(
        Panel(
            slot="customer.side",
            endpoint="automotive_vehicles.customer_panel",
            title=_l("Vehicles"),
            permission=f"{PARTIES}:read",
        ),
        Panel(
            slot="owned_item.side",
            endpoint="automotive_vehicles.item_panel",
            title=_l("Vehicle"),
            permission=f"{VEHICLES}:read",
        ),
    ),
)
