"""Who lets operators in: owners, until they give the right to a role."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

RIGHT = "support:grant"

register(Permission(code=RIGHT, sentence=_l("Let the support of whoever runs Kehu look into the firm")))
