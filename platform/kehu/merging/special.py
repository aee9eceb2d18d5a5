"""What can't simply be pointed elsewhere: relations, households, pairs, and what somebody agreed to.

A changed row is remembered with its old and new values, so that the way back finds it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from kehu.consent import recording
from kehu.consent.models import Consent, ConsentState
from kehu.consent.recording import MAIL, Person, Word
from kehu.core import clock
from kehu.core.db import tenant_id
from kehu.merging.finding import ordered
from kehu.merging.models import Merge, NoDouble
from kehu.relations.models import Household, HouseholdMember, NoHousehold, Relation
from kehu.relations.wording import pair_of

Changed = dict[str, Any]


def change(session: Session, row: Any, values: Mapping[str, Any]) -> Changed:
    """Give a row other values and return what is needed to give it the old ones again."""
    was = {key: getattr(row, key) for key in values}
    for key, value in values.items():
        setattr(row, key, value)
    session.flush()  # The next row is checked against this one by the database.
    return {
        "name": row.__tablename__,
        "id": str(row.id),
        "was": {key: _plain(value) for key, value in was.items()},
        "now": {key: _plain(value) for key, value in values.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


_MODELS: dict[str, Any] = {
    one.__tablename__: one for one in (Relation, HouseholdMember, NoHousehold, NoDouble)
}


def take_back(session: Session, kept: Changed) -> bool:
    """Give a row its old values again; False when somebody changed it since."""
    model = _MODELS[kept["name"]]
    row = session.execute(select(model).where(model.id == uuid.UUID(kept["id"]))).scalar_one_or_none()
    if row is None or any(_plain(getattr(row, key)) != value for key, value in kept["now"].items()):
        return False
    for key, value in kept["was"].items():
        setattr(row, key, _read(key, value))
    session.flush()  # As above.
    return True


def _read(key: str, value: Any) -> Any:
    if value is None:
        return None
    if key.endswith("_id"):
        return uuid.UUID(value)
    return dt.datetime.fromisoformat(value) if key.endswith("_at") else value


def move(session: Session, merge: Merge) -> list[Changed]:
    """Do what has its own rules, before everything else is pointed at the kept record."""
    found = _relations(session, merge)
    found += _pairs(session, merge, NoDouble, NoDouble.object == merge.object)
    if merge.object == "customers":
        found += _memberships(session, merge)
        found += _pairs(session, merge, NoHousehold)
    return found


def _relations(session: Session, merge: Merge) -> list[Changed]:
    """Point relations at the kept record; those with itself, and second ones of a kind, end with the merge."""
    ends = ("customer_id", "other_id") if merge.object == "customers" else ("contact_id", "other_contact_id")
    about = or_(*(getattr(Relation, key) == merge.drop_id for key in ends))
    statement = select(Relation).where(about).order_by(Relation.id).with_for_update()
    found: list[Changed] = []
    for row in session.execute(statement).scalars().all():
        new: dict[str, Any] = {key: merge.keep_id for key in ends if getattr(row, key) == merge.drop_id}
        after = {key: new.get(key, getattr(row, key)) for key in (*_ENDS,)}
        pair = pair_of(
            row.kind,
            after["contact_id"] or after["customer_id"],
            after["other_contact_id"] or after["other_id"],
        )
        itself = (after["customer_id"], after["contact_id"]) == (after["other_id"], after["other_contact_id"])
        if row.deleted_at is None and (itself or _double(session, row, pair)):
            found.append(change(session, row, {"deleted_at": clock.now()}))
        elif not itself:
            found.append(change(session, row, {**new, "pair": pair}))
    return found


_ENDS = ("customer_id", "contact_id", "other_id", "other_contact_id")


def _double(session: Session, row: Relation, pair: str) -> bool:
    statement = select(Relation.id).where(
        Relation.pair == pair,
        Relation.id != row.id,
        Relation.to_on.is_(None),
        Relation.deleted_at.is_(None),
    )
    return row.to_on is None and session.execute(statement.limit(1)).first() is not None


def _memberships(session: Session, merge: Merge) -> list[Changed]:
    """Let go of present memberships that the kept record can't have beside its own: one home at a time."""
    statement = (
        select(HouseholdMember, Household.kind)
        .join(
            Household,
            (Household.tenant_id == HouseholdMember.tenant_id)
            & (Household.id == HouseholdMember.household_id),
        )
        .where(
            HouseholdMember.customer_id.in_([merge.keep_id, merge.drop_id]),
            HouseholdMember.to_on.is_(None),
            HouseholdMember.deleted_at.is_(None),
            Household.deleted_at.is_(None),
        )
        .with_for_update(of=HouseholdMember)
    )
    rows = session.execute(statement).all()
    here = {
        row.HouseholdMember.household_id for row in rows if row.HouseholdMember.customer_id == merge.keep_id
    }
    lives = any(row.kind == "household" for row in rows if row.HouseholdMember.customer_id == merge.keep_id)
    return [
        change(session, row.HouseholdMember, {"deleted_at": clock.now()})
        for row in rows
        if row.HouseholdMember.customer_id == merge.drop_id
        and (row.HouseholdMember.household_id in here or (lives and row.kind == "household"))
    ]


def _pairs(session: Session, merge: Merge, model: Any, *of: Any) -> list[Changed]:
    """Carry over what was said of pairs; a pair with itself, or one that is known already, stays as it is."""
    statement = select(model).where(
        *of, or_(*(getattr(model, key).in_([merge.keep_id, merge.drop_id]) for key in ("low_id", "high_id")))
    )
    rows = session.execute(statement).scalars().all()
    known = {(row.low_id, row.high_id) for row in rows}
    found = []
    for row in rows:
        if merge.drop_id not in (row.low_id, row.high_id):
            continue
        other = row.high_id if row.low_id == merge.drop_id else row.low_id
        pair = ordered(merge.keep_id, other)
        if other != merge.keep_id and pair not in known:
            known.add(pair)
            found.append(change(session, row, {"low_id": pair[0], "high_id": pair[1]}))
    return found


# What somebody agreed to --------------------------------------------------------------------------


def _held(session: Session, person_id: uuid.UUID) -> dict[tuple[str, str], Any]:
    statement = select(ConsentState).where(ConsentState.person_id == person_id)
    return {(row.channel, row.purpose): row for row in session.execute(statement).scalars()}


def consents(session: Session, merge: Merge, record: Any) -> tuple[dict[str, Any], Word | None]:
    """Let the later word of the two hold; both were said by the same person.

    :returns: what held before by `channel:purpose`, and the word on advertising by mail, which the record's own field
        repeats, if it changes.
    """
    ours, theirs = _held(session, merge.keep_id), _held(session, merge.drop_id)
    before: dict[str, Any] = {}
    words, mail = [], None
    for key, said in theirs.items():
        mine = ours.get(key)
        if mine is not None and (mine.state == said.state or _rank(mine) >= _rank(said)):
            continue
        word = _word(session, merge.drop_id, said)
        before[":".join(key)] = [mine.state, mine.said_at.isoformat()] if mine is not None else None
        if key == MAIL:
            mail = word
            continue
        words.append((recording.person_of(record), *key, word))
    recording.write(session, words)
    return before, mail


def _rank(state: Any) -> tuple[Any, bool]:
    return state.said_at, state.state == "withdrawn"


def _word(session: Session, person_id: uuid.UUID, said: Any) -> Word:
    last = _last(session, person_id, said)
    return Word(
        state=said.state,
        how="merge",
        said_at=said.said_at,
        source_text=last.source_text if last else None,
        proof=last.proof if last else None,
    )


def _last(session: Session, person_id: uuid.UUID, said: Any) -> Consent | None:
    statement = (
        select(Consent)
        .where(
            or_(Consent.customer_id == person_id, Consent.contact_id == person_id),
            Consent.channel == said.channel,
            Consent.purpose == said.purpose,
        )
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return session.execute(statement).scalar_one_or_none()


def consents_back(session: Session, person: Person, before: Mapping[str, Any]) -> None:
    """Say again what held before the merge; what was said since holds on."""
    words: list[tuple[Person, str, str, Word]] = []
    unsaid: list[tuple[Person, str, str, Word]] = []
    held = _held(session, person.id) if before else {}
    for key, was in before.items():
        channel, _colon, purpose = key.partition(":")
        now = held.get((channel, purpose))
        if (channel, purpose) == MAIL:
            if now is not None and was is None and now.state == "cleared":
                session.delete(now)
            continue
        if now is None or _said_how(session, person.id, now) != "merge":
            continue
        (words if was else unsaid).append((person, channel, purpose, said_before(was)))
        if was is None:
            session.delete(now)  # Nobody had asked; only the history tells of it.
    recording.write(session, words)
    recording.write(session, unsaid, hold=False)


def said_before(was: Sequence[str] | None) -> Word:
    """Return the word that held before a merge, for the way back."""
    state, at = was or ("cleared", None)
    return Word(state=state, how="undo", said_at=dt.datetime.fromisoformat(at) if at else None)


def _said_how(session: Session, person_id: uuid.UUID, said: Any) -> str | None:
    last = _last(session, person_id, said)
    return last.how if last else None


def comes_from(session: Session, record_id: uuid.UUID, other_id: uuid.UUID) -> bool:
    """Tell whether a customer belongs, directly or through others, to another."""
    statement = text(
        "WITH RECURSIVE up(id, parent_id, depth) AS ("
        "SELECT id, parent_id, 0 FROM customers WHERE tenant_id = :tenant AND id = :id UNION ALL "
        "SELECT c.id, c.parent_id, up.depth + 1 FROM customers c JOIN up ON c.id = up.parent_id "
        "WHERE c.tenant_id = :tenant AND up.depth < 20) "
        "SELECT 1 FROM up WHERE parent_id = :other LIMIT 1"
    )
    values = {"tenant": tenant_id(), "id": record_id, "other": other_id}
    return session.execute(statement, values).first() is not None
