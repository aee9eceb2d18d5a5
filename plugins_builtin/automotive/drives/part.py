"""What the subject adds to the module."""

from __future__ import annotations

from typing import Any

from kehu.api import Field, JobDef, NavItem, RecordAction, _l
from plugins_builtin.automotive.drives import link_web
from plugins_builtin.automotive.drives.listening import after_change
from plugins_builtin.automotive.drives.permissions import PERMISSIONS
from plugins_builtin.automotive.drives.records import DEMO_CARS, DRIVES
from plugins_builtin.automotive.drives.subject import subject_data
from plugins_builtin.automotive.drives.watching import REMINDER, watch_job
from plugins_builtin.automotive.drives.web import READ, WRITE, blueprint
from plugins_builtin.automotive.parts import Part


def _minutes(key: str, label: Any, default: int, most: int, help_text: Any = "") -> Field:
    return Field(
        key=f"drives_{key}", label=label, kind="number", minimum=0, maximum=most, default=default,
        required=True, help=help_text,
    )  # fmt: skip


PART = Part(
    records=(DEMO_CARS, DRIVES),
    routes=(blueprint, link_web.blueprint),
    permissions=PERMISSIONS,
    navigation=(
        NavItem(
            label=_l("Test drives"),
            endpoint="automotive_drives.day",
            permission=READ,
            icon="key",
            order=30,
        ),
    ),
    actions=(
        RecordAction(
            object="deals",
            endpoint="automotive_drives.ask",
            label=_l("Test drive"),
            permission=WRITE,
            icon="key",
        ),
    ),
    settings=(
        _minutes("minutes", _l("Minutes of a test drive"), 30, 600),
        _minutes(
            "before", _l("Minutes before a test drive"), 10, 240, _l("Holds for cars added from now on.")
        ),
        _minutes("after", _l("Minutes after a test drive"), 10, 240, _l("Holds for cars added from now on.")),
        Field(
            key="drives_remind",
            label=_l("Remind drivers by mail, a day and two hours before"),
            kind="bool",
            default=True,
            help=_l("Who can't be reached by mail is a task for the host."),
        ),
        _minutes("age", _l("Least age of drivers"), 18, 99),
        Field(
            key="drives_class",
            label=_l("Licence class that drivers need"),
            default="B",
            required=True,
            max_length=10,
        ),
        Field(
            key="drives_refuse_trainees",
            label=_l("Drivers in their first year may not drive"),
            kind="bool",
            default=False,
        ),
        Field(
            key="drives_move",
            label=_l("Move the deal to the stage of test drives after a drive"),
            kind="bool",
            default=True,
        ),
        Field(
            key="drives_stage",
            label=_l("Name of the stage of test drives"),
            default="Test drive",
            max_length=100,
            help=_l("A deal is moved forward only, and only where its pipeline has such a stage."),
        ),
        Field(
            key="drives_terms",
            label=_l("Further terms of the agreement"),
            kind="long_text",
            default="",
            help=_l("A line each; they follow on the usual ones in the paper that drivers sign."),
        ),
    ),
    jobs=(
        JobDef(
            name="drives_watch",
            run=watch_job,
            title=_l("Remind of test drives, and tell of keys that are not back"),
            every_minutes=5,
        ),
    ),
    messages=(REMINDER,),
    after_change=after_change,
    subject=subject_data,
)
