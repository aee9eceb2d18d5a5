"""Fields that many kinds of records of the module have, each said once."""

from __future__ import annotations

from typing import Any

from kehu.api import Field, _l
from plugins_builtin.automotive.base import SLUG


def changed_at(**more: Any) -> Field:
    """Return the field of the last change."""
    return _made(
        "updated_at",
        _l("Changed"),
        "datetime",
        {"readonly": True, "sortable": True, "filterable": True},
        more,
    )


def looked_after_by(**more: Any) -> Field:
    """Return the field of the member by whom own and team reach are decided."""
    return _made("owner_id", _l("Looked after by"), "member", {"filterable": True}, more)


def customer(**more: Any) -> Field:
    """Return the field of the customer, whom lists show and can be filtered by."""
    given = {"ref": "customers", "column": True, "filterable": True}
    return _made("customer_id", _l("Customer"), "ref", given, more)


def contact(**more: Any) -> Field:
    """Return the field of the contact."""
    return _made("contact_id", _l("Contact"), "ref", {"ref": "contacts"}, more)


def deal(**more: Any) -> Field:
    """Return the field of the deal."""
    return _made("deal_id", _l("Deal"), "ref", {"ref": "deals"}, more)


def its_deal() -> Field:
    """Return the field of the deal without which a record can't be."""
    return deal(required=True, quick=True, filterable=True)


def its_vehicle() -> Field:
    """Return the field of the vehicle without which a record can't be."""
    given = {"ref": f"{SLUG}.vehicles", "required": True, "column": True, "quick": True, "filterable": True}
    return _made("vehicle_id", _l("Vehicle"), "ref", given, {})


def notes(**more: Any) -> Field:
    """Return the field of what else is to be said."""
    return _made("description", _l("Notes"), "long_text", {}, more)


def money(key: str, label: Any, **more: Any) -> Field:
    """Return a field of an amount that is not negative."""
    return _made(key, label, "money", {"minimum": 0}, more)


def _made(key: str, label: Any, kind: str, given: dict[str, Any], more: dict[str, Any]) -> Field:
    return Field(**{"key": key, "label": label, "kind": kind, **given, **more})
