"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, JobDef, _l
from plugins_builtin.automotive.leads import answering, intake, reading
from plugins_builtin.automotive.leads.permissions import PERMISSIONS
from plugins_builtin.automotive.leads.records import LEADS
from plugins_builtin.automotive.leads.subject import subject_data
from plugins_builtin.automotive.leads.turns_web import blueprint
from plugins_builtin.automotive.parts import Part

CLOCK = (
    ("warn", _l("Warn that a lead waits after"), 5),
    ("breach", _l("First answer to a lead within"), 15),
    ("manager", _l("Tell managers of an unanswered lead after"), 30),
    ("reassign", _l("Give an unanswered lead to another member after"), 60),
)
"""Targets of the first answer, in minutes (AUTOMOTIVE.md 4)."""

PART = Part(
    records=(LEADS,),
    routes=(blueprint,),
    permissions=PERMISSIONS,
    settings=(
        Field(
            key="leads_box",
            label=_l("Mailbox of leads"),
            default="leads",
            max_length=60,
            help=_l("The part before the @ of the mail address to which leads are sent."),
        ),
        *(
            Field(
                key=f"leads_{key}",
                label=label,
                kind="number",
                minimum=1,
                maximum=10_000,
                default=minutes,
                required=True,
                help=_l("Minutes within opening hours, from the arrival of a lead."),
            )
            for key, label, minutes in CLOCK
        ),
    ),
    after_change=answering.on_change,
    mail=intake.take_mail,
    subject=subject_data,
    jobs=(
        JobDef(name="leads_read", run=reading.read_job, title=_l("Read a lead that came in")),
        JobDef(
            name="leads_sweep",
            run=reading.sweep_job,
            title=_l("Read leads that were left behind"),
            every_minutes=5,
        ),
        JobDef(
            name="leads_tick",
            run=answering.tick_job,
            title=_l("Look after leads that nobody has answered"),
            every_minutes=5,
        ),
    ),
)
