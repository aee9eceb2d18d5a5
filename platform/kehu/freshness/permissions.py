"""Who says which fields are verified; who may write a record may verify what stands in it."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="freshness_rules:read", sentence=_l("See which fields are verified")),
    Permission(code="freshness_rules:write", sentence=_l("Say which fields are verified")),
    Permission(code="freshness_rules:delete", sentence=_l("Have fields verified no more")),
)
