"""What is asked of a vehicle's number, and what is said about one while it is typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kehu.api import InvalidInput, _
from plugins_builtin.automotive.vehicles import vin
from plugins_builtin.automotive.vehicles.makers import Maker, agree, maker_of

FIRST_STANDARD_YEAR = 1981
"""Since this model year numbers have 17 characters; before, makers did as they liked."""
_OLD = re.compile(r"[A-Z0-9]{4,17}")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is known of a number as it is written.

    :param fault: why it can't be kept as it is.
    :param hints: what is odd about it and stops nothing.
    :param repairs: numbers that were probably meant, the likeliest first.
    :param bad_places: places of characters that no number has, counted from one.
    :param may_stand: it can be kept all the same if somebody says why.
    :param odd_year: the number says another year than stands beside it; `odd_make` likewise.
    """

    number: str
    fault: str = ""
    hints: Sequence[str] = ()
    repairs: Sequence[str] = ()
    bad_places: Sequence[int] = ()
    maker: Maker = field(default_factory=Maker)
    years: Sequence[int] = ()
    may_stand: bool = False
    odd_year: bool = False
    odd_make: bool = False

    @property
    def missing(self) -> int:
        """How many characters are missing (or too many, if negative)."""
        return vin.LENGTH - len(self.number)


def findings(
    number: str, this_year: int, *, year: int | None = None, make: str = "", reason: str | None = None
) -> Findings:
    """Look at a number in its plain form.

    Length and alphabet bind everywhere, the check digit in North America and China unless somebody says why not
    (AUTOMOTIVE 8); all else is a hint.

    :param year: model year as written beside it; shorter numbers are possible before 1981.
    :param reason: why it stands although the check digit does not fit.
    """
    if not number:
        return Findings(number=number)
    bad = vin.bad_characters(number)
    if not vin.well_formed(number):
        if year is not None and year < FIRST_STANDARD_YEAR and _OLD.fullmatch(number):
            text = _("A number of before 1981 can't be checked. Compare it with the papers once more.")
            return Findings(number=number, hints=(text,))
        return Findings(
            number=number,
            fault=_malformed(number, bad),
            repairs=vin.repairs(number),
            bad_places=[one.place for one in bad],
        )
    maker, years = maker_of(number), vin.years(number, this_year)
    hints: list[str] = []
    fault, may_stand, repairs = "", False, []
    if not vin.fits(number):
        repairs = vin.repairs(number)
        if vin.binding(number) and not reason:
            may_stand = True
            fault = _("The check digit of this VIN does not fit, so a character is wrong.")
        elif not reason:
            hints.append(_("The check digit does not fit. Outside of North America and China it need not."))
    odd_year = year is not None and bool(years) and year not in years
    if odd_year:
        hints.append(_("By its VIN the model year is %(year)s.", year=years[0]))
    odd_make = bool(make) and not agree(make, maker.make)
    if odd_make:
        hints.append(_("By its VIN the maker is %(maker)s.", maker=maker.make))
    return Findings(
        number=number, fault=fault, hints=hints, repairs=repairs, maker=maker, years=years,
        may_stand=may_stand, odd_year=odd_year, odd_make=odd_make,
    )  # fmt: skip


def check_number(number: str, this_year: int, *, year: int | None, reason: str | None) -> None:
    """Refuse a number that can't be kept.

    :raises InvalidInput: names the field, and in `details["repairs"]` what was probably meant.
    """
    found = findings(number, this_year, year=year, reason=reason)
    if not found.fault:
        return
    message = found.fault
    if found.repairs:
        message += " " + _("Is it %(number)s?", number=found.repairs[0])
    fields = {"vin": [message]}
    if found.may_stand:
        fields["vin_reason"] = [_("If the papers say so, write here why it is kept.")]
    raise InvalidInput(message, fields=fields, repairs=list(found.repairs))


def _malformed(number: str, bad: Sequence[vin.BadCharacter]) -> str:
    if bad and len(number) == vin.LENGTH:
        return _(
            "A VIN has no %(character)s; it stands at place %(place)s.",
            character=bad[0].character,
            place=bad[0].place,
        )
    return _(
        "A VIN has 17 letters and digits, without I, O and Q; this has %(count)s. "
        "For a car of before 1981 write its year as well.",
        count=len(number),
    )
