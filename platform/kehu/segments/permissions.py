"""What may be done with segments."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("segments", _l("segments"))
