"""What may be done with webhooks."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="webhooks:read", sentence=_l("See webhooks and what they delivered")),
    Permission(
        code="webhooks:write", sentence=_l("Set up webhooks, which tell other programs about changes")
    ),
    Permission(code="webhooks:delete", sentence=_l("Put webhooks into the trash")),
)
