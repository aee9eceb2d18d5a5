"""Rights on the way by which leads come in; those on leads themselves come with the record type."""

from __future__ import annotations

from kehu.api import Permission, _l

SETUP, OVERSEE = "automotive.lead_intake:manage", "automotive.lead_turns:manage"

PERMISSIONS = (
    Permission(code=SETUP, description=_l("Make and close addresses for leads"), roles=("owner", "admin")),
    Permission(
        code=OVERSEE,
        description=_l("Say who gets leads, and be told of those that nobody answers"),
        roles=("owner", "admin", "manager"),
    ),
)
