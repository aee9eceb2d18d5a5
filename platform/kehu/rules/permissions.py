"""What may be done with a firm's rules."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import Permission, register

register(
    Permission(code="number_rules:read", sentence=_l("See the rules for codes")),
    Permission(code="number_rules:write", sentence=_l("Set the rules for codes")),
    Permission(code="number_rules:delete", sentence=_l("Switch rules for codes off")),
    Permission(code="record_rules:read", sentence=_l("See what must hold for records")),
    Permission(code="record_rules:write", sentence=_l("Say what must hold for records")),
    Permission(code="record_rules:delete", sentence=_l("Remove what must hold for records")),
    Permission(code="field_rules:read", sentence=_l("See who sees and changes which field")),
    Permission(code="field_rules:write", sentence=_l("Say who sees and changes which field")),
    Permission(code="field_rules:delete", sentence=_l("Let all see and change a field again")),
)
