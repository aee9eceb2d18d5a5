"""What may be done with tickets and their queues."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register, register_record

register_record("tickets", _l("tickets"))
register(
    Permission(code="queues:read", sentence=_l("See ticket queues")),
    Permission(code="queues:write", sentence=_l("Add and change ticket queues")),
    Permission(code="queues:delete", sentence=_l("Put ticket queues into the trash")),
)
