"""Who was heard of lately, and what speaks against letting somebody go: asked of the tables, many people at once."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from kehu.activities.models import Activity
from kehu.consent.models import ConsentState
from kehu.core import clock, context, db
from kehu.core.i18n import _
from kehu.customers.models import Contact
from kehu.deals.models import Deal
from kehu.items.models import OwnedItemTerm
from kehu.privacy.collecting import CONTACTS, CUSTOMERS
from kehu.privacy.holds import holding
from kehu.privacy.keys import Pointer, TableName, pointers, quoted
from kehu.privacy.models import LegalHold
from kehu.tickets.models import Ticket

MOMENTS = ("created_at", "updated_at", "at")
"""Columns that tell when something was."""

BY_MACHINE = frozenset(
    TableName("public", name)
    for name in (
        "consent_states",
        "household_members",
        "messages",
        "no_households",
        "offers",
        "survey_invitations",
    )
)
"""What the product writes by itself, and what the firm sends out: no sign of the person."""

_COLUMNS = text(
    "SELECT n.nspname AS schema, c.relname AS name, a.attname AS column FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'p') AND a.attname = ANY(:names) AND NOT a.attisdropped "
    r"AND (n.nspname = 'public' OR n.nspname LIKE 'p\_%')"
)


class Recency:
    """Tells who is in touch with the firm; the statement is made once from the catalogue and asked for many."""

    def __init__(self, session: Session, object_name: str) -> None:
        self.session, self.object = session, object_name
        self._statement = text(" UNION ".join(self._parts()))

    def since(self, ids: Sequence[uuid.UUID], since: dt.datetime) -> set[uuid.UUID]:
        """Return those of some people at whom something points that was made or changed since."""
        values = {"tenant": db.tenant_id(), "ids": [str(one) for one in ids], "since": since}
        return {row.whose for row in self.session.execute(self._statement, values)} if ids else set()

    def _parts(self) -> Iterator[str]:
        moments: dict[TableName, list[str]] = {}
        for row in self.session.execute(_COLUMNS, {"names": list(MOMENTS)}):
            moments.setdefault(TableName(row.schema, row.name), []).append(row.column)
        found = pointers(self.session)
        customers = self.object == "customers"
        for pointer in found.get(CUSTOMERS if customers else CONTACTS, ()):
            if pointer.table in moments and pointer.table not in BY_MACHINE:
                yield self._direct(pointer, moments[pointer.table])
        for pointer in found.get(CONTACTS, ()) if customers else ():
            if pointer.table in moments and pointer.table not in BY_MACHINE | {CUSTOMERS, CONTACTS}:
                yield self._through_contacts(pointer, moments[pointer.table])

    # Names come from the catalogue and are quoted; every value is bound.

    def _direct(self, pointer: Pointer, moments: Collection[str]) -> str:
        column = quoted(pointer.column)
        return (
            f"SELECT x.{column} AS whose FROM {pointer.table.sql} x WHERE x.tenant_id = :tenant "  # noqa: S608
            f"AND x.{column} = ANY(CAST(:ids AS uuid[])) AND {_lately(moments)}"
        )

    def _through_contacts(self, pointer: Pointer, moments: Collection[str]) -> str:
        return (
            f"SELECT c.customer_id AS whose FROM {pointer.table.sql} x JOIN contacts c "  # noqa: S608
            f"ON c.tenant_id = x.tenant_id AND c.id = x.{quoted(pointer.column)} WHERE x.tenant_id = :tenant "
            f"AND c.tenant_id = :tenant AND c.customer_id = ANY(CAST(:ids AS uuid[])) AND {_lately(moments)}"
        )


def _lately(moments: Collection[str]) -> str:
    return f"GREATEST({', '.join('x.' + quoted(one) for one in moments)}) >= :since"


def bonds(
    session: Session, object_name: str, ids: Sequence[uuid.UUID], *, since: dt.datetime, years: int
) -> dict[uuid.UUID, list[str]]:
    """Return why some people are kept, in words, by their ids; who may go has no entry.

    :param since: an agreement from then on holds somebody.
    :param years: for so long a sale has to be provable.
    """
    found: dict[uuid.UUID, list[str]] = {}
    if not ids:
        return found
    today = clock.today(context.tenant().tz)
    paid = clock.now() - dt.timedelta(days=round(years * 365.25))
    asked: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
        (_("an open deal"), Deal, (Deal.status == "open", Deal.deleted_at.is_(None))),
        (
            _("an open ticket"),
            Ticket,
            (Ticket.status.not_in(("resolved", "closed")), Ticket.deleted_at.is_(None)),
        ),
        (
            _("an open task"),
            Activity,
            (Activity.done_at.is_(None), Activity.due_at >= since, Activity.deleted_at.is_(None)),
        ),
        (
            _("a running contract, warranty or policy"),
            OwnedItemTerm,
            (
                OwnedItemTerm.state == "active",
                OwnedItemTerm.deleted_at.is_(None),
                or_(OwnedItemTerm.effective_end.is_(None), OwnedItemTerm.effective_end > today),
            ),
        ),
        (_("a legal hold"), LegalHold, holding()),
        (
            _("an agreement that holds"),
            ConsentState,
            (ConsentState.state == "given", ConsentState.said_at >= since),
        ),
    )
    if years:
        sold = (Deal.status == "won", Deal.closed_at >= paid)
        asked += ((_("a sale whose papers the law wants kept"), Deal, sold),)
    for word, model, where in asked:
        for whose in _whose(session, object_name, model, where, ids):
            found.setdefault(whose, []).append(word)
    return found


def _whose(
    session: Session, object_name: str, model: Any, where: Sequence[Any], ids: Sequence[uuid.UUID]
) -> set[uuid.UUID]:
    """Return which people such rows are of: a contact's are also those of the customer whom he stands for."""
    tenant = model.tenant_id == db.tenant_id()
    if object_name == "customers":
        statement = select(model.customer_id).where(tenant, model.customer_id.in_(ids), *where)
        if hasattr(model, "contact_id"):
            through = (
                select(Contact.customer_id)
                .join(model, (model.tenant_id == Contact.tenant_id) & (model.contact_id == Contact.id))
                .where(tenant, Contact.tenant_id == db.tenant_id(), Contact.customer_id.in_(ids), *where)
            )
            return {*session.execute(statement).scalars(), *session.execute(through).scalars()}
        return set(session.execute(statement).scalars())
    theirs = model.customer_id == Contact.customer_id
    mine = (theirs | (model.contact_id == Contact.id)) if hasattr(model, "contact_id") else theirs
    if model is ConsentState:
        mine = model.contact_id == Contact.id
    there = select(model.customer_id).where(tenant, mine, *where).correlate(Contact).exists()
    return set(session.execute(select(Contact.id).where(Contact.id.in_(ids), there)).scalars())
