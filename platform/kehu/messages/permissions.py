"""The words of messages belong to the rules for messages; who has the one right has the other."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="message_texts:read", sentence=_l("See the texts of messages")),
    Permission(code="message_texts:write", sentence=_l("Change the texts of messages")),
    Permission(code="message_texts:delete", sentence=_l("Put texts of messages back to the usual ones")),
)
