"""What may be done about billing."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

RIGHT = "billing:manage"

register(Permission(code=RIGHT, sentence=_l("Choose plan and seats, see invoices")))
