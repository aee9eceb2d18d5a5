"""Record and read consents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.consent import recording
from kehu.consent.models import Consent, ConsentState
from kehu.consent.recording import MAIL, Person, Word
from kehu.consent.words import CHANNELS, CONSENTED, HOWS, STATES
from kehu.core import audit, clock, context, events
from kehu.core.audit import AuditEntry
from kehu.core.errors import InvalidInput
from kehu.core.i18n import _
from kehu.core.records.service import service_for
from kehu.core.records.types import get as get_type
from kehu.core.text import clean

HISTORY = 50
LONGEST = 2000
ACTIONS = {f"consent_{state}": state for state in STATES}
"""Action of the trail -> the state that it tells of."""


class ConsentService:
    """What people agreed to; who may write a person's record may record it.

    :param session: the unit of work.
    :param actor: who acts; the context's actor by default.
    """

    def __init__(self, session: Session, actor: context.Actor | None = None) -> None:
        self.session = session
        self.actor = actor or context.actor()

    def record(
        self,
        object_name: str,
        record_id: object,
        channel: str,
        purpose: str,
        state: str,
        *,
        how: str = "member",
        said_at: dt.datetime | None = None,
        source_text: str = "",
        proof: str = "",
    ) -> None:
        """Write down that a person agreed or no longer agrees.

        An agreement from before a refusal that is known changes nothing but the history: the later word holds.

        :param object_name: `customers` or `contacts`.
        :raises InvalidInput: names each thing that is wrong.
        """
        word = Word(
            state=state,
            how=how,
            said_at=said_at,
            source_text=clean(source_text, lines=True)[:LONGEST] or None,
            proof=clean(proof, lines=True)[:LONGEST] or None,
        )
        _check(channel, purpose, word)
        service = service_for(object_name, self.session, self.actor)
        record = service.get(record_id, action="write", lock=True)
        if self._outdated(record, channel, purpose, word):
            self._write(record, channel, purpose, word, holds=False)
            return
        if (channel, purpose) == MAIL and record.mail_consent != (None if state == "cleared" else state):
            recording.use_word(self.session, word)
            service.update(record.id, {"mail_consent": None if state == "cleared" else state})
            recording.use_word(self.session, None)
            return
        self._write(record, channel, purpose, word)

    def _outdated(self, record: Any, channel: str, purpose: str, word: Word) -> bool:
        """Tell whether somebody agreed before the refusal that holds."""
        if word.state != "given" or word.said_at is None:
            return False
        statement = select(ConsentState.said_at).where(
            ConsentState.person_id == record.id,
            ConsentState.channel == channel,
            ConsentState.purpose == purpose,
            ConsentState.state == "withdrawn",
        )
        refused_at = self.session.execute(statement).scalar_one_or_none()
        return refused_at is not None and word.said_at < refused_at

    def _write(self, record: Any, channel: str, purpose: str, word: Word, *, holds: bool = True) -> None:
        person = recording.person_of(record)
        before = self.state(person, channel, purpose)
        recording.write(self.session, [(person, channel, purpose, word)], hold=holds)
        record_type = get_type(person.object)
        said = {"channel": channel, "purpose": purpose, "state": word.state, "how": word.how}
        audit.write(
            self.session,
            object=person.object,
            record_id=record.id,
            action=f"consent_{word.state}",
            title=record.name,
            changes={"consent": [before, said]},
            version=record.version,
            customer_id=record.id if person.object == "customers" else record.customer_id,
        )
        events.announce(self.session, f"{record_type.singular}.consent_{word.state}")

    def state(self, person: Person, channel: str, purpose: str) -> str | None:
        """Return what holds of a person, or None when nobody knows."""
        statement = select(ConsentState.state).where(
            ConsentState.person_id == person.id,
            ConsentState.channel == channel,
            ConsentState.purpose == purpose,
        )
        found = self.session.execute(statement).scalar_one_or_none()
        return None if found == "cleared" else found

    def states(self, person: Person) -> Sequence[ConsentState]:
        """Return what holds of a person for each channel and purpose of which something is known."""
        statement = select(ConsentState).where(
            ConsentState.person_id == person.id, ConsentState.state != "cleared"
        )
        ordered = statement.order_by(ConsentState.purpose, ConsentState.channel).limit(50)
        return self.session.execute(ordered).scalars().all()

    def history(self, person: Person) -> Sequence[Consent]:
        """Return what was recorded of a person, the latest first."""
        column = Consent.customer_id if person.object == "customers" else Consent.contact_id
        statement = select(Consent).where(column == person.id).order_by(Consent.id.desc()).limit(HISTORY)
        return self.session.execute(statement).scalars().all()

    def person(self, object_name: str, record_id: object) -> Person:
        """Return a person whom the actor may see.

        :raises NotFound: when there is none.
        """
        return recording.person_of(service_for(object_name, self.session, self.actor).get(record_id))

    def undo(self, entry: AuditEntry) -> None:
        """Put back what held before; the history keeps both."""
        before, said = entry.changes["consent"]
        self.record(
            entry.object, entry.record_id, said["channel"], said["purpose"], before or "cleared", how="undo"
        )


def _check(channel: str, purpose: str, word: Word) -> None:
    errors: dict[str, list[str]] = {}
    for key, value, known in (
        ("channel", channel, CHANNELS),
        ("purpose", purpose, CONSENTED),
        ("state", word.state, STATES),
        ("how", word.how, HOWS),
    ):
        if value not in known:
            errors[key] = [_("Choose one from the list.")]
    if word.said_at is not None and word.said_at > clock.now() + dt.timedelta(minutes=5):
        errors["said_at"] = [_("This lies in the future. Write when it was said.")]
    if errors:
        raise InvalidInput(_("Some fields need another value."), fields=errors)
