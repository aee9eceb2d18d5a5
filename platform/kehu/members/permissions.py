"""What may be done with members, roles and API tokens."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="members:read", sentence=_l("See the members")),
    Permission(code="members:manage", sentence=_l("Invite and park members, give them roles and teams")),
    Permission(code="roles:manage", sentence=_l("Say what each role may do")),
    Permission(code="tokens:manage", sentence=_l("Make and revoke API tokens of all members")),
)
