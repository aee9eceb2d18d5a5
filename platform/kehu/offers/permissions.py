"""What may be done with offers and their rules."""

from __future__ import annotations

from kehu.core.i18n import _l
from kehu.core.permissions import register_record

register_record("offers", _l("offers"))
register_record("offer_rules", _l("rules of offers"))
register_record("offer_texts", _l("texts of offers"))
