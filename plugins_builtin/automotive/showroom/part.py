"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, NavItem, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.showroom.records import LEVELS, VISITS
from plugins_builtin.automotive.showroom.subject import subject_data
from plugins_builtin.automotive.showroom.web import READ, blueprint

GAPS = {"H": 2, "A": 4, "B": 7, "C": 15}
"""Longest days between two contacts, by level."""

PART = Part(
    records=(VISITS,),
    routes=(blueprint,),
    navigation=(
        NavItem(
            label=_l("Showroom"),
            endpoint="automotive_showroom.board",
            permission=READ,
            icon="map-pin",
            order=20,
        ),
    ),
    subject=subject_data,
    settings=tuple(
        Field(
            key=f"showroom_gap_{level.value.lower()}",
            label=level.label,
            kind="number",
            minimum=1,
            maximum=365,
            default=GAPS[level.value],
            required=True,
            help=_l("Longest time until the next call, in days."),
        )
        for level in LEVELS
    ),
)
