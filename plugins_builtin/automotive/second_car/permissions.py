"""Rights on the second-car work list: those that come with its records."""

from __future__ import annotations

NAME = "automotive.second_cars"
READ, WRITE = f"{NAME}:read", f"{NAME}:write"
