"""The trades that a new firm chooses from, and the plugins that fit them."""

from __future__ import annotations

from typing import Any

from kehu.core import hooks
from kehu.core.i18n import _l

TRADES: dict[str, Any] = {
    "dealer": _l("Cars and other vehicles"),
    "craft": _l("Craft and repairs"),
    "retail": _l("Shop or wholesale"),
    "software": _l("Software and agencies"),
    "advice": _l("Advice, law, tax"),
    "property": _l("Property"),
    "finance": _l("Insurance and finance"),
    "health": _l("Health and care"),
    "industry": _l("Industry"),
    "other": _l("Something else"),
}
"""Trade -> what people call it."""

_PLUGINS = {"dealer": "automotive"}


def suggested_plugin(trade: str) -> Any:
    """Return the record of the plugin that fits a trade, or None."""
    record = hooks.host().installed.get(_PLUGINS.get(trade, ""))
    return record if record is not None and record in hooks.host().installed.ready else None
