"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, JobDef, _l
from plugins_builtin.automotive.parts import Part, VehicleCard
from plugins_builtin.automotive.warranty.forecasting import follow, nightly
from plugins_builtin.automotive.warranty.offers import begin
from plugins_builtin.automotive.warranty.plans import PLAN_TYPE
from plugins_builtin.automotive.warranty.web import READ, blueprint

PART = Part(
    records=(PLAN_TYPE,),
    routes=(blueprint,),
    vehicle_cards=(VehicleCard(endpoint="automotive_warranty.card", permission=READ, order=20),),
    jobs=(
        JobDef(
            name="warranty_forecasts",
            run=nightly,
            title=_l("Reckon when warranties end by distance"),
            at="01:40",
        ),
    ),
    settings=(
        Field(
            key="warranty_km_per_day",
            label=_l("Km a day that your customers' cars go"),
            kind="number",
            minimum=1,
            maximum=1000,
            help=_l(
                "Empty: what cars of an age usually go. Readings of a car count more the longer it is observed."
            ),
        ),
    ),
    enabled=begin,
    after_change=follow,
)
