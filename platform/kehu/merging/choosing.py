"""Which values the merged record gets: what is proposed, and what somebody chose; no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any

from kehu.core.records.fields import Field
from kehu.core.records.own import PLACE
from kehu.core.records.types import RecordType

LISTS = frozenset({"emails", "phones", "addresses", "tags"})
BESIDE = LISTS | {"long_text"}
"""Kinds of fields of which the merged record can keep both values."""

APART = frozenset({"mail_consent"})
"""Fields with rules of their own: of what somebody agreed to, the later word holds."""

_STRICT = {"do_not_contact": (None, "unasked", "all"), "contact_gap": (None, "7", "30", "91", "365")}
"""Field -> its values, the most careful last: the merged record is proposed the more careful one."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One field in which two records differ, and what is proposed: keep, drop or both."""

    field: Field
    keep: Any
    drop: Any
    pick: str
    both: bool


def choices(record_type: RecordType, keep: Any, drop: Any) -> list[Choice]:
    """Return the fields in which two records differ."""
    found = []
    for spec in record_type.editable.values():
        ours, theirs = getattr(keep, spec.key), getattr(drop, spec.key)
        if spec.key in APART or ours == theirs or (_empty(ours) and _empty(theirs)):
            continue
        if spec.key == record_type.coded:
            continue  # Each keeps its code: the other one's must not be given twice.
        if spec.kind == "ref" and theirs == keep.id:
            continue  # What belongs to the kept record can't make that belong to itself.
        both = spec.kind in BESIDE and not (_empty(ours) or _empty(theirs))
        found.append(
            Choice(field=spec, keep=ours, drop=theirs, pick=_propose(spec, ours, theirs, both), both=both)
        )
    return found


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == []


def _propose(spec: Field, ours: Any, theirs: Any, both: bool) -> str:
    if spec.key in _STRICT:
        order = _STRICT[spec.key]
        rank = {value: place for place, value in enumerate(order)}
        return "drop" if rank.get(theirs, 0) > rank.get(ours, 0) else "keep"
    if both and spec.kind in LISTS:
        return "both"
    return "drop" if _empty(ours) else "keep"


def values(record_type: RecordType, keep: Any, drop: Any, picks: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that the kept record gets in the place of its own.

    :param picks: field -> keep, drop or both; anything else is as proposed.
    """
    found: dict[str, Any] = {}
    for one in choices(record_type, keep, drop):
        pick = picks.get(one.field.key, one.pick)
        if pick == "both" and one.both:
            found[one.field.key] = joined(one.field, one.keep, one.drop)
        elif pick == "drop" or (pick == "both" and _empty(one.keep)):
            found[one.field.key] = one.drop
    return found


def joined(spec: Field, ours: Any, theirs: Any) -> Any:
    """Return both values in one: the kept record's first, nothing twice."""
    if spec.kind == "long_text":
        return ours if theirs in ours else f"{ours}\n\n{theirs}"
    return _unique([*ours, *theirs])


def _unique(values: Iterable[Any]) -> list[Any]:
    seen: set[str] = set()
    found = []
    for value in values:
        mark = _mark(value)
        if mark not in seen:
            seen.add(mark)
            found.append(value)
    return found


def _mark(value: Any) -> str:
    """Return by what an entry of a list is known: the address, number or tag, whatever its label."""
    if not isinstance(value, dict):
        return str(value).casefold()
    core = value.get("address") or value.get("number")
    bare = core or "|".join(str(value.get(key) or "") for key in ("street", "postcode", "city", "country"))
    return str(bare).casefold()


# Values that no field shows ------------------------------------------------------------------------

Custom = dict[str, dict[str, Any]]


def custom_of(record_type: RecordType, keep: Any, drop: Any) -> Custom:
    """Return the values of the dropped record by owner and name that the kept one lacks and no field chooses.

    Those of plugins that are off, and of fields that were retired: nothing of the dropped record gets lost.
    """
    chosen = _chosen(record_type)
    found: Custom = {}
    for owner, theirs in (drop.custom or {}).items():
        mine = (keep.custom or {}).get(owner)
        if not isinstance(theirs, dict) or not isinstance(mine, dict | None):
            continue
        lacking = {
            key: value
            for key, value in theirs.items()
            if key not in (mine or {}) and (owner, key) not in chosen
        }
        if lacking:
            found[owner] = lacking
    return found


def _chosen(record_type: RecordType) -> set[tuple[str, str]]:
    """Return the values by owner and name that are fields of the record, chosen like all others."""
    found = set()
    for key, spec in record_type.editable.items():
        place = getattr_static(record_type.model, key, None)
        found.add((getattr(place, "slug", PLACE), getattr(place, "key", key)))
        found.add((PLACE, spec.own.slot if spec.own else key))
    return found


def with_custom(custom: Mapping[str, Any], added: Custom) -> dict[str, Any]:
    """Return the values of a record with those of another put beside them."""
    return {**custom, **{owner: {**custom.get(owner, {}), **more} for owner, more in added.items()}}


def without_custom(custom: Mapping[str, Any], added: Custom) -> dict[str, Any]:
    """Return the values of a record without those that a merge put there; what was changed since stays."""
    found = dict(custom)
    for owner, more in added.items():
        mine = {
            key: value for key, value in found.get(owner, {}).items() if key not in more or more[key] != value
        }
        found = {**found, owner: mine} if mine else {key: one for key, one in found.items() if key != owner}
    return found


# The way back ---------------------------------------------------------------------------------------


def apart(old: list[Any], new: list[Any], now: list[Any]) -> list[Any]:
    """Return a list without what a merge brought and with what it took; what was added since stays.

    :param old: as it was before the merge.
    :param new: as the merge left it.
    """
    kept = [one for one in now if one in old or one not in new]
    return kept + [one for one in old if one not in new and one not in kept]
