"""What may be done with opening hours."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="calendars:read", sentence=_l("See opening hours")),
    Permission(code="calendars:write", sentence=_l("Set opening hours")),
    Permission(code="calendars:delete", sentence=_l("Put opening hours into the trash")),
    Permission(code="calendar_days:read", sentence=_l("See holidays and special days")),
    Permission(code="calendar_days:write", sentence=_l("Set holidays and special days")),
    Permission(code="calendar_days:delete", sentence=_l("Remove holidays and special days")),
)
