"""Rights on protections and cases."""

from __future__ import annotations

from kehu.api import Permission, _l

READ, DECIDE = "automotive.protection:read", "automotive.protection:decide"

PERMISSIONS = (
    Permission(
        code=READ,
        description=_l("See who is protected for a customer, and cases of one's own"),
        roles=("owner", "admin", "manager", "member"),
    ),
    Permission(
        code=DECIDE,
        description=_l("Decide cases in which members collide"),
        roles=("owner", "admin", "manager"),
    ),
)
