"""Rights on the second-car work list; those over its records come with them."""

from __future__ import annotations

from kehu.api import Permission, _l

NAME = "automotive.second_cars"
READ, WRITE = f"{NAME}:read", f"{NAME}:write"
REFIT = f"{NAME}:refit"

PERMISSIONS = (
    Permission(
        code=REFIT,
        description=_l("Fit the second-car scores to one's own outcomes"),
        roles=("owner", "admin"),
    ),
)
