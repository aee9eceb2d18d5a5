"""What all tables of the module share."""

from __future__ import annotations

from sqlalchemy import text

from kehu.api import plugin_base

SLUG = "automotive"
Base = plugin_base(SLUG)
LIVE = text("deleted_at IS NULL")
"""Condition of an index over what does not lie in the trash."""
