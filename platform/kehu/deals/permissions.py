"""What may be done with deals, products and pipelines."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register, register_record

register_record("deals", _l("deals"))
register_record("products", _l("products"))
register(
    Permission(code="pipelines:read", sentence=_l("See pipelines")),
    Permission(code="pipelines:write", sentence=_l("Add and rename pipelines")),
    Permission(code="pipelines:delete", sentence=_l("Retire pipelines")),
    Permission(code="stages:read", sentence=_l("See the stages of pipelines")),
    Permission(code="stages:write", sentence=_l("Set up the stages of pipelines")),
    Permission(code="stages:delete", sentence=_l("Retire stages of pipelines")),
)
