"""What may be done with customers and contacts."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("customers", _l("customers"))
register_record("contacts", _l("contacts"))
