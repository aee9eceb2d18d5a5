"""What a record type needs beyond its columns: titles that files don't have, lost reasons, dates of open deals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kehu.core.ids import parse_id
from kehu.core.records.types import RecordType
from kehu.imports.mapping import Plan

Rule = Callable[[Any, Plan, dict[str, Any], bool], None]
"""(service, plan, values, whether the record is new) -> the values are changed."""


def compose_title(record_type: RecordType, values: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return a title for a row without one: what it refers to, else its number elsewhere, else its text.

    :param titles: field key -> what the record that the row refers to is called.
    """
    order = ("product_id", "customer_id", "contact_id", "deal_id")
    named = [titles[key] for key in order if key in titles]
    if named:
        return " – ".join(named)[:200]
    for key in ("external_id", "code"):
        if values.get(key):
            return str(values[key])
    for key in ("body", "description"):
        lines = str(values.get(key) or "").strip().splitlines()
        if lines:
            return lines[0][:120]
    for key in ("emails", "phones"):
        if values.get(key):
            return str(values[key][0])
    return ""


def _deals(service: Any, plan: Plan, values: dict[str, Any], new: bool) -> None:
    stage = service.stages().get(parse_id(values.get("stage_id")))
    outcome = stage.outcome if stage is not None else "open" if new else ""
    if outcome == "open" and values.get("closed_at") is not None:
        # Other programs keep one close date: of an open deal it is the one that is hoped for.
        closing = values.pop("closed_at")
        values.setdefault("expected_close", closing.astimezone(service.tenant.tz).date())
    if new and outcome == "lost" and not values.get("lost_reason"):
        values["lost_reason"] = plan.lost_reason


RULES: dict[str, Rule] = {"deals": _deals}


def apply_rules(service: Any, plan: Plan, values: dict[str, Any], *, new: bool) -> None:
    """Change a row's values by the rules of its record type."""
    rule = RULES.get(service.type.name)
    if rule is not None:
        rule(service, plan, values, new)
