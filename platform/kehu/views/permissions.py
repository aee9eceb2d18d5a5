"""What may be done with saved views."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(Permission(code="views:share", sentence=_l("Share saved views with everybody")))
