"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Panel, _l
from plugins_builtin.automotive.accessories.records import ACCESSORIES
from plugins_builtin.automotive.accessories.web import READ, blueprint
from plugins_builtin.automotive.parts import Part

PART = Part(
    records=(ACCESSORIES,),
    routes=(blueprint,),
    panels=(
        Panel(
            slot="deal.side",
            endpoint="automotive_accessories.deal_panel",
            title=_l("Accessories"),
            permission=READ,
            order=50,
        ),
    ),
)
