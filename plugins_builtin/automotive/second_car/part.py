"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, JobDef, NavItem, Panel, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.second_car.nightly import run
from plugins_builtin.automotive.second_car.permissions import PERMISSIONS, READ
from plugins_builtin.automotive.second_car.records import SECOND_CARS
from plugins_builtin.automotive.second_car.refitting import job
from plugins_builtin.automotive.second_car.web import blueprint

PART = Part(
    records=(SECOND_CARS,),
    routes=(blueprint,),
    navigation=(
        NavItem(
            label=_l("Second cars"),
            endpoint="automotive_second_car.work_list",
            permission=READ,
            icon="users",
            order=40,
        ),
    ),
    panels=(
        Panel(
            slot="customer.side",
            endpoint="automotive_second_car.panel",
            title=_l("Second car"),
            permission=READ,
        ),
    ),
    permissions=PERMISSIONS,
    jobs=(
        JobDef(name="second_car", run=run, title=_l("Score who may want a second car"), at="03:10"),
        JobDef(
            name="second_car_refit", run=job, title=_l("Fit the second-car scores to the firm's outcomes")
        ),
    ),
    settings=(
        Field(
            key="second_car_least",
            label=_l("Second cars: show households from this chance in percent"),
            kind="number",
            default=50,
            minimum=0,
            maximum=100,
        ),
        Field(
            key="second_car_called_days",
            label=_l("Second cars: after “Called”, show again after so many days"),
            kind="number",
            default=7,
            minimum=1,
            maximum=365,
        ),
        Field(
            key="second_car_later_days",
            label=_l("Second cars: after “Not now”, show again after so many days"),
            kind="number",
            default=90,
            minimum=1,
            maximum=1000,
        ),
    ),
)
