"""Ready-made workflows: a firm takes one, changes it as it likes, rehearses it and switches it on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kehu.core.i18n import _, _l

LABELS: Mapping[str, Any] = {
    "won": _l("Call back after a won deal"),
    "quiet": _l("Look after customers of whom nothing was heard"),
    "closing": _l("Remember deals that are to close soon"),
}


def values(key: str) -> dict[str, Any]:
    """Return the values of a ready-made workflow in the language of who takes it."""
    found: dict[str, dict[str, Any]] = {
        "won": {
            "object": "deals",
            "trigger": "changed",
            "field": "stage_id",
            "condition": "status:won",
            "steps": [{"do": "task", "text": _("Ask how it went: {name}"), "days": 2}],
        },
        "quiet": {
            "object": "customers",
            "trigger": "quiet",
            "days": 90,
            "steps": [{"do": "task", "text": _("Get in touch: {name}"), "days": 0}],
        },
        "closing": {
            "object": "deals",
            "trigger": "date",
            "field": "expected_close",
            "days": 7,
            "side": "before",
            "condition": "status:open",
            "steps": [{"do": "task", "text": _("To close in a week: {name}"), "days": 0}],
        },
    }
    return {"name": str(LABELS[key]), **found[key]}
