"""Who may hand out or erase all that is known of a person."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="privacy:export", sentence=_l("Hand out all that is known of one person")),
    Permission(code="privacy:erase", sentence=_l("Erase all that is known of one person")),
    Permission(code="retention_rules:read", sentence=_l("See how long the firm keeps what")),
    Permission(code="retention_rules:write", sentence=_l("Say how long the firm keeps what")),
    Permission(code="retention_rules:delete", sentence=_l("Remove a rule for how long something is kept")),
)
