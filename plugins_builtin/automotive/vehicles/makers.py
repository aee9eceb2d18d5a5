"""Who made a vehicle, by the first three characters of its number, as a hint.

`vininfo` is the best of the free lists, it needs no network, and still it is wrong now and then (group brands, small
makers): people see what it says in grey and take it over, or not.
"""

from __future__ import annotations

from dataclasses import dataclass

from vininfo.dicts import COUNTRIES, WMI

from plugins_builtin.automotive.vehicles.vin import well_formed


@dataclass(frozen=True, kw_only=True)
class Maker:
    """What the list says about a number's maker; empty where it does not know."""

    make: str = ""
    country: str = ""


def maker_of(vin: str) -> Maker:
    """Return maker and country of a number."""
    if not well_formed(vin):
        return Maker()
    found = WMI.get(vin[:3]) or WMI.get(vin[:2]) or ""
    make = found if isinstance(found, str) else str(getattr(found, "manufacturer", ""))
    return Maker(make=make, country=str(COUNTRIES.get(vin[:2]) or ""))


def agree(make: str, hint: str) -> bool:
    """Tell whether a written make and the hint may be the same: one word of the hint is enough."""
    written = make.casefold().replace("-", " ")
    return not hint or any(
        len(word) > 1 and (word in written or written in word)
        for word in hint.casefold().replace("-", " ").replace("/", " ").split()
    )
