"""Who may take everything out."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="tenant:export", sentence=_l("Take out all data of the firm as one archive")),
)
