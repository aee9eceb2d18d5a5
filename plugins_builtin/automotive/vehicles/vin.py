"""What a vehicle identification number says and where it is wrong; pure, without network or database.

ISO 3779 gives the structure, 49 CFR 565 the check digit and the year; both are binding in North America and, for the
check digit, in China. Elsewhere a number that does not fit is a hint and no fault.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LENGTH = 17
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_VALUES = dict(
    zip(_LETTERS, (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_VALUES |= {str(digit): digit for digit in range(10)}
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK = 8
"""Place of the check digit, counted from nought."""
_NEVER = {"O": "0", "I": "1", "Q": "0"}
"""Letters that no number has, and what was meant."""
_YEAR_CODES = "ABCDEFGHJKLMNPRSTVWXY123456789"
_FIRST, _CYCLE = 1980, 30
_ALIKE = (
    "S5",
    "B8",
    "Z2",
    "G6",
    "D0",
    "17",
    "L1",
    "UV",
    "38",
    "4A",
    "VY",
    "MN",
    "CG",
    "EF",
    "PR",
    "KX",
    "68",
    "3B",
)
"""Characters that are taken for each other, the likeliest first."""
_MOST_REPAIRS = 5


@dataclass(frozen=True, kw_only=True)
class BadCharacter:
    """A character that no number has; `place` counts from one."""

    place: int
    character: str


def normalise(raw: str) -> str:
    """Return a number in capital letters of the usual width, without blanks and hyphens."""
    wide = unicodedata.normalize("NFKC", raw)
    return re.sub(r"[\s\-\u2010-\u2015\u200b-\u200d\ufeff]", "", wide).upper()


def bad_characters(vin: str) -> list[BadCharacter]:
    """Return what is no letter or digit of a number."""
    return [BadCharacter(place=at, character=one) for at, one in enumerate(vin, 1) if one not in _VALUES]


def well_formed(vin: str) -> bool:
    """Tell whether length and alphabet are right (ISO 3779)."""
    return len(vin) == LENGTH and not bad_characters(vin)


def check_sum(vin: str) -> int:
    """Return the sum of the products of values and weights (49 CFR 565.15)."""
    return sum(_VALUES[one] * weight for one, weight in zip(vin, _WEIGHTS, strict=True))


def check_digit(vin: str) -> str:
    """Return the character that place nine should have: the remainder by eleven, ten is X."""
    rest = check_sum(vin) % 11
    return "X" if rest == 10 else str(rest)


def fits(vin: str) -> bool:
    """Tell whether the check digit is right; by chance it is in one of eleven."""
    return vin[_CHECK] == check_digit(vin)


def binding(vin: str) -> bool:
    """Tell whether the law of where the maker sits asks for the check digit: North America and China."""
    return vin[:1] in set("12345L")


def repairs(vin: str) -> list[str]:
    """Return numbers that were probably meant, the likeliest first.

    O, I and Q stand for 0, 1 and 0. One character taken for another that looks like it is offered where the check
    digit fits then; a pass proves little, so nothing is repaired by itself.
    """
    if len(vin) != LENGTH:
        return []
    plain = "".join(_NEVER.get(one, one) for one in vin)
    if bad_characters(plain):
        return []
    found = [plain] if plain != vin else []
    if not fits(plain):
        found += [one for one in _look_alikes(plain) if fits(one)]
    return found[:_MOST_REPAIRS]


def _look_alikes(vin: str) -> Iterator[str]:
    for pair in _ALIKE:
        first, second = pair[0], pair[1]
        for place, one in enumerate(vin):
            if one in (first, second):
                yield vin[:place] + (second if one == first else first) + vin[place + 1 :]


def years(vin: str, this_year: int) -> list[int]:
    """Return the model years that place ten may mean, the likeliest first; a suggestion and never more.

    In North America a digit on place seven says 1980 to 2009, a letter 2010 to 2039. Heavy trucks break that rule, so
    that a year after the next one is dropped. Elsewhere makers may write anything on place ten.
    """
    if not well_formed(vin) or vin[9] not in _YEAR_CODES:
        return []
    first = _FIRST + _YEAR_CODES.index(vin[9])
    both = [first + _CYCLE, first]
    american = vin[0] in "12345"
    if american or (vin[0] != "L" and fits(vin)):
        # A fitting check digit from overseas: built for that market, so its rule speaks first.
        both.sort(key=lambda year: (year < _FIRST + _CYCLE) != vin[6].isdigit())
    known = [year for year in both if year <= this_year + 1]
    return known[:1] if american else known
