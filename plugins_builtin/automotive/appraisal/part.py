"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, Panel, Permission, _l
from plugins_builtin.automotive.appraisal.records import APPRAISAL_LINES, APPRAISALS
from plugins_builtin.automotive.appraisal.services import APPROVE
from plugins_builtin.automotive.appraisal.web import READ, blueprint
from plugins_builtin.automotive.parts import Part

PART = Part(
    records=(APPRAISALS, APPRAISAL_LINES),
    routes=(blueprint,),
    permissions=(
        Permission(
            code=APPROVE,
            description=_l("Approve what is given beyond a car's worth"),
            roles=("owner", "admin", "manager"),
        ),
    ),
    panels=(
        Panel(
            slot="deal.side",
            endpoint="automotive_appraisal.deal_panel",
            title=_l("Trade-in"),
            permission=READ,
            order=40,
        ),
    ),
    settings=(
        Field(
            key="appraisal_limit",
            label=_l("Trade-in: most beyond the car's worth"),
            kind="money",
            minimum=0,
            default=100_000,
            required=True,
            help=_l("Above it a second person must approve the offer."),
        ),
    ),
)
