"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, Panel, _l
from plugins_builtin.automotive.dashboard.numbers import Numbers
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.protection import figures
from plugins_builtin.automotive.protection.listening import after_change
from plugins_builtin.automotive.protection.permissions import DECIDE, PERMISSIONS, READ
from plugins_builtin.automotive.protection.subject import subject_data
from plugins_builtin.automotive.protection.web import blueprint


def _days(key: str, label: object, default: int, help_text: object = "") -> Field:
    return Field(
        key=f"protection_{key}", label=label, kind="number", minimum=0, maximum=3660, default=default,
        required=True, help=help_text,
    )  # fmt: skip


PART = Part(
    routes=(blueprint,),
    permissions=PERMISSIONS,
    panels=(
        Panel(
            slot="customer.side",
            endpoint="automotive_protection.panel",
            title=_l("Protection"),
            permission=READ,
            order=60,
        ),
    ),
    numbers=(Numbers(title=_l("Protection"), permission=DECIDE, count=figures.cases, order=7),),
    settings=(
        _days("walk_in_days", _l("Days of protection after a visit"), 3),
        _days(
            "contact_days",
            _l("Days after a talk, a car shown or a test drive"),
            10,
            _l("A call counts when it was answered: it has minutes or an outcome."),
        ),
        _days("quote_days", _l("Days after an offer"), 30),
        _days("order_days", _l("Days after an order, until delivery"), 90),
        _days("case_hours", _l("Hours to decide a case"), 24),
        _days("appeal_days", _l("Days to object to a decision"), 7),
        Field(
            key="protection_help_share",
            label=_l("Share of who helps, in percent"),
            kind="number",
            minimum=0,
            maximum=100,
            default=50,
            required=True,
        ),
        Field(
            key="protection_relatives",
            label=_l("The household and near relatives count as the same customer"),
            kind="bool",
            default=True,
        ),
    ),
    after_change=after_change,
    subject=subject_data,
)
