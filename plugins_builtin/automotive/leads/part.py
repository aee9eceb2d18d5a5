"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import JobDef, _l
from plugins_builtin.automotive.leads import reading
from plugins_builtin.automotive.leads.permissions import PERMISSIONS
from plugins_builtin.automotive.leads.records import LEADS
from plugins_builtin.automotive.leads.web import blueprint
from plugins_builtin.automotive.parts import Part

PART = Part(
    records=(LEADS,),
    routes=(blueprint,),
    permissions=PERMISSIONS,
    jobs=(
        JobDef(name="leads_read", run=reading.read_job, title=_l("Read a lead that came in")),
        JobDef(
            name="leads_sweep",
            run=reading.sweep_job,
            title=_l("Read leads that were left behind"),
            every_minutes=5,
        ),
    ),
)
