"""Messages on the time lines of their recipients."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, func, literal, or_, select

from kehu.consent.gate import WORDS
from kehu.core.context import Actor
from kehu.core.i18n import _, _l
from kehu.core.kept import TENANT
from kehu.core.records import scope
from kehu.core.tables import metadata
from kehu.messages import texts
from kehu.timeline.entries import Entry, Names, add_reader, say
from kehu.timeline.kinds import LineKind
from kehu.timeline.queries import LONGEST_TEXT, RECORD, Part, Subject, add_source, line_columns

SOURCE = "sent_message"

_SAID = {
    "sent": _l("%(who)s sent %(what)s to %(whom)s"),
    "queued": _l("%(what)s to %(whom)s waits to be sent"),
    "refused": _l("%(what)s was not sent to %(whom)s: %(why)s"),
    "failed": _l("%(what)s could not be delivered to %(whom)s: %(why)s"),
}


def _rows(subject: Subject, actor: Actor, kind: LineKind) -> Part | None:
    if kind.key not in ("", "mail") or subject.object not in ("customers", "contacts"):
        return None
    row, contact = metadata.tables["messages"].alias("sm"), metadata.tables["contacts"].alias("smc")
    column = row.c.contact_id if subject.object == "contacts" else row.c.customer_id
    statement = (
        select(
            *line_columns(
                SOURCE,
                id=row.c.id,
                at=func.coalesce(row.c.sent_at, row.c.at),
                sub=row.c.state,
                object=literal("messages", Text),
                record_id=row.c.id,
                title=row.c.subject,
                body=func.left(row.c.body, LONGEST_TEXT),
                who=row.c.sender,
                more=func.jsonb_build_object(
                    "to",
                    func.coalesce(contact.c.name, row.c.address),
                    "code",
                    row.c.reason_code,
                    "template",
                    row.c.template,
                    "why",
                    row.c.reason,
                ),
            )
        )
        .select_from(row)
        .outerjoin(
            contact,
            and_(
                contact.c.tenant_id == TENANT,
                contact.c.id == row.c.contact_id,
                scope.seen("contacts", contact.c, actor),
            ),
        )
        .where(row.c.tenant_id == TENANT, column == RECORD, _seen(row, contact))
    )
    return statement, func.coalesce(row.c.sent_at, row.c.at), row.c.id


def _seen(row: Any, contact: Any) -> ColumnElement[bool]:
    # What was written to a contact out of the reader's sight is not told at the customer either.
    return or_(row.c.contact_id.is_(None), contact.c.id.is_not(None))


def _entry(row: Any, _names: Names, _here: uuid.UUID) -> Entry:
    more = row.more or {}
    why = WORDS.get(more.get("code") or "", more.get("why") or "")
    what = _("“%(title)s”", title=row.title)
    head = say(_SAID[row.sub], who=row.who, what=what, whom=more.get("to") or _("nobody"), why=str(why))
    body = texts.with_labels(more.get("template") or "", row.body or "")
    return Entry(id=f"l-{row.id}", kind="mail", at=row.at, head=head, body=body)


add_source(_rows)
add_reader(SOURCE, _entry)
