"""What an erasure leaves for afterwards: the trail, which the web may only add to, and the bytes of files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from kehu.core import audit, context, db, jobs, mail, schedule, site
from kehu.files.models import File
from kehu.members.models import Member, Role
from kehu.privacy import erasing, retention
from kehu.privacy.files import store
from kehu.privacy.models import RetentionRule
from kehu.privacy.records import PAGE

log = structlog.get_logger(__name__)

MAIL = "privacy/mail/retention"


@jobs.tenant_task("privacy.scrub")
def scrub(
    _tenant_id: uuid.UUID, entry_id: str, records: Sequence[str], persons: Sequence[str], sums: Sequence[str]
) -> None:
    """Take an erased person out of the trail, and drop files that nobody else has; may run twice."""
    tenant = context.tenant()
    with db.cross_tenant(f"erase a person of the tenant {tenant.address} (entry {entry_id})") as session:
        erasing.scrub(session, records, persons)
    used = select(File.sha256).where(File.sha256.in_(list(sums)))
    kept = set(db.session().execute(used).scalars())
    for sha256 in set(sums) - kept:
        store().drop(tenant.id, sha256)


@schedule.every_tenant("privacy.retention", at="04:20", rests=True)
def keep_no_longer(_tenant_id: uuid.UUID) -> None:
    """Carry out the rules for how long something is kept, and tell the owners what was touched."""
    session = db.session()
    statement = select(RetentionRule).where(
        RetentionRule.active.is_(True), RetentionRule.deleted_at.is_(None)
    )
    told = []
    for rule in session.execute(statement.order_by(RetentionRule.id).limit(200)).scalars().all():
        if not retention.can_be_asked(rule):
            log.info("retention_rule_names_a_vanished_field")
            continue
        name, rule_id, act = rule.name, rule.id, rule.act
        with context.by_rule(name):
            done = retention.apply(session, rule)
        audit.write(
            session,
            object="retention_rules",
            record_id=rule_id,
            action="applied",
            title=name,
            changes={"touched": [None, done.goes], "kept": [None, done.stays]},
        )
        if done.goes:
            told.append({"name": name, "act": act, "goes": done.goes, "stays": done.stays, "more": done.more})
    if told:
        _tell(session, told)


def _tell(session: Session, rules: Sequence[dict[str, Any]]) -> None:
    tenant = context.tenant()
    statement = (
        select(Member.email)
        .join(Role, (Role.tenant_id == Member.tenant_id) & (Role.id == Member.role_id))
        .where(
            Role.code == "owner", Member.state == "active", Member.deleted_at.is_(None), Member.email != ""
        )
    )
    for address in session.execute(statement.order_by(Member.id).limit(20)).scalars():
        mail.send(
            session,
            address,
            MAIL,
            firm=tenant.name,
            count=sum(one["goes"] for one in rules),
            rules=list(rules),
            url=f"{site.url_of(tenant)}{PAGE}",
        )
