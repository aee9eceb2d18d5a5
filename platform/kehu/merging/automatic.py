"""Merging what is certain, each night where the firm wants it; and the rehearsal that shows first what that is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core.errors import KehuError
from kehu.core.records.types import get as get_type
from kehu.merging import choosing
from kehu.merging.certain import certain
from kehu.merging.finding import DoublesService, ordered
from kehu.merging.models import LikelyDouble, MergeRule
from kehu.merging.rule import CERTAIN, Match, match
from kehu.merging.services import MergeService

log = structlog.get_logger(__name__)

CHUNK = 500
LOOKED = 5_000
"""So many of the likeliest pairs a rehearsal or a night looks at."""

NIGHT = 200
"""So many merges one night makes at most."""

SHOWN = 50


@dataclass(kw_only=True)
class Rehearsal:
    """What a night would merge: how many pairs, and the first of them."""

    count: int = 0
    first: list[Match] = field(default_factory=list)


def rehearse(session: Session, object_name: str) -> Rehearsal:
    """Return what would be merged now; nothing is changed."""
    found = Rehearsal()
    for hit in _certain(session, object_name):
        found.count += 1
        if len(found.first) < SHOWN:
            found.first.append(hit)
    return found


def merge_night(session: Session, object_name: str) -> int:
    """Merge what is certain, if the firm wants that, and return how many merges that were."""
    statement = select(MergeRule.active).where(
        MergeRule.object == object_name, MergeRule.deleted_at.is_(None)
    )
    if not session.execute(statement).scalar():
        return 0
    merged: set[uuid.UUID] = set()
    done = 0
    for hit in list(_certain(session, object_name)):
        keep_id, drop_id = ordered(hit.first.id, hit.second.id)  # Ids rise with time: the older one stays.
        if {keep_id, drop_id} & merged:
            continue  # One of them is another one since the pair was weighed; the next night looks anew.
        if _merged(session, object_name, keep_id, drop_id):
            merged |= {keep_id, drop_id}
            done += 1
        if done == NIGHT:
            break
    return done


def _merged(session: Session, object_name: str, keep_id: uuid.UUID, drop_id: uuid.UUID) -> bool:
    service = MergeService(session, object_name)
    try:
        with session.begin_nested():
            keep, drop = service.two(keep_id, drop_id)
            # Nobody chooses here: what can stand beside the other stays, nothing is overwritten.
            picks = {
                one.field.key: "both"
                for one in choosing.choices(service.records.type, keep, drop)
                if one.both
            }
            service.merge(keep_id, drop_id, picks, how="rule")
    except KehuError as error:
        log.info("automatic_merge_refused", object=object_name, code=error.code)
        return False
    return True


def _certain(session: Session, object_name: str) -> Iterator[Match]:
    """Yield the pairs of the last look that are certain when they are weighed anew, the likeliest first."""
    finder = DoublesService(session, object_name)
    total = finder.total()
    statement = (
        select(LikelyDouble.low_id, LikelyDouble.high_id)
        .where(LikelyDouble.object == object_name, LikelyDouble.millionths >= round(CERTAIN * 1_000_000))
        .order_by(LikelyDouble.millionths.desc(), LikelyDouble.id.desc())
        .limit(LOOKED)
    )
    rows = session.execute(statement).all()
    for start in range(0, len(rows), CHUNK):
        pairs = [(row.low_id, row.high_id) for row in rows[start : start + CHUNK]]
        known = finder.candidates(one for pair in pairs for one in pair)
        told, owners = finder.told(pairs), _owners(session, object_name, known)
        for pair in pairs:
            first, second = known.get(pair[0]), known.get(pair[1])
            hit = match(first, second, total=total) if first and second and pair not in told else None
            if hit is not None and certain(hit) and len({owners[one] for one in pair} - {None}) < 2:
                yield hit


def _owners(session: Session, object_name: str, ids: Any) -> dict[uuid.UUID, uuid.UUID | None]:
    """Return whose records are: those of two members are left to them."""
    model: Any = get_type(object_name).model
    statement = select(model.id, model.owner_id).where(model.id.in_(list(ids)))
    return {row.id: row.owner_id for row in session.execute(statement)}
