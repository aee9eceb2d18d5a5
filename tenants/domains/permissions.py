"""Who says where the firm is reached."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

RIGHT = "tenant:address"

register(Permission(code=RIGHT, sentence=_l("Change the firm's address and domain")))
