"""What may be done with files; each file also needs the right to the record that it is at."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("files", _l("files"))
