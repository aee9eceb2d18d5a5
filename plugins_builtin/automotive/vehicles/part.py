"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import NavItem, Panel, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.vehicles.permissions import PERMISSIONS, READ
from plugins_builtin.automotive.vehicles.web import blueprint

PART = Part(
    routes=(blueprint,),
    permissions=PERMISSIONS,
    navigation=(
        NavItem(
            label=_l("Vehicles"),
            endpoint="automotive_vehicles.vehicles",
            permission=READ,
            icon="car",
            order=10,
        ),
    ),
    panels=(
        Panel(
            slot="customer.side",
            endpoint="automotive_vehicles.customer_panel",
            title=_l("Vehicles"),
            permission=READ,
        ),
    ),
)
