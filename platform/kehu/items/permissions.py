"""What may be done with owned items and their terms."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("owned_items", _l("owned items"))
register_record("owned_item_terms", _l("terms of owned items"))
