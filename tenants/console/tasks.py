"""What waits for an operator: raised once for what it is about, done with a note."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from kehu.core import clock, context
from kehu.core.errors import InvalidInput, NotFound
from kehu.core.i18n import _
from kehu.core.ids import new_id
from kehu.core.text import clean
from tenants.models import OperatorTask

log = structlog.get_logger(__name__)

SHOWN = 100


def raise_task(session: Session, kind: str, about: str, what: str, firm_id: uuid.UUID | None = None) -> bool:
    """Let something wait for an operator; tell whether it is new.

    :param about: what it is about; a second call for the same changes nothing, also once it is done.
    :param what: a sentence in English; operators read the log in it, too.
    """
    statement = (
        insert(OperatorTask)
        .values(id=new_id(), kind=kind, about=about, what=what[:500], firm_id=firm_id, made_at=clock.now())
        .on_conflict_do_nothing()
        .returning(OperatorTask.id)
    )
    new = session.execute(statement).first() is not None
    if new:
        log.error("operator_task", kind=kind, firm=str(firm_id) if firm_id else None)
    return new


def waiting(session: Session) -> Sequence[OperatorTask]:
    """Return what waits, oldest first."""
    statement = select(OperatorTask).where(OperatorTask.done_at.is_(None)).order_by(OperatorTask.made_at)
    return session.execute(statement.limit(SHOWN)).scalars().all()


def finish(session: Session, task_id: uuid.UUID, note: str) -> OperatorTask:
    """Note that something is done, by the present operator.

    :raises NotFound: when nothing of this id waits.
    :raises InvalidInput: for "note" when it is empty.
    """
    note = clean(note)[:300]
    if not note:
        text = _("Write what was done.")
        raise InvalidInput(text, fields={"note": [text]})
    found = session.execute(
        select(OperatorTask)
        .where(OperatorTask.id == task_id, OperatorTask.done_at.is_(None))
        .with_for_update()
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(_("This is done already. Load the page again."))
    found.done_at, found.done_by, found.note = clock.now(), context.actor().name, note
    return found
