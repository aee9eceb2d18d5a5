"""A firm's own domain: claimed by an owner, served once name servers say that it is the firm's, then watched."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import secrets

from sqlalchemy import and_, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from kehu.core import audit, clock, context, jobs, mail, site
from kehu.core.errors import Conflict, InvalidInput
from kehu.core.i18n import _
from kehu.members.models import Member, Role
from tenants.domains.looking import Finding
from tenants.domains.models import SERVING, Domain
from tenants.domains.permissions import RIGHT
from tenants.services import TenantService

CHECK = "tenants.domain_check"
MAIL = "tenants/mail/domain"
GRACE = dt.timedelta(days=3)
"""So long a domain is served whose records are gone: people change name servers, and records come back."""
AGAIN = dt.timedelta(seconds=10)
"""The button asks no sooner again."""

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def check_host(value: str, base_domain: str) -> str:
    """Return a host name as it is kept: small letters, international names in their ASCII form.

    :raises InvalidInput: for the field "host".
    """
    value = value.strip().lower().rstrip(".")
    value = re.sub(r"^https?://", "", value).split("/")[0]
    message = ""
    try:
        host = value.encode("idna").decode() if value else ""
    except UnicodeError:
        host = ""
    labels = host.split(".")
    if len(host) > 200 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        message = _("Write a domain of your own, as crm.example.com.")
    elif _is_address(host) or labels[-1].isdigit():
        message = _("Write a name, not a number: crm.example.com.")
    elif host == base_domain or host.endswith(f".{base_domain}"):
        message = _(
            "This is our own domain. The name under it is changed above; write a domain of yours here."
        )
    elif labels[-1] in ("localhost", "local", "internal", "test", "invalid", "example", "onion"):
        message = _("This domain is not on the internet. Write one that you have registered.")
    if message:
        raise InvalidInput(message, fields={"host": [message]})
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class DomainService:
    """Look after the own domain of the present firm."""

    def __init__(self, session: Session) -> None:
        self.session, self.tenant = session, context.tenant()

    def find(self, *, lock: bool = False) -> Domain | None:
        """Return the domain, checked or not."""
        statement = select(Domain).where(Domain.firm_id == self.tenant.id)
        if lock:
            statement = statement.with_for_update().execution_options(populate_existing=True)
        return self.session.execute(statement).scalar_one_or_none()

    def claim(self, value: str, base_domain: str) -> Domain:
        """Claim a domain; it is served once it is checked. One that was served before is not any more.

        :raises InvalidInput: for the field "host": its form, or another firm's.
        """
        context.actor().require(RIGHT)
        host = check_host(value, base_domain)
        found = self.find(lock=True)
        if found is not None and found.host == host:
            return found
        if self._taken(host):
            raise self._refusal(host)
        self._forget(found)
        made = Domain(
            firm_id=self.tenant.id,
            host=host,
            token=secrets.token_urlsafe(24),
            state="waiting",
            made_at=clock.now(),
        )
        self.session.add(made)
        self._note("domain", [found.host if found is not None else None, host])
        return made

    def ask(self) -> Domain:
        """Have the domain checked by a job.

        :raises Conflict: when there is none.
        """
        context.actor().require(RIGHT)
        found, now = self.find(lock=True), clock.now()
        if found is None:
            raise Conflict(_("There is no domain to check. Enter one first."))
        if found.asked_at is None or now - found.asked_at >= AGAIN:
            found.asked_at = now
            jobs.enqueue(self.session, CHECK, queueing_lock=f"domain:{self.tenant.id}")
        return found

    def remove(self) -> None:
        """Serve the domain no more and forget it; another firm may claim it."""
        context.actor().require(RIGHT)
        found = self.find(lock=True)
        if found is None:
            return
        self._forget(found)
        self._note("domain", [found.host, None])

    def settle(self, host: str, found: Finding) -> str:
        """Keep what a check found, and return the state; nothing changes when it is about another host by now."""
        row = self.find(lock=True)
        if row is None or row.host != host:
            return "gone"
        now, before = clock.now(), row.state
        row.checked_at, row.error, row.seen = now, found.error, found.seen
        if not found.error:
            row.failing_since = None
            self._serve(row, now)
        elif before in SERVING and found.error != "dns":
            # A name server that does not answer says nothing about the records.
            row.failing_since = row.failing_since or now
            row.state = "failing" if now - row.failing_since < GRACE else "lapsed"
        if row.state == "lapsed" and before != "lapsed":
            TenantService(self.session).note(**{site.DOMAIN: None})
        if row.state != before:
            self._note("domain_state", [before, row.state])
            self._tell(row, before)
        return row.state

    def _serve(self, row: Domain, now: dt.datetime) -> None:
        before = row.state
        try:
            with self.session.begin_nested():
                row.state, row.verified_at = "verified", row.verified_at or now
        except IntegrityError:
            self.session.refresh(row)
            row.checked_at, row.error, row.seen = now, "taken", ""
            return
        if before not in SERVING or site.domain_of(self.tenant) != row.host:
            TenantService(self.session).note(**{site.DOMAIN: row.host})

    def _taken(self, host: str) -> bool:
        other = select(Domain.firm_id).where(
            Domain.host == host, Domain.state.in_(SERVING), Domain.firm_id != self.tenant.id
        )
        return self.session.execute(other).first() is not None

    @staticmethod
    def _refusal(host: str) -> InvalidInput:
        text = _(
            "%(host)s serves another firm. Remove it there first, under Settings, Address; then enter it here.",
            host=host,
        )
        return InvalidInput(text, fields={"host": [text]})

    def _forget(self, row: Domain | None) -> None:
        # The row is locked; what the request knows of the firm may be older than a check that ended meanwhile.
        served = row is not None and row.state in SERVING
        self.session.execute(delete(Domain).where(Domain.firm_id == self.tenant.id))
        self.session.expire_all()
        if served or site.domain_of(self.tenant):
            TenantService(self.session).note(**{site.DOMAIN: None})

    def _note(self, what: str, change: list[str | None]) -> None:
        audit.write(
            self.session,
            object="tenants",
            record_id=self.tenant.id,
            action="updated",
            title=self.tenant.name,
            changes={what: list(change)},
        )

    def _tell(self, row: Domain, before: str) -> None:
        """Write to the owners when a domain that was served is in danger, or served no more."""
        if before not in SERVING or row.state not in ("failing", "lapsed"):
            return
        statement = (
            select(Member.email)
            .join(Role, and_(Role.tenant_id == Member.tenant_id, Role.id == Member.role_id))
            .where(
                Role.code == "owner",
                Member.state == "active",
                Member.deleted_at.is_(None),
                Member.email != "",
            )
        )
        for email in self.session.execute(statement.order_by(Member.id).limit(20)).scalars():
            mail.send(
                self.session,
                email,
                MAIL,
                host=row.host,
                lapsed=row.state == "lapsed",
                days=GRACE.days,
                url=f"{site.base_of(self.tenant)}/settings/address",
            )
