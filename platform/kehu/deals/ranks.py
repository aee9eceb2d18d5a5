"""Ranks: texts whose byte order is the order of the cards in a column.

A rank starts with nine digits of base 62 that count down with time, so that a new card comes first without a look at
the others; a card that is put between two others adds digits behind them.
"""

from __future__ import annotations

import datetime as dt

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE = len(DIGITS)
WIDTH = 9
_HIGHEST = BASE**WIDTH - 1
_STEP = 1_000_000


def write(number: int) -> str:
    """Return a whole number as the nine digits that lead a rank."""
    number = min(max(number, 0), _HIGHEST)
    found = ""
    for _place in range(WIDTH):
        number, digit = divmod(number, BASE)
        found = DIGITS[digit] + found
    return found


def top(now: dt.datetime, offset: int = 0) -> str:
    """Return the rank of a card that comes first now; a larger `offset` comes later."""
    return write(_HIGHEST - int(now.timestamp() * 1_000_000) + offset)


def usable(rank: str) -> bool:
    """Tell whether a rank was made here (rows written by hand may have none)."""
    return (
        len(rank) >= WIDTH and not (set(rank) - set(DIGITS)) and (len(rank) == WIDTH or rank[-1] != DIGITS[0])
    )


def between(above: str | None, below: str | None, now: dt.datetime) -> str | None:
    """Return a rank between two cards (None: no card there), or None when theirs leave no room."""
    if any(one is not None and not usable(one) for one in (above, below)):
        return None
    if above is None:
        first = top(now)
        if below is None or first < below:
            return first
        return write(_read(below) - _STEP) if _read(below) > _STEP else None
    if below is None:
        return write(_read(above) + _STEP)
    if above >= below:
        return None
    one, other = _read(above), _read(below)
    if other - one > 1:
        return write((one + other) // 2)
    if one == other:
        return above[:WIDTH] + _middle(above[WIDTH:], below[WIDTH:])
    return above[:WIDTH] + _middle(above[WIDTH:], None)


def _read(rank: str) -> int:
    number = 0
    for letter in rank[:WIDTH]:
        number = number * BASE + DIGITS.index(letter)
    return number


def _middle(low: str, high: str | None) -> str:
    """Return the digits of a fraction between two others; None stands for one whole."""
    shared = 0
    if high is not None:
        while shared < len(high) and (low[shared] if shared < len(low) else DIGITS[0]) == high[shared]:
            shared += 1
        if shared:
            return high[:shared] + _middle(low[shared:], high[shared:])
    first = DIGITS.index(low[0]) if low else 0
    last = DIGITS.index(high[0]) if high else BASE
    if last - first > 1:
        return DIGITS[(first + last) // 2]
    if high is not None and len(high) > 1:
        return high[0]
    return DIGITS[first] + _middle(low[1:], None)
