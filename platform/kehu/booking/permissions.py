"""What may be done with resources and bookings."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("resources", _l("resources"))
register_record("bookings", _l("bookings"))
