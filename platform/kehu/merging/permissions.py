"""Who may let the product merge by itself."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="merge_rules:read", sentence=_l("See what is merged by itself")),
    Permission(code="merge_rules:write", sentence=_l("Let certain doubles be merged by themselves")),
    Permission(code="merge_rules:delete", sentence=_l("Take back that doubles are merged by themselves")),
)
