"""Who may set the rules for what leaves the house. A person's consent is part of the person's record."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="send_rules:read", sentence=_l("See the rules for messages")),
    Permission(code="send_rules:write", sentence=_l("Set the rules and texts of messages")),
    Permission(code="send_rules:delete", sentence=_l("Put the rules for messages back to the usual ones")),
    Permission(code="messages:send", sentence=_l("Send messages to customers")),
)
