"""Rights on the way by which leads come in; those on leads themselves come with the record type."""

from __future__ import annotations

from kehu.api import Permission, _l

SETUP = "automotive.lead_intake:manage"

PERMISSIONS = (
    Permission(code=SETUP, description=_l("Make and close addresses for leads"), roles=("owner", "admin")),
)
