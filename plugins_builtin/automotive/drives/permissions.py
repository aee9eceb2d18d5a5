"""Rights on test drives beyond those of the records."""

from __future__ import annotations

from kehu.api import Permission, _l
from plugins_builtin.automotive.base import SLUG

OVERRIDE = f"{SLUG}.test_drive:override"

PERMISSIONS = (
    Permission(
        code=OVERRIDE,
        description=_l("Hand out keys for a test drive against the rules, with a reason"),
        roles=("owner", "admin", "manager"),
    ),
)
