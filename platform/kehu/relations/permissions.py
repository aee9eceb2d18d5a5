"""What may be done with households, their members and relations."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("households", _l("households"))
register_record("household_members", _l("members of households"))
register_record("relations", _l("relations"))
