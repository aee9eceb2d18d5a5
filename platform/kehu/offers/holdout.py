"""Who is never contacted, so that it can be seen what contacting brings."""

from __future__ import annotations

import hashlib
import uuid


def is_held_out(rule_id: uuid.UUID, customer_id: uuid.UUID, percent: int) -> bool:
    """Tell whether a customer belongs to the hold-out group of a rule: the same answer each time and everywhere."""
    digest = hashlib.sha256(rule_id.bytes + customer_id.bytes).digest()
    return int.from_bytes(digest[:8], "big") % 10_000 < percent * 100
