"""One person's messages: handed out, counted, emptied. The leads themselves have keys, so the platform finds them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import undefer

from kehu.api import Call, SubjectReport, _l, or_, select, tenant
from plugins_builtin.automotive.leads.adf_text import decode
from plugins_builtin.automotive.leads.models import Lead, LeadMessage

MOST = 500


def subject_data(ctx: Call, object: str, record_id: UUID, mode: str) -> SubjectReport:
    """Answer for the messages in which a person asked; one that named others too is emptied as well."""
    whose = Lead.contact_id == record_id if object == "contacts" else Lead.customer_id == record_id
    mine = select(Lead.message_id).where(Lead.tenant_id == tenant().id, whose)
    statement = select(LeadMessage).where(LeadMessage.id.in_(mine), LeadMessage.size > 0).limit(MOST)
    if mode == "export":
        rows = ctx.session.execute(statement.options(undefer(LeadMessage.raw))).scalars()
        return SubjectReport(rows={"lead_messages": [_row(one) for one in rows]})
    found = ctx.session.execute(statement).scalars().all()
    if mode == "erase" and found:
        ctx.session.execute(
            update(LeadMessage)
            .where(
                LeadMessage.tenant_id == tenant().id,
                or_(*(LeadMessage.id == one.id for one in found)),
            )
            .values(raw=b"", size=0, sender="", message_id=""),
            execution_options={"synchronize_session": False},
        )
    return SubjectReport(erased={_l("Messages of leads"): len(found)})


def _row(message: LeadMessage) -> dict[str, Any]:
    return {
        "received_at": message.received_at.isoformat(),
        "sender": message.sender,
        "text": decode(message.raw, message.charset)[0],
    }
