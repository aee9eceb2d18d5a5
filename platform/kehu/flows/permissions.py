"""What may be done with workflows."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="flows:read", sentence=_l("See workflows and what they did")),
    Permission(code="flows:write", sentence=_l("Set up workflows, which act in the name of who set them up")),
    Permission(code="flows:delete", sentence=_l("Remove workflows")),
)
