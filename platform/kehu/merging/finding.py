"""Find likely doubles: records that share a mail, a phone, a name, or a place and the beginning of the name."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from sqlalchemy import ColumnElement, Text, any_, cast, delete, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, search
from kehu.core.errors import NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.records import scope
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.records.undo import register_action
from kehu.merging.models import LikelyDouble, NoDouble
from kehu.merging.rule import Candidate, Match, match, phone_key

OBJECTS = ("customers", "contacts")
LOOK = "merging.look"
"""The job that looks through all records."""
BLOCKS = 200
"""So many groups that share something are looked at for each sign, those that changed last."""
LARGEST = 20
"""What more share says nothing of them: a switchboard, an info@ address, a placeholder."""
SHOWN = 50


_BOTH = ("id", "name", "name_norm", "emails", "phones", "born_on", "updated_at")
COLUMNS: dict[str, tuple[str, ...]] = {
    "customers": (*_BOTH, "kind", "website", "addresses", "number"),
    "contacts": (*_BOTH, "customer_id", "job_title"),
}
"""What is read of a record that is compared or shown beside its like."""


def candidate(row: Any, alike: Mapping[str, int], *, kept: bool = True) -> Candidate:
    """Return a record as the rule compares it.

    :param alike: how many records carry each of some names.
    :param kept: whether the row is kept with it, to be shown.
    """
    place = (getattr(row, "addresses", None) or [{}])[0]
    return Candidate(
        id=row.id,
        name=row.name,
        person=getattr(row, "kind", "person") == "person",
        phones=tuple(one["number"] for one in row.phones or ()),
        emails=tuple(one["address"] for one in row.emails or ()),
        website=getattr(row, "website", "") or "",
        postcode=place.get("postcode") or "",
        city=place.get("city") or "",
        street=place.get("street") or "",
        born=row.born_on,
        customer_id=getattr(row, "customer_id", None),
        named_alike=alike.get(row.name_norm, 2),
        shown=row if kept else None,
    )


def need_object(name: str) -> str:
    """Return a kind of record that can be merged.

    :raises NotFound: for any other.
    """
    if name not in OBJECTS:
        raise NotFound(_("There is no such kind of record."))
    return name


class DoublesService:
    """Find likely doubles of one kind, and keep what people say of them."""

    def __init__(self, session: Session, object_name: str) -> None:
        self.session = session
        self.actor = context.actor()
        self.object = need_object(object_name)
        self.type = get_type(object_name)
        self.model: Any = self.type.model

    def likely(self) -> list[Match]:
        """Return the likeliest pairs of the whole firm, within what the actor sees."""
        self.actor.require(f"{self.object}:write")
        found: dict[tuple[uuid.UUID, uuid.UUID], Match] = {}
        blocks = [block for key in self._keys() for block in self._blocks(key)]
        blocks += self._looked_up()
        known = self.candidates(one for block in blocks for one in block) if blocks else {}
        total = self.total()
        for pair in {pair for block in blocks for pair in combinations(block, 2)}:
            first, second = known.get(pair[0]), known.get(pair[1])
            hit = match(first, second, total=total) if first and second else None
            if hit is not None:
                found[pair] = hit
        return self._best(found)

    def of(self, record: Any) -> list[Match]:
        """Return who may be the same as one record."""
        self.actor.require(f"{self.object}:write")
        near = self._near(record, candidate(record, {}))
        rows = self.session.execute(
            self._rows().where(self.model.id != record.id, near).limit(LARGEST * 5)
        ).all()
        if not rows:
            return []
        total, alike = self.total(), self._namesakes([record.name_norm, *(row.name_norm for row in rows)])
        mine = candidate(record, alike)
        hits = (match(mine, candidate(row, alike), total=total) for row in rows)
        return self._best({ordered(hit.first.id, hit.second.id): hit for hit in hits if hit})

    def search(self, wanted: str, but: uuid.UUID) -> list[Any]:
        """Return records that a word finds, but one."""
        statement = self._rows().where(self.model.id != but)
        for part in search.matching(self.object, wanted):
            statement = statement.where(self.model.id.in_(part))
        return list(self.session.execute(statement.order_by(self.model.name_norm, self.model.id).limit(10)))

    def _best(self, found: dict[tuple[uuid.UUID, uuid.UUID], Match]) -> list[Match]:
        told = self.told(found)
        hits = [hit for pair, hit in found.items() if pair not in told]
        return sorted(hits, key=lambda hit: (-hit.probability, hit.first.name, str(hit.first.id)))[:SHOWN]

    def told(self, pairs: Iterable[tuple[uuid.UUID, uuid.UUID]]) -> set[tuple[uuid.UUID, uuid.UUID]]:
        """Return those of some pairs of which somebody said that they are not the same."""
        lows = [low for low, _high in pairs]
        if not lows:
            return set()
        statement = select(NoDouble.low_id, NoDouble.high_id).where(
            NoDouble.object == self.object, NoDouble.low_id.in_(lows)
        )
        return {(row.low_id, row.high_id) for row in self.session.execute(statement)}

    def total(self) -> int:
        """Return how many records there are, by which a frequent name is known."""
        statement = select(func.count()).select_from(self.model).where(self.model.deleted_at.is_(None))
        return int(self.session.execute(statement).scalar_one())

    # Which are looked at ------------------------------------------------------------------------

    def _keys(self) -> list[ColumnElement[Any]]:
        """Return what doubles share, as expressions: each makes groups of its own."""
        row = self.model
        keys = [row.email_norm, func.right(row.phone_norm, 8), row.name_norm]
        if self.object == "customers":
            postcode = row.addresses[0]["postcode"].astext
            return [*keys, func.left(row.name_norm, 4) + literal("|") + func.nullif(postcode, "")]
        return [*keys, func.left(row.name_norm, 4) + literal("|") + cast(row.customer_id, Text)]

    def _looked_up(self) -> list[list[uuid.UUID]]:
        """Return the likeliest pairs of the last look through the whole firm."""
        found = select(LikelyDouble.low_id, LikelyDouble.high_id).where(LikelyDouble.object == self.object)
        order = (LikelyDouble.millionths.desc(), LikelyDouble.id.desc())
        return [
            [row.low_id, row.high_id] for row in self.session.execute(found.order_by(*order).limit(BLOCKS))
        ]

    def _rows(self) -> Any:
        row = self.model
        reach = self.actor.scope(f"{self.object}:read")
        return select(*(getattr(row, key) for key in COLUMNS[self.object])).where(
            row.deleted_at.is_(None), scope.condition(self.type, row, self.actor, reach)
        )

    def _blocks(self, key: ColumnElement[Any]) -> list[list[uuid.UUID]]:
        """Return the ids of records that share a sign, group by group, those that changed last first."""
        row = self.model
        statement = (
            select(func.array_agg(row.id))
            .where(row.deleted_at.is_(None), key.is_not(None))
            .group_by(key)
            .having(func.count().between(2, LARGEST))
            .order_by(func.max(row.updated_at).desc())
            .limit(BLOCKS)
        )
        return [sorted(ids) for ids in self.session.execute(statement).scalars()]

    def candidates(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Candidate]:
        """Return records by id, as far as the actor sees them; one statement for those of all groups."""
        wanted = literal(sorted(set(ids)), ARRAY(UUID(as_uuid=True)))
        statement = self._rows().where(self.model.id == any_(wanted))
        rows = self.session.execute(statement).all()
        alike = self._namesakes(row.name_norm for row in rows)
        return {row.id: candidate(row, alike) for row in rows}

    def _namesakes(self, names: Iterable[str]) -> dict[str, int]:
        """Return how many records carry each of some names.

        A statement of its own: counted row by row, old statistics (just after an import) made it take half a minute.
        """
        row, wanted = self.model, literal(sorted(set(names)), ARRAY(Text))
        statement = select(row.name_norm, func.count().label("people")).where(
            row.deleted_at.is_(None), row.name_norm == any_(wanted)
        )
        return {one.name_norm: one.people for one in self.session.execute(statement.group_by(row.name_norm))}

    def _near(self, record: Any, mine: Candidate) -> ColumnElement[bool]:
        """Return the condition on who shares a sign with one record."""
        row = self.model
        found = [row.name_norm == record.name_norm]
        if record.email_norm:
            found.append(row.email_norm == record.email_norm)
        if record.phone_norm:
            found.append(func.right(row.phone_norm, 8) == phone_key(record.phone_norm))
        if record.born_on is not None:
            found.append(row.born_on == record.born_on)
        if self.object == "customers" and mine.postcode:
            start = func.left(row.name_norm, 4) == record.name_norm[:4]
            found.append(start & (row.addresses[0]["postcode"].astext == mine.postcode))
        if self.object == "contacts" and record.customer_id:
            found.append(row.customer_id == record.customer_id)
        return or_(*found)

    # What people say ----------------------------------------------------------------------------

    def reject(self, first_id: uuid.UUID, second_id: uuid.UUID) -> None:
        """Remember that two records are not the same; saying so twice does no harm."""
        service = service_for(self.object, self.session)
        first = service.get(first_id, action="write")
        service.get(second_id, action="write")
        if say_no(self.session, self.object, first_id, second_id):
            audit.write(
                self.session,
                object=self.object,
                record_id=first_id,
                action="no_double",
                title=service.title_of(first),
                changes={"no_double": [None, str(second_id)]},
                customer_id=first_id if self.object == "customers" else first.customer_id,
            )


def say_no(session: Session, object_name: str, first_id: uuid.UUID, second_id: uuid.UUID) -> bool:
    """Remember that two records are not the same; False when that was known."""
    low, high = ordered(first_id, second_id)
    statement = insert(NoDouble).values(
        tenant_id=context.tenant().id,
        id=new_id(),
        object=object_name,
        low_id=low,
        high_id=high,
        said_at=clock.now(),
        said_by=context.actor().member_id,
    )
    return bool(session.execute(statement.on_conflict_do_nothing()).rowcount)  # type: ignore[attr-defined]


def _unsay(session: Session, entry: audit.AuditEntry) -> None:
    """Let two records be suggested again."""
    service_for(entry.object, session).get(entry.record_id, action="write")
    low, high = ordered(entry.record_id, uuid.UUID(entry.changes["no_double"][1]))
    session.execute(
        delete(NoDouble).where(
            NoDouble.object == entry.object, NoDouble.low_id == low, NoDouble.high_id == high
        )
    )


register_action("no_double", _unsay)


def ordered(one: uuid.UUID, other: uuid.UUID) -> tuple[uuid.UUID, uuid.UUID]:
    """Return two ids, the lesser first."""
    return (one, other) if one < other else (other, one)
