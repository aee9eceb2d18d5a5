"""The list of all firms: a page costs as many statements for one firm as for fifty."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession
from kehu.core import db, site
from kehu.core.ids import parse_id
from kehu.core.text import clean
from kehu.customers.models import Customer
from kehu.files.models import File
from kehu.members.models import Member
from tenants.console.registry import Cell, Columns, Filter, all_of
from tenants.models import Tenant

SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Line:
    """A firm in the list.

    :param active_at: when somebody of the firm was seen last, in any of the firms that he works in.
    :param size: bytes of its files.
    """

    id: uuid.UUID
    name: str
    host: str
    state: str
    demo: bool
    created_at: dt.datetime
    members: int
    active_at: dt.datetime | None
    customers: int
    size: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One page of the list; `after` begins the next one."""

    lines: Sequence[Line]
    after: uuid.UUID | None


def listing(wanted: Mapping[str, str]) -> Listing:
    """Return a page of firms, newest first.

    :param wanted: `q`, `state`, the keys of registered filters, and `after`, the id that the last page ended with.
    """
    statement = select(Tenant).order_by(Tenant.id.desc()).limit(SHOWN + 1)
    for condition in _conditions(wanted):
        statement = statement.where(condition)
    with db.cross_tenant("an operator lists firms") as session:
        firms = list(session.execute(statement).scalars())
        more, firms = len(firms) > SHOWN, firms[:SHOWN]
        lines = _lines(session, firms) if firms else []
    return Listing(lines=lines, after=firms[-1].id if more else None)


def _conditions(wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    after = parse_id(wanted.get("after"))
    if after is not None:
        found.append(Tenant.id < after)
    text = clean(wanted.get("q", ""))[:100]
    if text:
        found.append(_search(text))
    if wanted.get("state") in ("active", "suspended", "closed"):
        found.append(Tenant.state == wanted["state"])
    for one in all_of(Filter):
        value = wanted.get(one.key, "")
        if value in dict(one.options()):
            found.append(one.condition(value))
    return found


def _search(text: str) -> ColumnElement[bool]:
    """Match the name, address or own domain of a firm, a member's whole mail address, or the firm's id."""
    found = [
        Tenant.name.icontains(text, autoescape=True),
        Tenant.address.startswith(text.lower(), autoescape=True),
    ]
    if "." in text:
        found.append(Tenant.settings[site.DOMAIN].astext == text.lower())
    if parse_id(text) is not None:
        found.append(Tenant.id == parse_id(text))
    if "@" in text:
        found.append(
            exists().where(
                Member.tenant_id == Tenant.id, Member.email_norm == text.lower(), Member.deleted_at.is_(None)
            )
        )
    return or_(*found)


def _lines(session: Session, firms: Sequence[Tenant]) -> list[Line]:
    ids = [firm.id for firm in firms]
    people, sizes, customers = _people(session, ids), _sizes(session, ids), _customers(session, ids)
    added: dict[uuid.UUID, dict[str, Cell]] = {one: {} for one in ids}
    for columns in all_of(Columns):
        for firm_id, cells in columns.cells(session, ids).items():
            added[firm_id] |= cells
    base = current_app.extensions["kehu.settings"].base_domain
    return [
        Line(
            id=firm.id,
            name=firm.name,
            host=str((firm.settings or {}).get(site.DOMAIN) or f"{firm.address}.{base}"),
            state=firm.state,
            demo=bool(firm.demo),
            created_at=firm.created_at,
            members=people[firm.id].members if firm.id in people else 0,
            active_at=people[firm.id].active_at if firm.id in people else None,
            customers=customers.get(firm.id, 0),
            size=sizes.get(firm.id, 0),
            cells=added[firm.id],
        )
        for firm in firms
    ]


def _people(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
    statement = (
        select(
            Member.tenant_id,
            func.count(Member.id.distinct()).label("members"),
            func.max(LoginSession.seen_at).label("active_at"),
        )
        .outerjoin(LoginSession, LoginSession.user_id == Member.user_id)
        .where(Member.tenant_id.in_(ids), Member.state == "active", Member.deleted_at.is_(None))
        .group_by(Member.tenant_id)
    )
    return {row.tenant_id: row for row in session.execute(statement)}


def _sizes(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    statement = (
        select(File.tenant_id, func.sum(File.size)).where(File.tenant_id.in_(ids)).group_by(File.tenant_id)
    )
    return {tenant_id: int(size) for tenant_id, size in session.execute(statement)}


def _customers(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    statement = (
        select(Customer.tenant_id, func.count())
        .where(Customer.tenant_id.in_(ids), Customer.deleted_at.is_(None))
        .group_by(Customer.tenant_id)
    )
    return {row[0]: row[1] for row in session.execute(statement)}
