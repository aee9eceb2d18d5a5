"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, JobDef, _l
from plugins_builtin.automotive.dashboard.numbers import Numbers
from plugins_builtin.automotive.parts import Part, VehicleCard
from plugins_builtin.automotive.upkeep import figures, reckoning
from plugins_builtin.automotive.upkeep.records import SERVICE_ITEMS
from plugins_builtin.automotive.upkeep.services import INTERVALS
from plugins_builtin.automotive.upkeep.source import SERVICES
from plugins_builtin.automotive.upkeep.web import READ, blueprint

PART = Part(
    records=(SERVICE_ITEMS,),
    routes=(blueprint,),
    vehicle_cards=(VehicleCard(endpoint="automotive_upkeep.card", permission=READ),),
    offer_sources=(SERVICES,),
    after_change=reckoning.after_change,
    jobs=(
        JobDef(
            name="services_due",
            run=reckoning.sweep,
            title=_l("Reckon when services of cars are due"),
            at="02:50",
        ),
    ),
    numbers=(Numbers(title=_l("Services"), permission=READ, count=figures.services, order=45),),
    settings=(
        Field(
            key="upkeep_months",
            label=_l("Usual service: every so many months"),
            kind="number",
            minimum=1,
            maximum=240,
            default=INTERVALS["upkeep_months"],
            required=True,
        ),
        Field(
            key="upkeep_km",
            label=_l("Usual service: every so many km"),
            kind="number",
            minimum=100,
            maximum=500_000,
            default=INTERVALS["upkeep_km"],
            required=True,
        ),
    ),
)
