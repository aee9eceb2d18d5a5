"""A look through all records of a firm for doubles: in blocks of what they share, so that few pairs are weighed."""

from __future__ import annotations

import uuid
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, groupby
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import context
from kehu.core.ids import new_id
from kehu.core.records.types import get as get_type
from kehu.core.text import fold
from kehu.merging.finding import COLUMNS, candidate, need_object, ordered
from kehu.merging.models import LikelyDouble, NoDouble
from kehu.merging.rule import Candidate, host, match, phone_key

CHUNK = 2_000
LARGEST = 50
"""What more records share says nothing of them."""

_PLACES = 24
"""Bits of a position: 16 million records of one firm."""
_SIGN = (1 << 64 - _PLACES) - 1

Pair = tuple[int, int]


def signs(one: Candidate) -> Iterator[tuple[Any, ...]]:
    """Yield what a record shares with its doubles: two that share none of it are never compared."""
    yield from _ways(one)
    yield from _names(one)
    yield from _places(one)


def _ways(one: Candidate) -> Iterator[tuple[Any, ...]]:
    for number in one.phones:
        yield "phone", phone_key(number)
    for address in one.emails:
        yield "email", fold(address)
    if one.website:
        yield "website", host(one.website)
    if one.born is not None:
        yield "born", one.born


def _names(one: Candidate) -> Iterator[tuple[Any, ...]]:
    starts = [word[:3] for word in one.words[:4]]
    yield "name", *sorted(one.words)
    if one.person:
        for first, second in combinations(sorted(starts), 2):
            yield "starts", first, second
    for start in starts:
        if one.post:
            yield "post", start, one.post
        if one.town:
            yield "town", start, one.town[:4]
        if one.customer_id is not None:
            yield "customer", start, one.customer_id
        if one.born is not None:
            yield "year", start, one.born.year


def _places(one: Candidate) -> Iterator[tuple[Any, ...]]:
    road, numbers = one.road
    if road:
        yield "road", road[:6], one.post or one.town[:4]
        yield from (("house", road[:6], number) for number in numbers)


def pairs(all_: Sequence[Candidate]) -> Iterator[Pair]:
    """Yield each pair of positions once that shares a sign which few others have."""
    blocks = list(_blocks(all_))
    of: dict[int, list[int]] = defaultdict(list)
    for number, block in enumerate(blocks):
        for position in block:
            of[position].append(number)
    for low, numbers in of.items():
        near = {high for number in numbers for high in blocks[number] if high > low}
        yield from ((low, high) for high in sorted(near))


def _blocks(all_: Sequence[Candidate]) -> Iterator[array[int]]:
    """Yield the positions of records that share a sign.

    A sign and a position are one number of 64 bits, so that a million and a half of them take little room; two signs
    that fall together by chance only cause a comparison.
    """
    found = array("Q")
    for position, one in enumerate(all_):
        found.extend((hash(sign) & _SIGN) << _PLACES | position for sign in set(signs(one)))
    for _sign, group in groupby(sorted(found), key=lambda number: number >> _PLACES):
        block = array("L", (number & (1 << _PLACES) - 1 for number in group))
        if 2 <= len(block) <= LARGEST:
            yield block


def look(all_: Sequence[Candidate]) -> Iterator[tuple[Candidate, Candidate, float]]:
    """Yield the likely doubles among records, with their probability."""
    for low, high in pairs(all_):
        found = match(all_[low], all_[high], total=len(all_))
        if found is not None:
            yield all_[low], all_[high], found.probability


def look_through(session: Session, object_name: str) -> int:
    """Look through all records of a kind of the present firm, keep what is likely, and return how many pairs.

    Pairs of which somebody said that they are not the same are left out.
    """
    need_object(object_name)
    rows = {ordered(one.id, other.id): chance for one, other, chance in look(_all(session, object_name))}
    statement = select(NoDouble.low_id, NoDouble.high_id).where(NoDouble.object == object_name)
    told = {(row.low_id, row.high_id) for row in session.execute(statement)}
    kept = [(pair, chance) for pair, chance in rows.items() if pair not in told]
    session.execute(delete(LikelyDouble).where(LikelyDouble.object == object_name))
    for start in range(0, len(kept), CHUNK):
        session.execute(
            insert(LikelyDouble).on_conflict_do_nothing(),
            [
                {
                    "tenant_id": context.tenant().id,
                    "id": new_id(),
                    "object": object_name,
                    "low_id": low,
                    "high_id": high,
                    "millionths": round(chance * 1_000_000),
                }
                for (low, high), chance in kept[start : start + CHUNK]
            ],
        )
    return len(kept)


def _all(session: Session, object_name: str) -> list[Candidate]:
    model: Any = get_type(object_name).model
    columns = [getattr(model, name) for name in COLUMNS[object_name]]
    found: list[Candidate] = []
    names: Counter[str] = Counter()
    for chunk in _chunks(session, model, columns):
        names.update(row.name_norm for row in chunk)
        found += (candidate(row, {}, kept=False) for row in chunk)
    for place, one in enumerate(found):
        if (people := names[fold(one.name)]) > 2:
            found[place] = replace(one, named_alike=people)
    return found


def _chunks(session: Session, model: Any, columns: Iterable[Any]) -> Iterator[Sequence[Any]]:
    last = uuid.UUID(int=0)
    statement = select(*columns).where(model.deleted_at.is_(None)).order_by(model.id).limit(CHUNK)
    while rows := session.execute(statement.where(model.id > last)).all():
        yield rows
        last = rows[-1].id
