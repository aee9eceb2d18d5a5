"""What may be done with a firm's own fields."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="custom_fields:read", sentence=_l("See how fields are shaped")),
    Permission(code="custom_fields:write", sentence=_l("Add and shape fields")),
    Permission(code="custom_fields:delete", sentence=_l("Put fields into the trash")),
)
