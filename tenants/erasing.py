"""Erasing a firm whole: every row of every table, its files and waiting jobs; what stays is the proof."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, exists, select, text
from sqlalchemy.orm import Session

from kehu.accounts.models import LoginSession, User
from kehu.core.errors import Conflict, NotFound
from kehu.core.i18n import _
from kehu.members.models import Member
from tenants.archive import contents
from tenants.domains.models import Domain, OldAddress
from tenants.models import Tenant, TenantErasure


def erase(session: Session, tenant_id: uuid.UUID, var: Path, *, by: str, reason: str) -> TenantErasure:
    """Erase a closed firm, for good.

    :param session: one of `cross_tenant`; the caller commits.
    :param var: the installation's folder, which holds the firm's files and archives.
    :raises NotFound: when there is no such firm.
    :raises Conflict: when it is not closed, or rows of it were written meanwhile.
    """
    tenant = session.execute(
        select(Tenant).where(Tenant.id == tenant_id).with_for_update()
    ).scalar_one_or_none()
    if tenant is None:
        raise NotFound(_("There is no such firm."))
    if tenant.state != "closed":
        raise Conflict(_("Only a closed firm is erased: close it first."))
    session.execute(text("SET LOCAL statement_timeout TO 0"))
    working = select(Member.user_id).where(Member.tenant_id == tenant_id, Member.user_id.is_not(None))
    people = session.execute(working).scalars().all()
    session.execute(
        text(
            "DELETE FROM procrastinate_jobs WHERE args->>'tenant_id' = :id AND status IN ('todo', 'failed')"
        ),
        {"id": str(tenant_id)},
    )
    tables = contents.tables(session, everything=True)
    rows: dict[str, int] = {}
    for table in reversed(tables):
        # Only names of the catalogue are put into the text.
        statement = text(f"DELETE FROM {table.sql} WHERE tenant_id = :id")  # noqa: S608
        count = session.execute(statement, {"id": tenant_id}).rowcount  # type: ignore[attr-defined]
        if count:
            rows[table.title] = count
    gone = _people(session, people)
    session.execute(delete(Domain).where(Domain.firm_id == tenant_id))
    session.execute(delete(OldAddress).where(OldAddress.firm_id == tenant_id))
    session.execute(delete(Tenant).where(Tenant.id == tenant_id))
    _look(session, tenant_id, tables)
    proof = TenantErasure(
        tenant_id=tenant_id, by=by, reason=reason, rows=rows, people=gone, files=_files(var, tenant_id)
    )
    session.add(proof)
    session.flush()
    return proof


def _people(session: Session, ids: Sequence[uuid.UUID | None]) -> int:
    """Erase the accounts of those who work in no other firm and do not operate the installation."""
    elsewhere = exists().where(Member.user_id == User.id)
    lonely = list(
        session.execute(
            select(User.id).where(User.id.in_(ids), ~elsewhere, User.operator.is_(False))
        ).scalars()
    )
    session.execute(delete(LoginSession).where(LoginSession.user_id.in_(lonely)))
    session.execute(delete(User).where(User.id.in_(lonely)))
    return len(lonely)


def _look(session: Session, tenant_id: uuid.UUID, tables: list[contents.ArchivedTable]) -> None:
    """Search every table once more.

    :raises Conflict: names the table in which there is a row.
    """
    for table in tables:
        statement = text(f"SELECT 1 FROM {table.sql} WHERE tenant_id = :id LIMIT 1")  # noqa: S608
        if session.execute(statement, {"id": tenant_id}).first():
            raise Conflict(
                _("%(table)s still holds rows of the firm; nothing was erased.", table=table.title)
            )


def _files(var: Path, tenant_id: uuid.UUID) -> int:
    count = 0
    for name in ("files", "archives"):
        folder = var / name / str(tenant_id)
        count += sum(1 for one in folder.rglob("*") if one.is_file())
        shutil.rmtree(folder, ignore_errors=True)
    return count
