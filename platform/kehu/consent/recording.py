"""Writing down what a person said: a row of the history, and what holds from now."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.consent.models import Consent, ConsentState
from kehu.core import bulk, clock, context
from kehu.core.ids import new_id

MAIL = ("mail", "marketing")
"""The channel and purpose that the column `mail_consent` repeats."""

_SOURCES = {"import": "import", "api": "api"}
_PENDING, _WORD = "consents_pending", "consent_word"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Whose consent it is: a customer or a contact."""

    object: str
    id: uuid.UUID
    address: str | None = None

    @property
    def keys(self) -> dict[str, uuid.UUID | None]:
        """The pointers of a row about the person."""
        mine = self.object == "contacts"
        return {"customer_id": None if mine else self.id, "contact_id": self.id if mine else None}


def person_of(record: Any) -> Person:
    """Return a customer or contact as a person."""
    address = record.emails[0]["address"] if record.emails else None
    return Person(object=record.__tablename__, id=record.id, address=address)


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a person said, and how it is known.

    :param source_text: what the person agreed to, word for word.
    :param proof: where that can be seen: a form's number, a recording, an address of the network.
    """

    state: str
    how: str = "member"
    said_at: dt.datetime | None = None
    source_text: str | None = None
    proof: str | None = None


def write(session: Session, words: Sequence[tuple[Person, str, str, Word]], *, hold: bool = True) -> None:
    """Add words (person, channel, purpose, word) to the history; each holds from now.

    :param hold: False for words that something later has overtaken.
    """
    if not words:
        return
    who = context.current().actor
    now, tenant_id = clock.now(), context.tenant().id
    rows = [
        {
            "tenant_id": tenant_id,
            "id": new_id(),
            **person.keys,
            "channel": channel,
            "purpose": purpose,
            "state": word.state,
            "how": word.how,
            "said_at": word.said_at or now,
            "source_text": word.source_text,
            "proof": word.proof,
            "address": person.address,
            "recorded_at": now,
            "member_id": who.member_id if who else None,
            "actor_name": who.name if who else "",
        }
        for person, channel, purpose, word in words
    ]
    session.flush()  # The people whose words these are may be new.
    table: Any = Consent.__table__
    bulk.insert_rows(session, table, rows)
    if not hold:
        return
    held = ("tenant_id", "customer_id", "contact_id", "channel", "purpose", "state", "said_at")
    latest = {
        (person.id, row["channel"], row["purpose"]): {
            "person_id": person.id,
            **{key: row[key] for key in held},
        }
        for (person, *_rest), row in zip(words, rows, strict=True)
    }
    _hold(session, list(latest.values()))


def _hold(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    statement = insert(ConsentState)
    new = statement.excluded
    for start in range(0, len(rows), 500):
        session.execute(
            statement.values(rows[start : start + 500]).on_conflict_do_update(
                index_elements=["tenant_id", "person_id", "channel", "purpose"],
                set_={"state": new.state, "said_at": new.said_at},
            )
        )


# The column of customers and contacts ------------------------------------------------------


def use_word(session: Session, word: Word | None) -> None:
    """Say how the next change of `mail_consent` came about; None forgets it."""
    session.info[_WORD] = word


def notice(session: Session, record: Any, changed: set[str]) -> None:
    """Remember that `mail_consent` of a record changes (from `prepare`)."""
    if "mail_consent" in changed:
        session.info.setdefault(_PENDING, {})[record.id] = record


def follow(session: Session, records: Sequence[Any]) -> None:
    """Write the changes of `mail_consent` that were noticed of these records (from `saved`)."""
    pending: dict[uuid.UUID, Any] = session.info.get(_PENDING, {})
    found = [record for record in records if pending.pop(record.id, None) is not None]
    write(
        session,
        [(person_of(record), *MAIL, _word(session, record.mail_consent or "cleared")) for record in found],
    )


def _word(session: Session, state: str) -> Word:
    said: Word | None = session.info.get(_WORD)
    if said is not None and said.state == state:
        return said
    how = "undo" if session.info.get("undoing") else _SOURCES.get(context.current().source, "member")
    return Word(state=state, how=how)
