"""What was mended, what is odd and why a lead waits, in words; cars in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kehu.api import _, _l, show_phone, whole

REPAIRS = {
    "encoding": _l("The letters were not in the encoding that was said; they were read as Western European."),
    "control": _l("Control characters were left out."),
    "doctype": _l("A document type was left out; none is ever loaded."),
    "declaration": _l("A declaration stood in the wrong place or twice."),
    "found_inside": _l("The lead stood inside of a mail or a page."),
    "quotes": _l("Typographic quotes in tags were replaced."),
    "namespace": _l("Tags carried a prefix."),
    "ampersand": _l("An ampersand was not escaped."),
    "tags": _l("Tags did not match; the document was read as far as it made sense."),
    "case": _l("Tags were written in capitals."),
    "wrapper": _l("The element around the prospects was missing."),
    "country": _l("The country held something else and was left out."),
    "reach_from_comments": _l("The number or address was found in the comments."),
    "date_zone": _l("The date had no usable time zone; the firm's zone was taken where there was none."),
    "date_form": _l("The date was written as month/day/year."),
    "date_unreadable": _l("The date could not be read."),
    "by_hand": _l("A member completed it by hand."),
}

REASONS = {
    "no_contact": _l("It holds no number or mail address by which the person can be answered."),
    "too_large": _l("It is larger than 256 KB, so it was not read."),
    "too_many": _l("It holds more than 50 prospects."),
    "not_adf": _l("It holds no ADF document."),
    "no_prospect": _l("It is a document without a prospect."),
    "unreadable": _l("It could not be read."),
    "failed": _l("Something in it could not be taken in; complete it by hand."),
}


def repairs_of(codes: Sequence[str]) -> list[str]:
    """Return sentences about what was mended."""
    return [str(REPAIRS[code]) for code in codes if code in REPAIRS]


def reason_of(code: str) -> str:
    """Return the sentence for why a lead waits, or what a member wrote."""
    return str(REASONS.get(code, code))


def doubts_of(doubts: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    """Return sentences about what contradicts itself.

    :param names: what those are called whom the reader may see, by their ids.
    """
    return list(dict.fromkeys(line for line in (_doubt(one, names) for one in doubts) if line))


def _doubt(one: Mapping[str, Any], names: Mapping[str, str]) -> str:
    match one.get("code"):
        case "vin_year":
            return _(
                "The VIN %(vin)s says model year %(by_vin)s, the lead says %(written)s.",
                vin=one["vin"],
                by_vin=one["by_vin"],
                written=one["written"],
            )
        case "vin_form":
            return _("“%(vin)s” is no VIN: it has 17 letters and digits, without I, O and Q.", vin=one["vin"])
        case "shares":
            name = names.get(str(one.get("id")))
            if name is None:
                return _("Somebody whom you may not see has the same number or mail address.")
            return _(
                "%(name)s has the same number or mail address under another name; perhaps one household.",
                name=name,
            )
        case "unusable":
            return _("“%(value)s” is no number or mail address that can be used.", value=one["value"])
        case "collision":
            return _("Several members are protected for this customer; a manager decides whose he is.")
    return ""


def car_line(car: Mapping[str, Any]) -> str:
    """Return a car in one line."""
    name = " ".join(str(car[key]) for key in ("year", "make", "model", "trim") if car.get(key))
    parts = [name]
    if car.get("vin"):
        parts.append(_("VIN %(vin)s", vin=car["vin"]))
    if car.get("stock"):
        parts.append(_("stock number %(stock)s", stock=car["stock"]))
    if car.get("km") is not None:
        parts.append(_("%(km)s km", km=whole(car["km"])))
    if car.get("price"):
        parts.append(" ".join(filter(None, (str(car["price"]), str(car.get("currency", ""))))))
    return ", ".join(part for part in parts if part) or _("not named")


def fact_lines(facts: Mapping[str, str]) -> list[str]:
    """Return what the comment says line by line."""
    return [f"{key}: {value}" for key, value in facts.items()]


def phones_line(phones: Sequence[Mapping[str, str]]) -> str:
    """Return numbers as people write them."""
    return ", ".join(show_phone(one["number"]) for one in phones)
