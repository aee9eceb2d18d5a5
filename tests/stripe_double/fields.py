"""What updates of all kinds share: known parameters, plain fields, metadata, addresses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.stripe_double.errors import invalid
from tests.stripe_double.world import Obj

ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def only(p: Obj, known: Iterable[str]) -> None:
    """Refuse what Stripe takes but the double doesn't: a test must not pass on something ignored."""
    for name in p:
        if name not in known:
            raise invalid(f"The double does not know parameter: {name}", name, "parameter_unknown")


def put(obj: Obj, p: Obj, names: Iterable[str]) -> None:
    """Copy plain fields; an empty text unsets one."""
    for name in names:
        if name in p:
            obj[name] = None if p[name] == "" else p[name]


def put_metadata(obj: Obj, p: Obj) -> None:
    """Merge metadata: keys stay unless named, an empty value removes one: https://docs.stripe.com/api/metadata."""
    given: Any = p.get("metadata")
    if given is None:
        return
    if given == "":
        obj["metadata"] = {}
        return
    merged = dict(obj.get("metadata") or {}) | given
    if len(merged) > 50:
        raise invalid("Metadata can have at most 50 keys.", "metadata")
    obj["metadata"] = {key: value for key, value in merged.items() if value != ""}


def address(given: Any) -> Obj | None:
    """Fill an address with nulls where nothing was given."""
    return ADDRESS | given if isinstance(given, dict) else None
