"""Whose changes may be taken back in bulk."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(Permission(code="history:rewind", sentence=_l("Take back what others did in a span of time")))
