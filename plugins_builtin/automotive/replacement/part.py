"""What the subject adds to the module."""

from __future__ import annotations

from kehu.api import Field, _l
from plugins_builtin.automotive.parts import Part
from plugins_builtin.automotive.replacement.cycle import MONTHS, SOURCE

PART = Part(
    offer_sources=(SOURCE,),
    settings=(
        Field(
            key="replacement_months",
            label=_l("Months after which the next car is due"),
            kind="number",
            minimum=6,
            maximum=240,
            default=MONTHS,
            help=_l("A rule for offers makes use of it."),
        ),
    ),
)
