"""Rights on vehicles."""

from __future__ import annotations

from kehu.api import Permission, _l

READ, WRITE = "automotive.vehicle:read", "automotive.vehicle:write"

PERMISSIONS = (
    Permission(
        code=READ, description=_l("See vehicles"), roles=("owner", "admin", "manager", "member", "viewer")
    ),
    Permission(
        code=WRITE,
        description=_l("Add and change vehicles"),
        roles=("owner", "admin", "manager", "member"),
    ),
)
